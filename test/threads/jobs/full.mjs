// The limit of the entry count under contention: threads insert keys of their own into a map that cannot hold them all. It must
// never hold more than maxEntries, and in the end it must be full to the last entry.
import { createHost } from "bpfmap";
import { check, equal, verified } from "../kit/check.mjs";
import { barrier } from "../kit/control.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";
import { sleep } from "../kit/team.mjs";

export async function run(team, { type, layout: name, maxEntries, threads, churn }) {
  const layout = LAYOUTS[name];
  const host = createHost({ shared: true, cpus: threads + 1, seed: team.seed, maxMemory: 128 << 20 });
  const map = host.createMap({ type, name: "full", ...codecs(layout), maxEntries });
  host.pin("/full", map);
  const args = { type, name, maxEntries, threads, churn };
  const members = team.startAll(host, "fill", threads, () => args);
  let running = true;
  const ended = team.results(members).finally(() => {
    running = false;
  });
  // Awaited below.
  ended.catch(() => {});
  let looks = 0;
  for (; running; looks++) {
    check(`size ${map.size} of at most ${maxEntries}`, map.size <= maxEntries);
    await sleep(0);
  }
  const held = (await ended).reduce((a, b) => a + b);
  equal("entries that the threads hold", maxEntries, held);
  equal("size", maxEntries, map.size);
  equal("entries", maxEntries, [...map.keys()].length);
  verified(host, "when full");
  host.close();
  return { looks };
}

/** Answers how many of its keys are in the map at the end. */
export function fill({ host, index, random, control }, { type, name, maxEntries, threads, churn }) {
  const { keyOf, valueFor } = LAYOUTS[name];
  const map = host.open("/full", { type, ...codecs(LAYOUTS[name]) });
  /** Own keys in the map, and those that are not, any more. */
  const own = [];
  const spare = [];
  let next = index;
  /** False when the map is full. */
  const insert = () => {
    const n = spare.at(-1) ?? next;
    try {
      map.set(keyOf(n), valueFor(n, 1));
    } catch (error) {
      if (error.code !== "E2BIG") throw error;
      return false;
    }
    own.push(n);
    if (spare.length > 0) spare.pop();
    else next += threads;
    return true;
  };
  const remove = () => {
    const at = random.below(own.length);
    const n = own[at];
    own[at] = own.at(-1);
    own.pop();
    spare.push(n);
    if (!map.delete(keyOf(n))) throw new Error(`key ${n} was not in the map`);
  };
  barrier(control, threads);
  while (insert());
  // At the limit: a place that one gives up, another one may take.
  for (let i = 0; i < churn; i++) {
    if (own.length > 0 && random.chance(50)) remove();
    else insert();
    const size = map.size;
    if (size > maxEntries) throw new Error(`${size} entries of at most ${maxEntries}`);
  }
  barrier(control, threads);
  while (insert());
  return own.length;
}
