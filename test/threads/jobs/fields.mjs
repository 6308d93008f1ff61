// addFields and fields from several threads: every value that is read meanwhile has all of an addition or nothing of it, and in the end
// no addition is lost.
import { createHost, struct, u8, u32, u53 } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { sleep } from "../kit/team.mjs";

const flow = struct({ packets: u32, in: struct({ flags: u8, bytes: u53 }), alone: u53 });
const small = struct({ packets: u32, bytes: u32 });
const VALUES = { flow, small };
const BYTES = { flow: "in.bytes", small: "bytes" };
/** What one packet has. */
const LENGTH = 1500;

const bytesOf = (value) => value.in?.bytes ?? value.bytes;

export async function run(team, { type, value, keys, threads, counts }) {
  const host = createHost({ shared: true, cpus: threads + 1, seed: team.seed, maxMemory: 64 << 20 });
  const map = host.createMap({ type, name: "fields", key: u32, value: VALUES[value], maxEntries: keys });
  const isPerCpu = type.startsWith("percpu");
  host.pin("/fields", map);
  const members = team.startAll(host, "count", threads, () => ({ type, value, keys, counts }));
  let running = true;
  const ended = team.results(members).finally(() => {
    running = false;
  });
  // Awaited below.
  ended.catch(() => {});
  let reads = 0;
  const packets = isPerCpu ? undefined : map.field("packets");
  while (running) {
    for (let i = 0; i < 100 && packets !== undefined; i++) {
      const key = team.random.below(keys);
      const before = packets.get(key) ?? 0;
      const seen = map.get(key);
      if (seen === undefined) continue;
      equal("bytes", seen.packets * LENGTH, bytesOf(seen));
      if (seen.packets < before) throw new Error(`${seen.packets} packets after ${before}`);
      reads++;
    }
    await sleep(0);
  }
  await ended;
  verified(host, "at the end");
  const total = { packets: 0, bytes: 0, alone: 0 };
  for (const [, found] of map) {
    for (const one of isPerCpu ? found : [found]) {
      total.packets += one.packets;
      total.bytes += bytesOf(one);
      total.alone += one.alone ?? 0;
    }
  }
  equal("packets", threads * counts, total.packets);
  equal("bytes", threads * counts * LENGTH, total.bytes);
  equal("alone", value === "flow" ? threads * counts : 0, total.alone);
  host.close();
  return { reads };
}

export function count({ host, random }, { type, value, keys, counts }) {
  const map = host.open("/fields", { type, key: u32, value: VALUES[value] });
  const alone = value === "flow" ? map.field("alone") : undefined;
  const deltas = { packets: 1, [BYTES[value]]: LENGTH };
  for (let i = 0; i < counts; i++) {
    const key = random.below(keys);
    map.addFields(key, deltas);
    alone?.add(key, 1);
  }
}
