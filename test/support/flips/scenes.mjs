import {
  HOST_CLOCK,
  KV_ENTRY_BYTES,
  KV_FIELD,
  KV_HIGH_PAGE,
  KV_LOW_PAGE,
  KV_LOW_PAGE_BITS,
  KV_OFFSET,
  KV_SIZE,
  PLAIN_TABLE_BOOK,
  TABLE_ARRAY_DATA,
  TABLE_ARRAY_SEGMENTS,
  TABLE_BUCKETS,
  TABLE_LANE,
} from "../../../src/generated/abi.js";

// Hosts with something in them, for experiments that damage their memory: one for each way in which a map keeps its entries. Each
// comes with a workload, whose results say whether the damage has changed anything that a caller can see.

/** Of these so many are inserted in a section. */
const LATE = 60;
const ENTRIES = 300;
/** As few as the workload needs, so that the buckets of a table that does not grow have chains, too. */
const MAX_ENTRIES = 420;
const FRESH = 60;
/** Entries that no iterator of these maps yields. */
const ENDLESS = 20_000;

/** @typedef {Record<string, any>} Api what the package exports */
/** @typedef {(what: string, call: () => unknown) => void} Step runs a part of the workload and notes what comes of it */
/**
 * @typedef {object} Scene
 * @property {any} map
 * @property {[start: number, end: number][]} values where values of the map are, whose bytes belong to its user
 * @property {(step: Step) => void} workload
 */

export class Endless extends Error {}

export const mixed = (n) => Math.imul(n, 2654435761) >>> 0;

function* limited(iterable) {
  let count = 0;
  for (const item of iterable) {
    if (++count > ENDLESS) throw new Endless("an iterator goes on and on");
    yield item;
  }
}

function filled(bytes, n) {
  const made = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i++) made[i] = (n >>> (8 * (i & 3))) ^ (i * 37);
  return made;
}

/** Entries in an order that does not depend on that of the map, which a damaged secret changes without doing harm. */
const sorted = (entries) =>
  entries.map((entry) => JSON.stringify(entry, (_, v) => (v instanceof Uint8Array ? [...v] : v))).sort();

/** In the place of a size of keys: texts of many lengths. */
const TEXT = 0;

/** Keys and values by number, for maps of some sizes. */
function sized(api, keySize, valueSize) {
  const keys = {
    [TEXT]: [api.text(100), (n) => `${mixed(n)}`.padEnd(mixed(n) % 45, "é")],
    4: [api.u32, mixed],
  };
  const [key, keyFor] = keys[keySize] ?? [api.bytes(keySize), (n) => filled(keySize, mixed(n))];
  return {
    key,
    keyFor,
    value: valueSize === 8 ? api.u53 : api.bytes(valueSize),
    valueFor: (n) => (valueSize === 8 ? n * 1000 + 7 : filled(valueSize, mixed(n + 1))),
  };
}

/** Where the values of some keys are: of per-CPU values of a shared host, slots that lie apart. */
export function placesOf(host, map, keys) {
  const places = [];
  const { valueBytes, handle, type } = map.table;
  const lane = host.shared && type === "percpu_hash" ? host.word(handle + TABLE_LANE) : 0;
  const slots = lane === 0 ? 1 : host.cpus;
  host.section(() => {
    for (const key of keys) {
      const address = map.lookup(key);
      if (address === 0) continue;
      for (let slot = 0; slot < slots; slot++) {
        const at = address + slot * lane;
        places.push([at, at + valueBytes / slots]);
      }
    }
  });
  return places;
}

function hashScene({ type, keySize, valueSize, flags }) {
  return (api, host) => {
    const { key, value, keyFor, valueFor } = sized(api, keySize, valueSize);
    const cpus = type === "percpu_hash" ? host.cpus : 0;
    const entry = (n) =>
      cpus === 0 ? valueFor(n) : Array.from({ length: cpus }, (_, cpu) => valueFor(n + cpu));
    const map = host.createMap({
      type,
      key,
      value,
      maxEntries: MAX_ENTRIES,
      flags: flags === undefined ? 0 : api[flags],
    });
    for (let n = 0; n < ENTRIES - LATE; n++) map.set(keyFor(n), entry(n));
    for (let n = 0; n < 20; n++) map.delete(keyFor(n));
    // Dead slots and elements, and chains: nothing splits in a section.
    host.section(() => {
      for (let n = ENTRIES - LATE; n < ENTRIES; n++) map.set(keyFor(n), entry(n));
      for (let n = 20; n < 30; n++) map.delete(keyFor(n));
    });
    const numbers = Array.from({ length: ENTRIES }, (_, n) => n);
    const keys = keySize === 4 ? numbers.map(keyFor) : [];
    const values = placesOf(host, map, numbers.map(keyFor));
    const batch = map.createBatch(64);
    return {
      map,
      keys,
      values,
      workload: (step) => hashWork(api, host, map, batch, { keyFor, valueFor: entry }, step),
    };
  };
}

function hashWork(api, host, map, batch, { keyFor, valueFor }, step) {
  const end = ENTRIES + FRESH;
  const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
  const all = range(0, end).map(keyFor);
  step("get", () => all.map((key) => map.get(key)));
  step("has", () => all.map((key) => map.has(key)));
  step("size", () => map.size);
  step("entries", () => sorted([...limited(map.entries())]));
  step("nextKey", () => {
    const keys = [];
    for (let key = map.nextKey(); key !== undefined && keys.length < ENDLESS; key = map.nextKey(key))
      keys.push(key);
    return sorted(keys);
  });
  step("lookupMany", () => [map.lookupMany(all), all.map((_, i) => map.found(i))]);
  step("batches", () => {
    let count = 0;
    for (const part of limited(map.batches({ size: 40 }))) count += part.count;
    return count;
  });
  step("writes in a section", () =>
    host.section(() => {
      for (const n of range(40, 50)) map.delete(keyFor(n));
      for (const n of range(ENTRIES, ENTRIES + 10)) map.set(keyFor(n), valueFor(n));
      return map.size;
    }),
  );
  step("set", () => {
    for (const n of range(ENTRIES, end)) map.set(keyFor(n), valueFor(n));
    for (const n of range(60, 80)) map.set(keyFor(n), valueFor(n));
    return map.size;
  });
  step("updateBatch", () => {
    for (let i = 0; i < 40; i++) batch.set(i, keyFor(end + i), valueFor(end + i));
    batch.count = 40;
    map.updateBatch(batch);
    return map.size;
  });
  if (map.keyCodec.maxBytes === undefined) {
    step("process", () => {
      const filter = ({ key }) => ((key[0] ?? key) % 7 === 0 ? api.ACT_DELETE : api.ACT_KEEP);
      return map.process({ filter });
    });
  }
  step("lookupAndDeleteBatch", () => {
    batch.rewind();
    batch.count = 30;
    const more = map.lookupAndDeleteBatch(batch);
    const taken = [...batch.entries()];
    const left = map.size;
    for (const [key, value] of taken) map.set(key, value);
    return [more, taken.length, left, map.size];
  });
  step("get again", () => all.map((key) => map.get(key)));
  step("delete", () => [range(100, end).map((n) => map.delete(keyFor(n))), map.size]);
  step("deleteBatch", () => {
    for (let i = 0; i < 10; i++) {
      map.set(keyFor(50 + i), valueFor(i));
      batch.set(i, keyFor(50 + i), valueFor(i));
    }
    batch.count = 10;
    map.deleteBatch(batch);
    return map.size;
  });
  step("left", () => sorted([...limited(map.keys())]));
  step("drain", () => [sorted([...limited(map.drain())]), map.size]);
  step("refill", () => {
    for (const n of range(0, 100)) map.set(keyFor(n), valueFor(n));
    return [map.size, sorted([...limited(map.keys())])];
  });
  step("clear", () => {
    map.clear();
    map.set(keyFor(1), valueFor(1));
    return [map.size, map.get(keyFor(1))];
  });
}

/** Bytes of the book of a plain host's table, of the words in it that are hints or counts, and of a record (assembly/table/notes/book.ts). */
const BOOK = { bytes: 64, hints: 32, record: 20 };

/** What a map notes and may be anything: marks and ghosts, clocks, counts. */
function hintsOf({ u32 }, { handle }) {
  const book = u32[(handle + PLAIN_TABLE_BOOK) >>> 2];
  const end = book + BOOK.bytes + BOOK.record * u32[(handle + TABLE_BUCKETS) >>> 2];
  return [
    [HOST_CLOCK, HOST_CLOCK + 8],
    [book, book + 4],
    [book + BOOK.hints, end],
  ];
}

/** ms; the clock stands still in the first half of the workload, and entries without a ttl of their own stay to its end. */
const TTL = 1000;
const SHORT = 50;

/**
 * A map that evicts, or whose entries expire. Which entry an eviction takes may be another after any damage. So what comes of the workload is
 * counted in what must hold: no wrong value, no entry twice, and as many as there should be.
 */
function notedScene({ type, keySize, valueSize, ttl, eviction, evicts = type === "lru_hash" }) {
  return (api, host) => {
    const { key, value, keyFor, valueFor } = sized(api, keySize, valueSize);
    const most = 300;
    const map = host.createMap({ type, key, value, maxEntries: most, ttl, eviction });
    const numbers = Array.from({ length: most + FRESH }, (_, n) => n);
    for (let n = 0; n < most - LATE; n++) map.set(keyFor(n), valueFor(n));
    // These expire in the workload.
    if (ttl !== undefined) for (let n = 0; n < 40; n++) map.set(keyFor(n), valueFor(n), { ttl: SHORT });
    host.section(() => {
      for (let n = most - LATE; n < (evicts ? most + FRESH : most); n++) map.set(keyFor(n), valueFor(n));
      for (let n = 50; n < 60; n++) map.delete(keyFor(n));
    });
    const places = placesOf(host, map, numbers.map(keyFor));
    // With the expiry behind each value.
    const values = places.map(([at, end]) => [at, end + map.table.storedBytes - map.table.valueBytes]);
    const keys = keySize === 4 ? numbers.map(keyFor) : [];
    const batch = map.createBatch(64);
    const noted = { keyFor, valueFor, most, evicts, ttl };
    return {
      map,
      keys,
      values: [...values, ...hintsOf(host, map.table)],
      workload: (step) => notedWork(api, host, map, batch, noted, step),
    };
  };
}

function notedWork(api, host, map, batch, { keyFor, valueFor, most, evicts, ttl }, step) {
  const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
  const text = (x) => JSON.stringify(x, (_, v) => (v instanceof Uint8Array ? [...v] : v));
  const wanted = new Map(range(0, most + 2 * FRESH).map((n) => [text(keyFor(n)), text(valueFor(n))]));
  const all = range(0, most + 2 * FRESH).map(keyFor);
  /** Entries that are not what was written, or come again. */
  const wrong = (entries) => {
    const seen = new Set();
    let count = 0;
    for (const [key, value] of entries) {
      const name = text(key);
      if (wanted.get(name) !== text(value) || seen.has(name)) count++;
      seen.add(name);
    }
    return count;
  };
  /** Of maps that evict: whether there are as many as the size says. */
  const look = () => {
    const entries = [...limited(map.entries())];
    const hits = all.filter((key) => map.get(key) !== undefined).length;
    return [wrong(entries), hits - entries.length, evicts ? 0 : entries.length];
  };
  const write = (n) => {
    map.set(keyFor(n), valueFor(n));
    return map.has(keyFor(n));
  };
  step("look", look);
  step("size", () => map.size);
  step("lookupMany", () => map.lookupMany(all) - all.filter((key) => map.has(key)).length);
  step("batches", () => {
    let bad = 0;
    for (const part of limited(map.batches({ size: 40 }))) bad += wrong(part.entries());
    return bad;
  });
  step("inserts", () => {
    if (!evicts) for (const n of range(100, 100 + FRESH)) map.delete(keyFor(n));
    return [range(most, most + FRESH).map(write), map.size];
  });
  step("time", () => {
    host.tick(host.clock.now() + (ttl === undefined ? 0 : 2 * SHORT));
    return [look(), ttl === undefined ? 0 : range(0, 40).filter((n) => map.has(keyFor(n))).length];
  });
  step("sweep", () => {
    map.sweep(2 ** 32 - 1);
    return evicts ? map.size - [...limited(map.keys())].length : map.size;
  });
  step("updateBatch", () => {
    if (!evicts) for (const n of range(160, 200)) map.delete(keyFor(n));
    for (let i = 0; i < 40; i++) batch.set(i, keyFor(most + FRESH + i), valueFor(most + FRESH + i));
    batch.count = 40;
    map.updateBatch(batch);
    return look();
  });
  if (map.keyCodec.maxBytes === undefined) {
    step("process", () => {
      let bad = 0;
      const filter = (entry) => {
        const { key, value } = entry.copy();
        bad += wrong([[key, value]]);
        return (key[0] ?? key) % 7 === 0 ? api.ACT_DELETE : api.ACT_KEEP;
      };
      const before = map.size;
      const { visited, deleted } = map.process({ filter });
      return [bad, before - visited, before - deleted - map.size];
    });
  }
  step("delete", () => {
    const before = map.size;
    return range(200, 260).filter((n) => map.delete(keyFor(n))).length + map.size - before;
  });
  step("inserts again", () => [range(0, 80).map(write), look()]);
  step("drain", () => {
    const before = map.size;
    const taken = [...limited(map.drain())];
    return [wrong(taken), before - taken.length, map.size];
  });
  step("refill", () => [range(0, 100).map(write), map.size, look()]);
  step("clear", () => {
    map.clear();
    return [write(1), map.size];
  });
}

/**
 * Where an array has the addresses of its values (assembly/arrays/array.ts). Where one leads to other memory in use, aligned as it must be,
 * other values are there, and nothing says that they are not the array's.
 */
function addressesOf({ u32 }, map) {
  const { handle } = map.table;
  const [data, directory, room] = [TABLE_ARRAY_DATA, TABLE_ARRAY_SEGMENTS, TABLE_ARRAY_SEGMENTS + 8];
  const segments = u32[(handle + directory) >>> 2];
  return [
    [handle + data, handle + data + 4],
    [segments, segments + 4 * u32[(handle + room) >>> 2]],
  ];
}

function arrayScene({ type, valueSize, length, grownTo }) {
  return (api, host) => {
    const { value, valueFor } = sized(api, 4, valueSize);
    const cpus = type === "percpu_array" ? host.cpus : 0;
    const entry = (n) =>
      cpus === 0 ? valueFor(n) : Array.from({ length: cpus }, (_, cpu) => valueFor(n + cpu));
    const map = host.createMap({ type, key: api.u32, value, maxEntries: length });
    if (grownTo !== undefined) map.grow(grownTo);
    const indices = Array.from({ length: map.size }, (_, n) => n);
    for (const n of indices) map.set(n, entry(n));
    const values = [...placesOf(host, map, indices), ...addressesOf(host, map)];
    const batch = map.createBatch(64);
    return { map, values, workload: (step) => arrayWork(map, batch, { indices, valueFor: entry }, step) };
  };
}

function arrayWork(map, batch, { indices, valueFor }, step) {
  step("get", () => indices.map((n) => map.get(n)));
  step("size", () => map.size);
  step("entries", () => [...limited(map.entries())]);
  step("lookupMany", () => [map.lookupMany(indices), map.found(0)]);
  step("set", () => {
    for (const n of indices) map.set(n, valueFor(n + 5));
    return map.get(3);
  });
  step("updateBatch", () => {
    for (let i = 0; i < 40; i++) batch.set(i, i, valueFor(i));
    batch.count = Math.min(40, indices.length);
    map.updateBatch(batch);
    return map.size;
  });
  step("grow", () => {
    map.grow(indices.length + 500);
    map.set(indices.length + 499, valueFor(1));
    return map.get(indices.length + 499);
  });
  step("all", () => [...limited(map.values())]);
  step("clear", () => {
    map.clear();
    return map.get(1);
  });
}

/** The same of the values of a KV store: its words of metadata say it (assembly/kv/store.ts). */
function placesInPages(host, store, keys) {
  const { u32, core } = host;
  const { handle } = store.table;
  const metadata = u32[(handle + core.KV_METADATA_OFFSET.value) >>> 2];
  const pages = u32[(handle + core.KV_PAGES_OFFSET.value) >>> 2];
  const places = [];
  for (const key of keys) {
    const word = u32[(metadata >>> 2) + key];
    if (word === 0) continue;
    const page = (word & KV_LOW_PAGE) | ((word >>> KV_HIGH_PAGE) << KV_LOW_PAGE_BITS);
    const start = u32[(pages + KV_ENTRY_BYTES * page) >>> 2] + ((word >>> KV_OFFSET) & KV_FIELD);
    places.push([start, start + ((word >>> KV_SIZE) & KV_FIELD) + 1]);
  }
  return places;
}

function kvScene(api, host) {
  const pairs = {};
  for (let i = 0; i < 6; i++) pairs[`p${i}`] = { codec: api.u32, default: i };
  const store = host.createKvStore({ name: "settings", maxKeys: 60, manifest: { pairs } });
  const pairKeys = Object.keys(pairs).map((_, i) => i);
  const keys = Array.from({ length: 40 }, (_, i) => i + 10);
  const valueFor = (n) => filled(1 + ((n * 131) % 900), mixed(n));
  for (const n of keys) store.put(n, valueFor(n));
  for (const n of keys.slice(0, 8)) store.delete(n);
  return {
    map: store,
    values: placesInPages(host, store, [...pairKeys, ...keys]),
    workload: (step) => kvWork(api, store, pairs, { keys, valueFor }, step),
  };
}

function kvWork(api, store, pairs, { keys, valueFor }, step) {
  step("get", () => keys.map((n) => store.get(n)));
  step("read", () => store.read());
  step("put", () => {
    for (const n of keys) store.put(n, valueFor(n + 1));
    return keys.map((n) => store.get(n));
  });
  step("pairs", () => {
    store.pair("p2").set(99);
    return store.read();
  });
  step("rollout", () => {
    store.rollout({ pairs: { ...pairs, p9: { codec: api.u53, default: 3 } } });
    return store.read();
  });
  step("delete", () => keys.map((n) => store.delete(n)));
  step("size", () => store.size);
}

/** By name; each makes its host's contents. */
export const SCENES = {
  keys: hashScene({ type: "rhash", keySize: 4, valueSize: 8 }),
  tags: hashScene({ type: "rhash", keySize: 16, valueSize: 8 }),
  refs: hashScene({ type: "rhash", keySize: 5, valueSize: 120 }),
  texts: hashScene({ type: "rhash", keySize: TEXT, valueSize: 8 }),
  fixedKeys: hashScene({ type: "hash", keySize: 4, valueSize: 8 }),
  fixedRefs: hashScene({ type: "hash", keySize: 5, valueSize: 120 }),
  lazyTags: hashScene({ type: "hash", keySize: 16, valueSize: 8, flags: "BPF_F_NO_PREALLOC" }),
  percpu: hashScene({ type: "percpu_hash", keySize: 4, valueSize: 8 }),
  array: arrayScene({ type: "array", valueSize: 13, length: 100 }),
  grownArray: arrayScene({ type: "array", valueSize: 8, length: 50, grownTo: 1200 }),
  percpuArray: arrayScene({ type: "percpu_array", valueSize: 8, length: 40 }),
  kv: kvScene,
};

/** On plain hosts alone. */
export const PLAIN_SCENES = {
  evictingKeys: notedScene({ type: "lru_hash", keySize: 4, valueSize: 8 }),
  evictingTags: notedScene({ type: "lru_hash", keySize: 16, valueSize: 8, ttl: TTL }),
  evictingRefs: notedScene({ type: "lru_hash", keySize: 5, valueSize: 120, eviction: "recency" }),
  evictingTexts: notedScene({ type: "lru_hash", keySize: TEXT, valueSize: 8, ttl: TTL }),
  timedKeys: notedScene({ type: "hash", keySize: 4, valueSize: 8, ttl: TTL }),
  timedRefs: notedScene({ type: "rhash", keySize: 5, valueSize: 120, ttl: TTL }),
};
