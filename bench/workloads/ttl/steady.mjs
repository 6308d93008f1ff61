// Steady inserts into a map whose entries expire: what an insert costs, and how many entries are dead and still there.
import { moveOn } from "../../contenders/caches/clock.mjs";
import { TTL } from "../../contenders/caches/expiring.mjs";
import { mix } from "../../data/random.mjs";

/** While the clock moves on by this many ttls; the first is there to fill the map. */
const TTLS = 8;
/** In a ttl, half as many keys come as the map has room for; the clock moves on so many times. */
const MOVES = 32;

/**
 * @param {object[]} maps
 * @param {number} size entries that a map has room for
 * @returns {object[]} measurements
 */
export function steadyInserts(maps, size, { rounds, progress }) {
  const perMove = Math.floor(size / 2 / MOVES);
  const runs = maps.map(({ name, open, tick }) => {
    const list = [];
    for (let round = 0; round < rounds; round++) {
      progress(`steady inserts, ${size} entries, ${name}: round ${round + 1} of ${rounds}`);
      list.push(insertSteadily(open({ capacity: size, precise: true }), tick, perMove, size));
    }
    return { name, list };
  });
  const row = (operation, unit, of) =>
    runs.map(({ name: contender, list }) => ({ size, operation, contender, unit, rounds: list.map(of) }));
  return [
    ...row("steady inserts", "ns", ({ ns }) => ns),
    ...row("steady inserts, dead entries, of those there is room for", "%", ({ dead }) => 100 * dead),
    ...row("steady inserts, dead entries at most", "%", ({ most }) => 100 * most),
  ];
}

function insertSteadily(map, tick, perMove, size) {
  let next = 0;
  let ns = 0;
  let sum = 0;
  let most = 0;
  for (let move = 0; move < TTLS * MOVES; move++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < perMove; i++) map.set(mix(next++), next);
    ns += Number(process.hrtime.bigint() - start);
    const dead = (map.size - Math.min(move + 1, MOVES) * perMove) / size;
    if (move >= MOVES) sum += dead;
    most = Math.max(most, dead);
    moveOn(TTL / MOVES);
    tick();
  }
  map.close?.();
  return { ns: ns / next, dead: sum / (TTLS * MOVES - MOVES), most };
}
