/** Calls that encode a key or a value, and what code of the caller's may do meanwhile. */
import type { Batch, Codec, HashMap } from "../../src/index.ts";
import {
  acting,
  Foreign,
  Harm,
  KINDS,
  type Kind,
  lib,
  type Place,
  RECORDS,
  type Row,
  recordOf,
} from "./kit.ts";

/** A map of any kind, for calls of any name: what a kind does not have answers with an error. */
type AnyMap = HashMap<unknown, unknown> & {
  local?: {
    get(key: unknown): unknown;
    lookup(key: unknown): unknown;
    set(key: unknown, value: unknown): void;
    update(key: unknown, value: unknown, flags: number): void;
  };
};

interface Situation {
  readonly place: Place;
  readonly map: AnyMap;
  readonly batch: Batch<unknown, unknown>;
  readonly kind: Kind;
}

const ENTRIES = 12;
const NEW = 40;

/** What a getter of a key or value, or a codec, may do to the library. */
const ACTIONS: Readonly<Record<string, (situation: Situation) => void>> = {
  "closes the map": ({ map, place }) => {
    map.close();
    place.refill();
  },
  "closes the batch": ({ batch, place }) => {
    batch.close();
    place.refill();
  },
  "makes memory grow": ({ place }) => place.refill(),
  "closes the host": ({ place }) => place.host.close(),
  "freezes the map": ({ map }) => map.freeze(),
  "clears the map": ({ map }) => map.clear(),
  "calls the map": ({ map, kind }) => {
    map.set(kind.keyOf(NEW + 1), kind.valueOf(1));
    map.get(kind.keyOf(3));
    map.lookupMany([kind.keyOf(3)]);
  },
  "calls another map": ({ place }) => {
    const other = place.open(
      place.host.createMap({ type: "hash", key: lib.u32, value: lib.u32, maxEntries: 8 }),
    );
    other.set(1, 2);
    other.lookupMany([1, 2, 3]);
  },
  "calls host.bpf": ({ place }) => place.host.bpf(2, new Uint8Array(32)),
  throws: () => {
    throw new Foreign("of the caller's");
  },
};

/** The calls that encode a key or a value. */
const CALLS: Readonly<Record<string, (situation: Situation) => void>> = {
  get: ({ map, kind }) => map.get(kind.keyOf(3)),
  set: ({ map, kind }) => {
    map.set(kind.keyOf(NEW), kind.valueOf(9));
    if (!map.closed && map.get(kind.keyOf(NEW)) === undefined && kind.type !== "array") {
      if (kind.type !== "percpu_array") throw new Harm("set: the key is not there");
    }
  },
  "set of a key that is there": ({ map, kind }) => void map.set(kind.keyOf(3), kind.valueOf(9)),
  has: ({ map, kind }) => map.has(kind.keyOf(3)),
  delete: ({ map, kind }) => map.delete(kind.keyOf(3)),
  lookup: ({ map, kind }) => map.lookup(kind.keyOf(3)),
  update: ({ map, kind }) => map.update(kind.keyOf(NEW), kind.valueOf(9), lib.BPF_ANY),
  "update with BPF_EXIST": ({ map, kind }) => map.update(kind.keyOf(3), kind.valueOf(9), lib.BPF_EXIST),
  lookupAndDelete: ({ map, kind }) => map.lookupAndDelete(kind.keyOf(3)),
  nextKey: ({ map, kind }) => map.nextKey(kind.keyOf(3)),
  add: ({ map, kind }) => map.add(kind.keyOf(3), 1),
  "add to a new key": ({ map, kind }) => map.add(kind.keyOf(NEW), 1),
  addMany: ({ map, kind }) => map.addMany([kind.keyOf(3), kind.keyOf(NEW)], [1, 1]),
  lookupMany: ({ map, kind }) => map.lookupMany([kind.keyOf(3), kind.keyOf(4)]),
  "lookupMany to an array": ({ map, kind }) =>
    map.lookupMany([kind.keyOf(3), kind.keyOf(4)], new Uint8Array(2 * valueBytes(map, kind))),
  "lookupMany to a batch": ({ map, kind, batch }) =>
    map.lookupMany([kind.keyOf(3), kind.keyOf(4)], batch.values),
  "batch.set": ({ batch, kind }) => batch.set(1, kind.keyOf(3), kind.valueOf(9)),
  "local.get": ({ map, kind }) => map.local?.get(kind.keyOf(3)),
  "local.lookup": ({ map, kind }) => map.local?.lookup(kind.keyOf(3)),
  "local.set": ({ map, kind }) => map.local?.set(kind.keyOf(3), 9),
  "local.update": ({ map, kind }) => map.local?.update(kind.keyOf(3), 9, lib.BPF_ANY),
};

const PERCPU_ONLY = /^local/;

/** The calls on fields of structs. */
const FIELD_CALLS: Readonly<Record<string, (situation: Situation) => void>> = {
  "field.get": ({ map, kind }) => {
    // The code may have cleared the map, or written a key anew.
    const q = map.field("q").get(kind.keyOf(3));
    if (q !== undefined && q !== 3 && q !== 0) throw new Harm(`field.get: ${q}`);
  },
  "field.get of bytes": ({ map, kind }) => map.field("note").get(kind.keyOf(3)),
  "field.set": ({ map, kind }) => map.field("q").set(kind.keyOf(3), 4),
  "field.set of bytes": ({ map, kind }) => map.field("note").set(kind.keyOf(3), new Uint8Array(20).fill(9)),
  "field.set of a new key": ({ map, kind }) => {
    if (map.field("q").set(kind.keyOf(NEW), 4) !== kind.type.endsWith("array")) {
      throw new Harm("field.set: another answer");
    }
  },
  "field.add": ({ map, kind }) => map.field("q").add(kind.keyOf(3), -1 as never),
  "field.add to a new key": ({ map, kind }) => map.field("n").add(kind.keyOf(NEW), 1 as never),
  addFields: ({ map, kind }) => map.addFields(kind.keyOf(3), { n: 1, q: -1 }),
  "addFields to a new key": ({ map, kind }) => map.addFields(kind.keyOf(NEW), { q: 1, n: -1 }),
};

/** Runs code where the value is a struct: while its bytes are encoded. */
function actingRecord(act: () => void): Codec<never> {
  return recordOf(acting(lib.bytes(20), act)) as unknown as Codec<never>;
}

function valueBytes(map: AnyMap, { type }: Kind): number {
  const { valueSize } = map.info;
  return type.startsWith("percpu") ? Math.ceil(valueSize / 8) * 8 * 2 : valueSize;
}

function situationOf(
  place: Place,
  kind: Kind,
  part: "key" | "value",
  act: (situation: Situation) => void,
): Situation {
  let armed: Situation | undefined;
  const acts = () => {
    const situation = armed;
    armed = undefined;
    if (situation !== undefined) act(situation);
  };
  const isRecord = part === "value" && RECORDS.includes(kind);
  const codec = isRecord ? actingRecord(acts) : acting(kind[part], acts);
  // The index of an array is a u32 and nothing else.
  const key = part === "key" ? codec : kind.key;
  const map = place.open(
    place.host.createMap({
      type: kind.type,
      key,
      value: part === "value" ? codec : kind.value,
      maxEntries: 64,
    }),
  ) as unknown as AnyMap;
  for (let n = 0; n < ENTRIES; n++) map.set(kind.keyOf(n), kind.valueOf(n));
  const batch = place.open(map.createBatch(4));
  const situation = { place, map, batch, kind };
  armed = situation;
  return situation;
}

/** All rows: kinds of maps, times calls, times actions. */
export function encodedRows(part: "key" | "value", shared: boolean): Row[] {
  const rows: Row[] = [];
  const add = (kind: Kind, calls: typeof CALLS) => {
    if (part === "key" && kind.type.endsWith("array")) return;
    for (const [call, make] of Object.entries(calls)) {
      if (PERCPU_ONLY.test(call) && !kind.type.startsWith("percpu")) continue;
      for (const [action, act] of Object.entries(ACTIONS)) {
        rows.push({
          name: `${kind.name}: ${call}: ${part} ${action}`,
          shared,
          run: (place) => make(situationOf(place, kind, part, act)),
        });
      }
    }
  };
  for (const kind of KINDS) add(kind, CALLS);
  for (const kind of RECORDS) add(kind, FIELD_CALLS);
  return rows;
}
