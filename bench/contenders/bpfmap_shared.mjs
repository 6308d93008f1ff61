// bpfmap on a host that other threads could attach to, used by this thread alone: what the locks cost that nobody else takes.
import { importCopy } from "./copy.mjs";

export const name = "bpfmap-shared";
export const title = "bpfmap, as the contender bpfmap, on a shared host that has no other thread";
export const anyKeySize = true;

/** What the contender imports, itself included. */
const FILES = [
  "bench/contenders/bpfmap.mjs",
  "bench/contenders/bench_host.mjs",
  "bench/contenders/bpfmap_bytes.mjs",
  "bench/data/sum.mjs",
  "bench/data/key_bytes.mjs",
  "dist",
];

export async function load(context) {
  const copy = await importCopy(FILES);
  return await copy.load({ ...context, shared: true });
}
