// Elements of an array through each way to them, before and after it has grown, beside a plain Float64Array and an array of JavaScript.
import { createHost, f64, u32 } from "../../dist/index.js";
import { Fingerprint } from "../data/fingerprint.mjs";
import { Entrant } from "../run/entrants.mjs";
import { measureRows } from "../run/rounds.mjs";
import { ratios, roundsOf, summarise } from "../run/statistics.mjs";

export const name = "array-view";
export const title = "elements of an array: get and set, views, addresses";
export const defaultSizes = [1000, 100_000, 1_000_000];
export const options = {};

/** Small arrays are gone over again and again, so that each turn does about as much work. */
const ELEMENTS = 1_000_000;
/** An array that has grown began with so many elements, and grew by this factor at a time. */
const FIRST = 8;
const FACTOR = 2;

const TYPED = "Float64Array";
const OURS = "bpfmap";
const GROWN = "bpfmap, grown";

/** An array map of f64. Its loops are what a user writes. */
class MapSubject {
  constructor({ host, size, grown }) {
    const first = grown ? Math.min(FIRST, size) : size;
    this.map = host.createMap({ type: "array", key: u32, value: f64, maxEntries: first });
    for (let length = first; length < size; ) {
      length = Math.min(size, length * FACTOR);
      this.map.grow(length);
    }
    this.addresses = Uint32Array.from({ length: size }, (_, i) => this.map.lookup(i) >>> 3);
    this.delta = 1;
  }

  insert(keys) {
    const { map } = this;
    for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
  }

  get(size) {
    const { map } = this;
    let total = 0;
    for (let i = 0; i < size; i++) total += map.get(i);
    return total;
  }

  set(size) {
    const { map } = this;
    for (let i = 0; i < size; i++) map.set(i, i);
  }

  sumView() {
    let total = 0;
    for (const { view } of this.map.views(Float64Array)) {
      for (let i = 0; i < view.length; i++) total += view[i];
    }
    return total;
  }

  /** Passes come in pairs, of which the second takes back what the first did. */
  addView() {
    const { delta } = this;
    for (const { view } of this.map.views(Float64Array)) {
      for (let i = 0; i < view.length; i++) view[i] += delta;
    }
    this.delta = -delta;
  }

  sumAddresses() {
    const { addresses } = this;
    const { f64: memory } = this.map.host;
    let total = 0;
    for (let i = 0; i < addresses.length; i++) total += memory[addresses[i]];
    return total;
  }

  close() {
    this.map.close();
  }
}

/** The loops over one array, which all ways to elements come down to; made anew for each kind of array, since V8 learns by loop. */
const plainClass = () =>
  class {
    constructor(values) {
      this.values = values;
      this.delta = 1;
    }

    insert(keys) {
      const { values } = this;
      for (let i = 0; i < keys.length; i++) values[keys[i]] = i;
    }

    get(size) {
      const { values } = this;
      let total = 0;
      for (let i = 0; i < size; i++) total += values[i];
      return total;
    }

    set(size) {
      const { values } = this;
      for (let i = 0; i < size; i++) values[i] = i;
    }

    sumView(size) {
      return this.get(size);
    }

    addView() {
      const { values, delta } = this;
      for (let i = 0; i < values.length; i++) values[i] += delta;
      this.delta = -delta;
    }

    sumAddresses(size) {
      return this.get(size);
    }

    close() {}
  };
const TypedSubject = plainClass();
const JsSubject = plainClass();

function entrantsOf(size, host) {
  return [
    new Entrant(OURS, () => new MapSubject({ host, size, grown: false })),
    new Entrant(GROWN, () => new MapSubject({ host, size, grown: true })),
    new Entrant(TYPED, () => new TypedSubject(new Float64Array(size))),
    new Entrant("js-array", () => new JsSubject(Array.from({ length: size }, () => 0.5))),
  ];
}

export async function run(context) {
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    if (context.stopped) break;
    const host = createHost({ seed: context.seed });
    const keys = Uint32Array.from({ length: size }, (_, i) => i);
    const passes = 2 * Math.ceil(ELEMENTS / size / 2);
    const all = { input: size, operations: size, passes, needs: "full", leaves: "full" };
    const expected = (size * (size - 1)) / 2;
    const rows = [
      { operation: "get", method: "get", expected, ...all },
      { operation: "set", method: "set", ...all },
      { operation: "sum over views", method: "sumView", expected, ...all },
      { operation: "add over views", method: "addView", ...all },
      { operation: "sum through addresses", method: "sumAddresses", expected, ...all },
    ];
    fingerprint.add(size, keys, ...rows.map(({ operation }) => operation));
    const list = await measureRows({ size, entrants: entrantsOf(size, host), rows, keys }, context);
    measurements.push(...list);
    notes.push(...rows.flatMap(({ operation }) => ratiosOf(operation, size, list)));
    host.close();
  }
  return {
    unit: "ns",
    parameters: { grown: `from ${FIRST}, by ${FACTOR} at a time` },
    fingerprint: `${fingerprint}`,
    measurements,
    notes: [
      ...notes,
      "per element; the arrays without views and addresses do the same loop over their one array",
    ],
  };
}

/** What a way costs beside the plain typed array, and what growth costs. */
function ratiosOf(operation, size, list) {
  const of = (name) => roundsOf(list, operation, name);
  const [ours, grown, typed] = [OURS, GROWN, TYPED].map(of);
  if (ours === undefined || grown === undefined || typed === undefined) return [];
  const times = (a, b) => summarise(ratios(a, b, "ns")).median.toFixed(2);
  return [
    `${operation}, ${size} elements: ${times(ours, typed)} times a Float64Array; grown ${times(grown, typed)} times, ${times(grown, ours)} times one that has not grown`,
  ];
}
