// One thread writes, and others do nothing but open and close sections: what is inserted and deleted may then neither move nor be
// used again, and a moment later it may, also in the middle of an operation. The writer alone knows what the map must hold.
import { createHost } from "bpfmap";
import { equal, holds, verified } from "../kit/check.mjs";
import { FREE, stop, stopped } from "../kit/control.mjs";
import { codecs, LAYOUTS } from "../kit/layouts.mjs";

/** Writes after which it shrinks instead of growing, or the other way round. */
const WAVE = 300;

export async function run(team, { type, layout: name, keys, threads, inside, ms }) {
  const host = createHost({ shared: true, cpus: threads + 2, seed: team.seed, maxMemory: 64 << 20 });
  const map = host.createMap({ type, name: "sections", ...codecs(LAYOUTS[name]), maxEntries: 2 * keys });
  host.pin("/sections", map);
  const readers = team.startAll(host, "toggle", threads, () => ({ inside }));
  await Promise.all(readers.map((member) => member.ready));
  const [writes] = await team.results([team.start(host, "write", { type, name, keys, ms })]);
  stop(team.control);
  await team.results(readers);
  verified(host, "at the end");
  const { splits } = map.stats();
  host.close();
  return { writes, splits };
}

/** Sections of up to `inside` steps of a loop, with pauses between them. */
export function toggle({ host, random, control }, { inside }) {
  const spin = (steps) => {
    for (let i = random.below(steps); i > 0; i--) Atomics.load(control, FREE);
  };
  while (!stopped(control)) {
    host.section(() => spin(inside));
    spin(300);
  }
}

export function write({ host, random }, { type, name, keys, ms }) {
  const layout = LAYOUTS[name];
  const map = host.open("/sections", { type, ...codecs(layout) });
  const model = new Float64Array(keys);
  const end = performance.now() + ms;
  // Looking at everything takes as long as the writes before it.
  const look = Math.max(50, 4 * keys);
  let writes = 0;
  while (performance.now() < end) {
    for (let i = 0; i < look; i++, writes++) {
      const n = random.below(keys);
      const growing = Math.floor(writes / WAVE) % 2 === 0;
      if (random.chance(growing ? 70 : 30)) {
        model[n] = 1 + (writes % (layout.limit - 2));
        map.set(layout.keyOf(n), layout.valueFor(n, model[n]));
      } else {
        equal(`delete of key ${n}`, model[n] !== 0, map.delete(layout.keyOf(n)));
        model[n] = 0;
      }
    }
    holds(map, layout, model, `after ${writes} writes`);
  }
  return writes;
}
