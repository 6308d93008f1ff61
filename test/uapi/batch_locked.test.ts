// Lookup batches of a shared host that meet a bucket which another thread does not let go: what they have got is given.
import { expect, it } from "vitest";
import { attachHost } from "../../src/index.ts";
import {
  BPF_ATTR_BATCH,
  BPF_ATTR_MAP_CREATE,
  BPF_MAP_CREATE,
  BPF_MAP_TYPE_HASH,
  BPF_MAP_TYPE_RHASH,
  BPF_MAP_LOOKUP_BATCH as LB,
  readStruct,
  BPF_MAP_UPDATE_BATCH as UB,
  writeStruct,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH as XB,
} from "../../src/uapi/index.ts";
import { CheckedHost } from "../support/checked_host.ts";
import { TableMemory } from "../support/core/table_memory.ts";
import { sorted, upTo } from "./batches.ts";

const ENTRIES = 300;
const AT = { cursor: 8, keys: 4096, values: 1 << 14 };
/** What a lock word holds that CPU slot 1 has taken. */
const HELD_BY_1 = 1 | (1 << 2);
const ENOENT = -2;
const EFAULT = -14;
const ETIMEDOUT = -110;

const CASES = (["HASH", "RHASH"] as const).flatMap((type) =>
  [LB, XB].map((command) => [type, command] as const),
);

it.each(CASES)("%s, command %i", (type, command) => {
  const checked = new CheckedHost({ seed: 1, shared: true, cpus: 2, lockTimeout: 1 });
  const { host } = checked;
  // CPU slot 1 must be in use: the lock of a thread that is gone is taken from it.
  attachHost(host.share());
  const memory = new ArrayBuffer(1 << 16);
  const words = new Uint32Array(memory);
  const rhash = type === "RHASH";
  const attr = {
    map_type: rhash ? BPF_MAP_TYPE_RHASH : BPF_MAP_TYPE_HASH,
    map_flags: rhash ? 1 : 0,
    key_size: 4,
    value_size: 4,
    max_entries: ENTRIES,
  };
  const fd = host.bpf(BPF_MAP_CREATE, writeStruct(BPF_ATTR_MAP_CREATE, attr), memory);
  const batch = (of: number, count: number, more: object = {}): [result: number, count: number] => {
    const values = { map_fd: fd, count, keys: AT.keys, values: AT.values, out_batch: AT.cursor, ...more };
    const bytes = writeStruct(BPF_ATTR_BATCH, values);
    const result = host.bpf(of, bytes, memory);
    return [result, readStruct(BPF_ATTR_BATCH, bytes).count];
  };
  const keysOf = (count: number) => [...words.subarray(AT.keys / 4, AT.keys / 4 + count)];
  for (let key = 0; key < ENTRIES; key++) words[AT.keys / 4 + key] = key;
  expect(batch(UB, ENTRIES)).toEqual([0, ENTRIES]);

  const table = new TableMemory(checked);
  const lock = table.lock(table.bucket(1)); // bucket 0 comes first, half of the others behind this one
  const free = table.word(lock);
  table.setWord(lock, HELD_BY_1);
  const [result, first] = batch(command, ENTRIES);
  expect(result).toBe(0);
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(ENTRIES);
  const seen = keysOf(first);
  // What the next batch meets first.
  expect(batch(command, ENTRIES, { in_batch: AT.cursor })).toEqual([ETIMEDOUT, 0]);
  table.setWord(lock, free);
  // Nothing is lost where `out_batch` cannot be written, as far as the kernel does so.
  if (rhash) {
    expect(batch(LB, 1, { in_batch: AT.cursor, out_batch: 0 })).toEqual([EFAULT, 1]);
    expect(batch(command, ENTRIES, { in_batch: AT.cursor, out_batch: 0 })).toEqual([ENOENT, ENTRIES - first]);
  } else expect(batch(command, ENTRIES, { in_batch: AT.cursor })).toEqual([ENOENT, ENTRIES - first]);
  expect(sorted([...seen, ...keysOf(ENTRIES - first)])).toEqual(upTo(ENTRIES));
  checked.check();
});
