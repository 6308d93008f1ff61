/**
 * LOOKUP_BATCH on arrays: `generic_map_lookup_batch` over indices. The cursor is the last index that was given.
 *
 * @module
 */
import { scanLayout } from "../../core/memory/scratch.ts";
import { slotErrno } from "../../core/memory/shared_core.ts";
import type { Table } from "../../core/tables/table.ts";
import { BPF_ATTR_BATCH } from "../abi/attr.ts";
import { ERRNO } from "../abi/errno.ts";
import { BatchOutput } from "./batch_output.ts";
import type { Call } from "./call.ts";

const { in_batch, out_batch, count } = BPF_ATTR_BATCH.fields;

/** The batch of an array whose element flags were checked; `batch.flags` nobody looks at. */
export function lookupArrayBatch(call: Call, table: Table): number {
  const { host, memory } = call;
  const output = new BatchOutput(call, table);
  if (output.wanted === 0) return 0;
  if (!call.put(count, 0)) return -ERRNO.EFAULT;
  const pointer = call.u64(in_batch);
  const last = pointer === 0 ? table.maxEntries : memory.u32(pointer);
  if (last === undefined) return -ERRNO.EFAULT;
  // An index out of range starts over, as get_next_key does.
  const first = last >= table.maxEntries ? 0 : last + 1;
  let { room } = output;
  let layout = scanLayout(host, table.keySize, table.valueBytes, room);
  let stage = host.scratch.stage(layout.bytes);
  if (stage === 0) {
    room = 1;
    layout = scanLayout(host, table.keySize, table.valueBytes, room);
    stage = host.scratch.stage(layout.bytes);
  }
  while (output.next > 0) {
    const keys = stage + layout.keys;
    const values = stage + layout.values;
    const got = host.core.arrayScan(
      table.handle,
      first + output.total,
      keys,
      values,
      Math.min(room, output.next),
    );
    if (got === 0) {
      // In shared memory a lock may not be had.
      if (host.shared && first + output.total < table.maxEntries) return -slotErrno(host);
      break;
    }
    if (!output.write(keys, values, got)) return -ERRNO.EFAULT;
  }
  const { total, wanted } = output;
  call.put(count, total);
  if (total > 0 && !memory.putU32(call.u64(out_batch), first + total - 1)) return -ERRNO.EFAULT;
  return total < wanted ? -ERRNO.ENOENT : 0;
}
