// The fastest hunt for torn values: readers do nothing but `get` and lookupMany of u53s whose high part is made from the low one, while
// writers overwrite, delete and insert the same few keys. For numbers of reads that the hunt of torn.mjs would need hours for.
import { createHost, u32, u53 } from "bpfmap";
import { verified } from "../kit/check.mjs";
import { stop, stopped } from "../kit/control.mjs";

const HIGH = 2 ** 21;
const SPEC = { type: "rhash", key: u32, value: u53 };
/** Reads between two looks at the control words. */
const STRIDE = 100_000;

const made = (word) => (word % HIGH) * 2 ** 32 + word;

export async function run(team, { keys, writers, readers, reads }) {
  const host = createHost({
    shared: true,
    cpus: writers + readers + 1,
    seed: team.seed,
    maxMemory: 64 << 20,
  });
  const map = host.createMap({ ...SPEC, name: "hunt", maxEntries: keys });
  host.pin("/hunt", map);
  const args = { keys, reads: Math.ceil(reads / readers) };
  const writing = team.startAll(host, "write", writers, () => args);
  const found = await team.results(team.startAll(host, "read", readers, () => args));
  stop(team.control);
  const written = await team.results(writing);
  verified(host, "at the end");
  host.close();
  const sum = (counts) => counts.reduce((a, b) => a + b);
  return { reads: sum(found), writes: sum(written) };
}

/** Until the readers are done. Answers how many values it wrote. */
export function write({ host, random, control }, { keys }) {
  const map = host.open("/hunt", SPEC);
  let writes = 0;
  while (!stopped(control)) {
    for (let i = 0; i < 1000; i++, writes++) {
      const key = random.below(keys);
      if (random.below(16) === 0) map.delete(key);
      else map.set(key, made(random.next()));
    }
  }
  return writes;
}

/** Until it has read `reads` values that were there. Answers how many. */
export function read({ host }, { keys, reads }) {
  const map = host.open("/hunt", SPEC);
  const some = Uint32Array.from({ length: 256 }, (_, i) => i % keys);
  const values = new BigUint64Array(some.length);
  const many = new Uint32Array(values.buffer);
  let seen = 0;
  while (seen < reads) {
    for (let i = 0; i < STRIDE; i++) {
      const value = map.get(i % keys);
      if (value === undefined) continue;
      seen++;
      const high = Math.floor(value / 2 ** 32);
      if (high !== (value - high * 2 ** 32) % HIGH) throw new Error(`torn value: ${value}`);
    }
    for (let i = 0; i < 400; i++) {
      map.lookupMany(some, values);
      for (let at = 0; at < many.length; at += 2) {
        if (many[at + 1] !== many[at] % HIGH) throw new Error(`torn value: ${many[at]}, ${many[at + 1]}`);
        if (many[at] !== 0) seen++;
      }
    }
  }
  return seen;
}
