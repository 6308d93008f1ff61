// bpfmap on a host that other threads could attach to, used by this thread alone: what the locks cost that nobody else takes.
import { BPFMAP, importCopy } from "./copy.mjs";

export const name = "bpfmap-shared";
export const title = "bpfmap, as the contender bpfmap, on a shared host that has no other thread";
export const anyKeySize = true;

export async function load(context) {
  const copy = await importCopy(BPFMAP);
  return await copy.load({ ...context, shared: true });
}
