// Numbers as values, and structs by their fields, by the kind of key.
import { bytes, createHost, f64, struct, u32, u53 } from "../../dist/index.js";
import { Fingerprint } from "../data/fingerprint.mjs";
import { draws, keysFrom, Random } from "../data/random.mjs";
import { Entrant } from "../run/entrants.mjs";
import { loopsOf } from "../run/loops.mjs";
import { measureRows } from "../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../run/statistics.mjs";

export const name = "fields";
export const title = "numbers, structs and fields of structs, by the kind of key";
export const defaultSizes = [500];
export const options = {};

/** A pass of calls. */
const CALLS = 20_000;
const VALUE = struct({ seen: u32, state: u32, packets: u53, rate: f64 });

const KEYS = {
  u32: [u32, (word) => word],
  u53: [u53, (word) => word * 4096 + 1],
  "two u32": [struct({ address: u32, port: u32 }), (word) => ({ address: word, port: word & 0xffff })],
  "bytes(16)": [bytes(16), (word) => new Uint8Array(16).fill(word & 255, 4).fill(word >>> 8, 0, 4)],
};

const over = (body) => [
  "keys",
  `let total = 0; for (let i = 0; i < keys.length; i++) { ${body} } return total;`,
];
const LOOPS = {
  get: over("total += map.numbers.get(keys[i]);"),
  fieldGet: over("total += map.packets.get(keys[i]);"),
  structGet: over("total += map.structs.get(keys[i]).packets;"),
  set: over("map.numbers.set(keys[i], i);"),
  fieldSet: over("map.packets.set(keys[i], i);"),
  add: over("map.numbers.add(keys[i], 1);"),
  fieldAdd: over("map.packets.add(keys[i], 1);"),
  addFields: over("map.structs.addFields(keys[i], { seen: 1, packets: i });"),
};

/** Both kinds of values under the same keys. */
function open(host, key, size) {
  const spec = { type: "rhash", key, maxEntries: size };
  const structs = host.createMap({ ...spec, value: VALUE });
  return { numbers: host.createMap({ ...spec, value: u53 }), structs, packets: structs.field("packets") };
}

/** Its loops go over keys of its own, which are no input of the rows. */
class Subject {
  constructor(host, [key, keyOf], words, indices) {
    const keys = Array.from(words, keyOf);
    const queries = Array.from(indices, (i) => keys[i]);
    const map = open(host, key, keys.length);
    const loops = loopsOf(LOOPS, () => map)();
    for (const loop of Object.keys(LOOPS)) this[loop] = () => loops[loop](queries);
    this.insert = () => {
      keys.forEach((each, i) => {
        map.numbers.set(each, i);
        map.structs.set(each, { seen: 0, state: 1, packets: i, rate: 0.5 });
      });
    };
  }

  /** Values that were written are set back by the next `insert`. */
  remove() {}

  close() {}
}

export async function run(context) {
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const host = createHost({ seed: context.seed });
    const words = keysFrom(0, size);
    const indices = draws(CALLS, size, new Random(context.seed, 1));
    const entrants = Object.entries(KEYS).map(
      ([kind, key]) => new Entrant(kind, () => new Subject(host, key, words, indices)),
    );
    const expected = indices.reduce((sum, i) => sum + i, 0);
    const read = { operations: CALLS, passes: 5, needs: "full", leaves: "full", expected };
    const write = { operations: CALLS, passes: 5, needs: "full", leaves: "empty" };
    const rows = [
      { operation: "get of a number", method: "get", ...read },
      { operation: "field.get", method: "fieldGet", ...read },
      { operation: "get of a struct, a field of it", method: "structGet", ...read },
      { operation: "set of a number", method: "set", ...write },
      { operation: "field.set", method: "fieldSet", ...write },
      { operation: "add to a number", method: "add", ...write },
      { operation: "field.add", method: "fieldAdd", ...write },
      { operation: "addFields, two fields", method: "addFields", ...write },
    ];
    fingerprint.add(size, words, indices, ...rows.map(({ operation }) => operation));
    const list = await measureRows({ size, entrants, rows, keys: words }, context);
    measurements.push(...list);
    notes.push(...notesOf(size, list));
    host.close();
  }
  return { unit: "ns", parameters: {}, fingerprint: `${fingerprint}`, measurements, notes };
}

function notesOf(size, list) {
  const of = (operation, contender) => roundsOf(list, operation, contender);
  const times = (a, b) => (a && b ? summarise(ratios(a, b, "ns")).median.toFixed(2) : "?");
  const number = (kind) => of("get of a number", kind);
  return [
    `${size} entries, field.get in times of the get of a number: ${Object.keys(KEYS)
      .map((kind) => `${kind} ${times(of("field.get", kind), number(kind))}`)
      .join(", ")}`,
    `${size} entries, the get of a number by a key of two u32, in times of that by a u53: ${times(number("two u32"), number("u53"))}`,
  ];
}
