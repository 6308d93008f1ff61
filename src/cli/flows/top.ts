import { byteCount, decodeFlow, type Flow, flowCounters, flowKey, packetCount } from "./flow.ts";
import type { FlowTable } from "./flow_table.ts";

const SCAN_BATCH = 256;

interface Candidate {
  key: Uint8Array;
  counters: Uint8Array;
  bytes: number;
  packets: number;
}

/**
 * The `count` finished flows with the most bytes, the most packets among equals. The bytes of the keys decide in the end:
 * the order of the table depends on a random seed, the report must not.
 */
export function topFlows(table: FlowTable, count: number): Flow[] {
  let candidates: Candidate[] = [];
  let least = 0;
  for (const batch of table.finished.batches({ size: SCAN_BATCH })) {
    const { keys, values } = batch;
    const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
    for (let i = 0; i < batch.count; i++) {
      const at = i * flowCounters.size;
      const bytes = byteCount(view, at);
      if (bytes < least) continue;
      candidates.push({
        key: keys.slice(i * flowKey.size, (i + 1) * flowKey.size),
        counters: values.slice(at, at + flowCounters.size),
        bytes,
        packets: packetCount(view, at),
      });
      // Sorting now and then what has gathered costs less than keeping it sorted, and bounds what is held.
      if (candidates.length < 2 * count + 1024) continue;
      candidates = candidates.sort(compare).slice(0, count);
      least = candidates.at(-1)?.bytes ?? Number.POSITIVE_INFINITY;
    }
  }
  return candidates
    .sort(compare)
    .slice(0, count)
    .map(({ key, counters }) => decodeFlow(new DataView(key.buffer), 0, new DataView(counters.buffer), 0));
}

function compare(a: Candidate, b: Candidate): number {
  return b.bytes - a.bytes || b.packets - a.packets || Buffer.compare(a.key, b.key);
}
