// Counting in per-CPU values: members count, the coordinator takes the counts out of the map all the time, and in the end every
// single count must have been taken out once, or still be there.
import { createHost, struct, u32, u53 } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { sleep } from "../kit/team.mjs";

const pair = struct({ packets: u32, bytes: u53 });
const VALUES = { u53, u32, pair };
/** What one packet of the struct has. */
const BYTES = 1500;
const sumOf = (value, slots) =>
  slots.reduce((sum, slot) => sum + (value === "pair" ? checkPair(slot) : slot), 0);

function checkPair({ packets, bytes }) {
  // The two fields are added one after the other: a packet may be there without its bytes, but never the other way round.
  if (bytes > packets * BYTES) throw new Error(`${packets} packets of ${bytes} bytes`);
  return packets;
}

export async function run(team, { type, value, keys, threads, counts }) {
  const host = createHost({ shared: true, cpus: threads + 1, seed: team.seed, maxMemory: 64 << 20 });
  const map = host.createMap({ type, name: "percpu", key: u32, value: VALUES[value], maxEntries: keys });
  host.pin("/percpu", map);
  const members = team.startAll(host, "count", threads, () => ({ type, value, keys, counts }));
  let running = true;
  const ended = team.results(members).finally(() => {
    running = false;
  });
  // Awaited below.
  ended.catch(() => {});
  let drained = 0;
  let drains = 0;
  const drain = () => {
    if (type === "percpu_array") return;
    if (drains++ % 2 === 0) {
      for (const [, slots] of map.drain({ size: 1 + team.random.below(keys) }))
        drained += sumOf(value, slots);
      return;
    }
    const batch = map.createBatch(1 + team.random.below(keys));
    for (let more = true; more; ) {
      batch.count = batch.capacity;
      more = map.lookupAndDeleteBatch(batch);
      for (const [, slots] of batch.entries()) drained += sumOf(value, slots);
    }
    batch.close();
  };
  while (running) {
    drain();
    await sleep(0);
  }
  await ended;
  verified(host, "at the end");
  let rest = 0;
  for (const [, slots] of map) rest += sumOf(value, slots);
  equal("all counts", threads * counts, drained + rest);
  host.close();
  return { drained, drains };
}

export function count({ host, random }, { type, value, keys, counts }) {
  const map = host.open("/percpu", { type, key: u32, value: VALUES[value] });
  const batchKeys = new Uint32Array(20);
  const ones = new Array(20).fill(1);
  for (let left = counts; left > 0; ) {
    const key = random.below(keys);
    if (value === "pair") {
      map.add(key, 1, { field: "packets" });
      left--;
    } else if (left >= 20 && random.chance(5)) {
      for (let i = 0; i < 20; i++) batchKeys[i] = random.below(keys);
      map.addMany(batchKeys, ones);
      left -= 20;
    } else {
      map.add(key, 1);
      left--;
    }
  }
}
