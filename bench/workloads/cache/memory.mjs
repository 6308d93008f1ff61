// Bytes per entry of full caches: what ours and the kernel say, and what V8's heap has more with one of the others in a fresh process.
import { Fingerprint } from "../../data/fingerprint.mjs";
import { runChild } from "../../run/run_child.mjs";

const KINDS = { u32: "u32 keys", text: "strings of 13 bytes" };
const MOST_ROUNDS = 3;
/** A young generation of constant size: it would grow by megabytes meanwhile, with the garbage of any loop. */
const FLAGS = ["--max-semi-space-size=1"];

export async function measureMemory(caches, context) {
  const rounds = Math.min(context.rounds, MOST_ROUNDS);
  const measurements = [];
  for (const size of context.sizes) {
    for (const [kind, keys] of Object.entries(KINDS)) {
      for (const { name, kinds = [kind], mostEntries = Infinity } of caches) {
        if (context.stopped || !kinds.includes(kind) || size > mostEntries) continue;
        context.progress(`bytes of ${name}, ${size} entries, ${keys}`);
        const task = { name, kind, size, seed: context.seed };
        const runs = [];
        for (let round = 0; round < rounds; round++)
          runs.push(await runChild("cache_memory.mjs", task, { flags: FLAGS }));
        // Ctrl-C ends a child, too.
        if (runs.includes(undefined)) continue;
        measurements.push({
          size,
          operation: `bytes, ${keys}`,
          contender: name,
          unit: "bytes/entry",
          rounds: runs,
        });
      }
    }
  }
  return { fingerprint: new Fingerprint().add(...context.sizes), measurements, notes: NOTES };
}

const NOTES = [
  "bytes: what bpfmap and the kernel say of their map; of the others what V8's heap and its buffers grow by, with the strings that " +
    "they keep",
];
