import { expect, test } from "vitest";
import type { Codec, HashMap } from "../../src/index.ts";
import { bySize } from "../support/size.ts";
import { Harm, liar, lib, type Place, type Row, resizable, tryRows } from "./kit.ts";

const { BPF_ANY, bytes, cstring, struct, u32, u53, u64 } = lib;

type AnyMap = HashMap<unknown, unknown>;

/** Arrays that are not what they say, of 24 bytes where they are checked. */
const ARRAYS: Readonly<Record<string, () => Uint8Array>> = {
  "longer than it says": () => liar(20_000, 24),
  "shorter than it says": () => liar(3, 24),
  "with a length that changes": () => {
    let asked = 0;
    return Object.defineProperty(new Uint8Array(20_000).fill(0xee), "length", {
      get: () => (asked++ === 0 ? 24 : 20_000),
    });
  },
  "an object with its prototype": () => {
    const object = Object.create(Uint8Array.prototype);
    let asked = 0;
    return Object.defineProperties(object, { length: { get: () => (asked++ < 2 ? 24 : 20_000) } });
  },
  "a Proxy": () => {
    let asked = 0;
    return new Proxy(new Uint8Array(20_000), {
      get: (target, name) =>
        name === "length" ? (asked++ < 2 ? 24 : 20_000) : Reflect.get(target, name, target),
    });
  },
  detached: () => {
    const array = new Uint8Array(24);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  },
  "outside of its buffer": () => {
    const buffer = resizable(48);
    const array = new Uint8Array(buffer, 24, 24);
    buffer.resize(10);
    return array;
  },
  "of a subclass": () =>
    new (class extends Uint8Array {
      override subarray(): Uint8Array<ArrayBuffer> {
        return new Uint8Array(20_000).fill(0xee);
      }
      override slice(): Uint8Array<ArrayBuffer> {
        return new Uint8Array(20_000).fill(0xee);
      }
      override set(): void {}
    })(24),
};

function mapOf(
  place: Place,
  key: Codec<never>,
  value: Codec<never>,
  type: "hash" | "rhash" = "hash",
): AnyMap {
  const map = place.open(place.host.createMap({ type, key, value, maxEntries: 64 })) as unknown as AnyMap;
  place.refill();
  return map;
}

const run = bytes(24) as unknown as Codec<never>;
const word = u32 as unknown as Codec<never>;

/** The calls that take an array of 24 bytes. */
const CALLS: Readonly<Record<string, (place: Place, array: Uint8Array) => void>> = {
  "set of a key": (place, array) => mapOf(place, run, word).set(array, 1),
  "get of a key": (place, array) => mapOf(place, run, word).get(array),
  "has of a key": (place, array) => mapOf(place, run, word).has(array),
  "delete of a key": (place, array) => mapOf(place, run, word).delete(array),
  "add to a key": (place, array) => mapOf(place, run, word, "rhash").add(array, 1),
  "nextKey of a key": (place, array) => mapOf(place, run, word).nextKey(array),
  "lookupAndDelete of a key": (place, array) => mapOf(place, run, word).lookupAndDelete(array),
  "set of a value": (place, array) => mapOf(place, word, run).set(1, array),
  "update of a value": (place, array) => mapOf(place, word, run).update(1, array, BPF_ANY),
  "set of a value in an array": (place, array) => {
    const map = place.host.createMap({ type: "array", key: u32, value: bytes(24), maxEntries: 4 });
    place.open(map);
    place.refill();
    map.set(3, array);
  },
  "set of a part of a value": (place, array) => {
    mapOf(place, word, struct({ a: u32, b: bytes(24) }) as unknown as Codec<never>).set(1, {
      a: 1,
      b: array,
    });
  },
  "set of a slot": (place, array) => {
    const map = place.host.createMap({ type: "percpu_hash", key: u32, value: bytes(24), maxEntries: 4 });
    place.open(map);
    place.refill();
    map.local.set(3, array);
  },
  "batch.set": (place, array) => {
    const batch = place.open(mapOf(place, run, word).createBatch(2));
    place.refill();
    batch.set(1, array, 1);
  },
  "lookupMany of keys": (place, array) => mapOf(place, word, word).lookupMany(array),
  "lookupMany to values": (place, array) =>
    mapOf(place, word, word).lookupMany([1, 2, 3, 4, 5, 6], array as never),
  "addMany of keys": (place, array) =>
    mapOf(place, word, word, "rhash").addMany(array, [1, 1, 1, 1, 1, 1] as never),
  "addMany of deltas": (place, array) => {
    const deltas = Array.from({ length: array.length }, () => 1);
    mapOf(place, bytes(1) as unknown as Codec<never>, word, "rhash").addMany(array, deltas as never);
  },
  "kv.put": (place, array) => {
    const store = place.open(place.host.createKvStore({ maxKeys: 8, maxPages: 1 }));
    store.put(1, array);
    place.refill();
    store.put(1, array);
  },
  "kv.put over a value": (place, array) => {
    const store = place.open(place.host.createKvStore({ maxKeys: 8, maxPages: 1 }));
    for (let key = 0; key < 8; key++) store.put(key, new Uint8Array(24).fill(key));
    store.put(1, array);
    for (const key of [0, 2, 3, 4, 5, 6, 7]) {
      if (!store.get(key)?.every((byte) => byte === key)) throw new Harm(`value ${key} is another one`);
    }
  },
  "kv.copy": (place, array) => {
    const store = place.open(place.host.createKvStore({ maxKeys: 8, maxPages: 1 }));
    store.put(1, new Uint8Array(24).fill(7));
    store.copy(1, array);
  },
  "pair.set": (place, array) => {
    const manifest = { pairs: { a: { codec: bytes(24) }, b: { codec: bytes(24) } } };
    const store = place.open(place.host.createKvStore({ manifest }));
    store.pair("a").set(array);
    if (
      !store
        .pair("b")
        .get()
        .every((byte) => byte === 0)
    )
      throw new Harm("another pair has changed");
  },
  "seq.write": (place, array) => {
    const map = mapOf(place, word, word);
    map.set(1, 1);
    const iterator = place.open(
      map.iterator({ show: (seq, entry) => void (entry && seq.write(array)), bufferSize: 30 }),
    );
    while (iterator.read() !== undefined);
  },
  "a program's parameter": (place, array) => {
    const map = mapOf(place, word, word);
    const params = { sought: bytes(24), other: bytes(24) };
    const program = lib.program(map as never, (() => lib.ACT_KEEP) as never, { params }) as unknown as {
      params: { sought: Uint8Array; other: Uint8Array };
      close(): void;
    };
    place.open(program);
    place.refill();
    program.params.sought = array;
    if (!program.params.other.every((byte) => byte === 0)) throw new Harm("another parameter has changed");
  },
  "a cursor of process": (place, array) => {
    const map = mapOf(place, word, word);
    map.process({ filter: () => lib.ACT_KEEP, cursor: { position: 0, behind: 5, seen: array } });
  },
  "host.bpf": (place, array) => place.host.bpf(1, array),
};

const TEXTS: Readonly<Record<string, unknown>> = {
  "a String object": Object("x".repeat(20_000)),
  "an object with toString": { length: 3, toString: () => "x".repeat(20_000) },
  "longer in bytes": "\u{1f600}".repeat(6),
  "a lone surrogate": "x\ud800",
};

function arrayRows(): Row[] {
  const rows: Row[] = [];
  for (const [i, [call, make]] of Object.entries(CALLS).entries()) {
    for (const [j, [name, array]] of Object.entries(ARRAYS).entries()) {
      // The small size has each call with half of the arrays on each kind of host.
      for (const shared of bySize([(i + j) % 2 === 1], [false, true])) {
        rows.push({ name: `${call}: an array ${name}`, shared, run: (place) => make(place, array()) });
      }
    }
  }
  for (const [name, text] of Object.entries(TEXTS)) {
    rows.push({
      name: `set of text: ${name}`,
      run: (place) => void mapOf(place, cstring(24) as unknown as Codec<never>, word).set(text, 1),
    });
  }
  return rows;
}

test("arrays of bytes", () => {
  expect(tryRows("arrays of bytes", arrayRows())).toEqual([]);
});

/** What `addFields` adds, with code of the caller's in it. */
const FIELDS: Readonly<
  Record<string, (place: Place, map: HashMap<number, { n: number; q: number }>) => void>
> = {
  "fields that change": (_place, map) => {
    let asked = 0;
    const deltas = Object.defineProperty({ n: 1, q: 0 }, "q", {
      enumerable: true,
      get: () => (asked++ === 0 ? 5 : Number.NaN),
    });
    map.addFields(1, deltas);
    if (map.get(1)?.q !== 5) throw new Harm(`added ${map.get(1)?.q} instead of 5`);
  },
  "fields that close the map": (place, map) => {
    map.addFields(1, {
      get n() {
        map.close();
        place.refill();
        return 1;
      },
    });
  },
  "fields that close the host": (place, map) => {
    map.addFields(1, {
      get q() {
        place.host.close();
        return 1;
      },
    });
  },
  "fields that add fields": (_place, map) => {
    map.addFields(1, {
      n: 1,
      get q() {
        map.addFields(1, { q: 100, n: 200 });
        return 5;
      },
    });
    const { n, q } = map.get(1) ?? {};
    if (n !== 201 || q !== 105) throw new Harm(`added ${n} and ${q}`);
  },
  "fields of a Proxy": (_place, map) => {
    map.addFields(1, new Proxy({ n: 1 }, { ownKeys: () => ["n", "q"], get: () => 2 }));
    if (map.get(1)?.n !== 2) throw new Harm("added something else");
  },
  "a path that is an object": (_place, map) => {
    let asked = 0;
    map.field({ toString: () => (asked++ === 0 ? "n" : "x") } as never);
  },
};

test("fields that are not the same twice", () => {
  const rows: Row[] = [];
  for (const [name, turn] of Object.entries(FIELDS)) {
    for (const shared of [false, true]) {
      rows.push({
        name,
        shared,
        run: (place) => {
          const value = lib.struct({ n: u32, q: u53 });
          const map = place.open(place.host.createMap({ type: "rhash", key: u32, value, maxEntries: 8 }));
          turn(place, map);
        },
      });
    }
  }
  expect(tryRows("fields", rows)).toEqual([]);
});

/** Deltas and keys that are not the same twice. */
const TURNS: Readonly<Record<string, (place: Place, map: AnyMap) => void>> = {
  "deltas that change": (_place, map) => {
    let asked = 0;
    const deltas = Object.defineProperty([1, 1, 1], 1, { get: () => (asked++ === 0 ? 5 : Number.NaN) });
    map.addMany([1, 2, 3], deltas as never);
    if (map.get(2) !== 5) throw new Harm(`added ${map.get(2)} instead of 5`);
  },
  "keys that change": (_place, map) => {
    const keys = Array.from({ length: 9000 }, (_, i) => i % 50);
    let asked = 0;
    Object.defineProperty(keys, 8999, { get: () => (asked++ === 0 ? 49 : "none") });
    map.addMany(keys, keys.map(() => 1) as never);
  },
  "keys of a length that changes": (_place, map) => {
    let asked = 0;
    const keys = new Proxy([1, 2, 3], {
      get: (target, name) => (name === "length" ? (asked++ === 0 ? 3 : 3000) : Reflect.get(target, name)),
    });
    if (map.lookupMany(keys) !== 0 || map.found(2)) throw new Harm("found what is not there");
  },
  "deltas of another length": (_place, map) => {
    let asked = 0;
    const deltas = new Proxy([1, 1, 1], {
      get: (target, name) => (name === "length" ? (asked++ === 0 ? 3 : 9000) : Reflect.get(target, name)),
    });
    map.addMany([1, 2, 3], deltas as never);
  },
  "deltas that close the map": (place, map) => {
    const deltas = Object.defineProperty([1, 1, 1], 1, {
      get: () => {
        map.close();
        place.refill();
        return 1;
      },
    });
    map.addMany([1, 2, 3], deltas as never);
  },
  "deltas of objects": (_place, map) => {
    map.addMany([1, 2], [1, { valueOf: () => 1 }] as never);
  },
  "options that close the map": (place, map) => {
    const options = {
      get field() {
        map.close();
        place.refill();
        return "value";
      },
    };
    map.add(1, 1 as never, options as never);
  },
  "options of addMany that close the map": (place, map) => {
    const options = {
      get field() {
        map.close();
        place.refill();
        return "value";
      },
    };
    map.addMany([1], [1] as never, options as never);
  },
  "values that lie over the keys": (place, map) => {
    for (let i = 0; i < 50; i++) map.set(i, i + 100);
    const array = place.open(
      place.host.createMap({ type: "array", key: u32, value: u64, maxEntries: 12_000 }),
    );
    const view = array.view(Uint32Array);
    for (let i = 0; i < 20_000; i++) view[i] = i % 50;
    const hits = map.lookupMany(view.subarray(0, 10_000), view.subarray(1, 10_001));
    if (hits !== 10_000) throw new Harm(`found ${hits} of 10000`);
  },
  "keys that are the map's own values": (place, map) => {
    for (let i = 0; i < 50; i++) map.set(i, i);
    const address = map.lookup(7);
    const own = place.host.u32.subarray(address >>> 2, (address >>> 2) + 16);
    map.addMany(own as never, Array.from(own, () => 1) as never);
  },
};

test("arrays that are not the same twice", () => {
  const rows: Row[] = [];
  for (const [name, turn] of Object.entries(TURNS)) {
    for (const shared of [false, true]) {
      for (const value of [u32, u53]) {
        const codec = value as unknown as Codec<never>;
        rows.push({
          name: `${value.name}: ${name}`,
          shared,
          run: (place) => {
            const map = place.open(
              place.host.createMap({ type: "rhash", key: u32, value: codec, maxEntries: 20_000 }),
            );
            turn(place, map as unknown as AnyMap);
          },
        });
      }
    }
  }
  expect(tryRows("arrays that change", rows)).toEqual([]);
});
