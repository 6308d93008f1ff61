// bpfmap with a filter of absent keys: what a get of an absent key saves by it, and what everything else pays for it.
import { BPFMAP, importCopy } from "./copy.mjs";

export const name = "bpfmap-filter";
export const title = "bpfmap, as the contender bpfmap, with a filter of absent keys";

export async function load(context) {
  const copy = await importCopy(BPFMAP);
  return await copy.load({ ...context, absentFilter: true });
}
