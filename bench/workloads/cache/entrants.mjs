import { Entrant } from "../../run/entrants.mjs";
import { loopsOf } from "../../run/loops.mjs";

/**
 * An entrant for each cache that takes keys of this kind.
 *
 * @param {object[]} caches
 * @param {import("../../data/cache_keys.mjs").KeyKind} kind
 * @param {number} capacity
 * @param {Record<string, [string, string]>} loops as for `loopsOf`
 */
export function cacheEntrants(caches, kind, capacity, loops, skip) {
  const entrants = [];
  for (const { name, kinds = [kind], mostEntries = Infinity, ownLoops = false, open } of caches) {
    if (!kinds.includes(kind)) skip(name, `has no keys that are ${kind}`);
    else if (capacity > mostEntries) skip(name, `takes at most ${mostEntries} entries here`);
    else entrants.push(new Entrant(name, ownLoops ? open : loopsOf(loops, open), { capacity, kind }));
  }
  return entrants;
}
