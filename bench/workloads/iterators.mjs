// Going over all entries of a small map as programs do: for ... of, forEach, keys, values, entries, beside those of Map.
import { createHost, f64, u32, u53 } from "../../dist/index.js";
import { Fingerprint } from "../data/fingerprint.mjs";
import { keysFrom } from "../data/random.mjs";
import { Entrant } from "../run/entrants.mjs";
import { loopsOf } from "../run/loops.mjs";
import { measureRows } from "../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../run/statistics.mjs";

export const name = "iterators";
export const title = "for ... of, forEach, keys, values, entries";
export const defaultSizes = [500, 5000];
export const options = {};

const MAP = "Map";
/** Small maps are gone over again and again, so that each turn does about as much work. */
const ENTRIES = 200_000;

const LOOPS = {
  insert: ["keys", "for (let i = 0; i < keys.length; i++) map.set(keys[i], i);"],
  values: ["", "let total = 0; for (const value of map.values()) total += value; return total;"],
  keys: ["", "let total = 0; for (const key of map.keys()) total += key; return total;"],
  entries: ["", "let total = 0; for (const [, value] of map) total += value; return total;"],
  forEach: ["", "let total = 0; map.forEach((value) => { total += value; }); return total;"],
  write: ["", "for (const [key, value] of map) map.set(key, value);"],
};

function entrantsOf(size, seed) {
  const host = createHost({ seed });
  const ours = (key, value) => () => host.createMap({ type: "rhash", key, value, maxEntries: size });
  return [
    new Entrant("u32 to f64", loopsOf(LOOPS, ours(u32, f64))),
    new Entrant("u32 to u53", loopsOf(LOOPS, ours(u32, u53))),
    new Entrant(
      MAP,
      loopsOf(LOOPS, () => new Map()),
    ),
  ];
}

export async function run(context) {
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const keys = keysFrom(0, size);
    const all = { operations: size, passes: Math.ceil(ENTRIES / size), needs: "full", leaves: "full" };
    const values = (size * (size - 1)) / 2;
    const rows = [
      { operation: "values()", method: "values", expected: values, ...all },
      { operation: "keys()", method: "keys", expected: keys.reduce((sum, key) => sum + key, 0), ...all },
      { operation: "entries", method: "entries", expected: values, ...all },
      { operation: "forEach", method: "forEach", expected: values, ...all },
      { operation: "entries, each set", method: "write", ...all },
    ];
    fingerprint.add(size, keys, ...rows.flatMap(({ operation, expected = "" }) => [operation, expected]));
    const list = await measureRows({ size, entrants: entrantsOf(size, context.seed), rows, keys }, context);
    measurements.push(...list);
    notes.push(...notesOf(size, list));
  }
  return {
    unit: "ns",
    parameters: {},
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [...notes, "per entry"],
  };
}

/** Each way beside the one that most programs take with a Map. */
function notesOf(size, list) {
  const of = (operation, contender) => roundsOf(list, operation, contender);
  const base = of("entries", MAP);
  if (base === undefined) return [];
  return ["u32 to f64", "u32 to u53"].flatMap((contender) => {
    const times = ["values()", "forEach", "entries"].flatMap((operation) => {
      const rounds = of(operation, contender);
      return rounds === undefined
        ? []
        : `${operation} ${summarise(ratios(rounds, base, "ns")).median.toFixed(2)}`;
    });
    return times.length === 0
      ? []
      : `${contender}, ${size} entries, in times of Map's entries: ${times.join(", ")}`;
  });
}
