import { expect, test } from "vitest";
import type { Batch, HashMap } from "../../src/index.ts";
import { bySize } from "../support/size.ts";
import { Foreign, Harm, lib, type Place, type Row, resizable, tryRows, uapi } from "./kit.ts";

const { ACT_DELETE, ACT_KEEP, bytes, struct, u32, u53 } = lib;

type Numbers = HashMap<number, number>;

interface Situation {
  readonly place: Place;
  readonly map: Numbers;
  readonly batch: Batch<number, number>;
  /** Memory of a caller of host.bpf. */
  readonly memory: ArrayBuffer & { resize(bytes: number): void };
}

/** What code of the caller's may do while a call waits for it. */
const ACTIONS: Readonly<Record<string, (situation: Situation) => void>> = {
  "closes the map": ({ map, place }) => {
    map.close();
    place.refill();
  },
  "closes the batch": ({ batch, place }) => {
    batch.close();
    place.refill();
  },
  "closes the host": ({ place }) => place.host.close(),
  "makes memory grow": ({ place }) => place.refill(),
  "freezes the map": ({ map }) => map.freeze(),
  "clears the map": ({ map }) => map.clear(),
  "fills the map": ({ map }) => {
    for (let key = 500; key < 503; key++) map.set(key, 1);
  },
  "uses the batch": ({ batch, map }) => {
    batch.rewind();
    batch.count = 1;
    map.lookupBatch(batch);
  },
  "takes the caller's memory": ({ memory, map }) => {
    memory.resize(0);
    map.grow(60);
  },
  grows: ({ map }) => map.grow(200),
  throws: () => {
    throw new Foreign("of the caller's");
  },
};

const KEY_AT = 8;
const VALUES_AT = 64;
const MANY = 8;

function attr(map_fd: number): Uint8Array {
  return uapi.writeStruct(uapi.BPF_ATTR_BATCH, { map_fd, keys: KEY_AT, values: VALUES_AT, count: MANY });
}

/** An update batch of 8 new keys, whose entries must be those that the caller's memory had. */
function bpfBatch({ place, map, memory }: Situation, resized: boolean): void {
  const { host } = place;
  host.pin("/map", map);
  const path = new TextEncoder().encode("/map\0");
  new Uint8Array(memory).set(path, 200);
  const fd = host.bpf(7, uapi.writeStruct(uapi.BPF_ATTR_OBJ, { pathname: 200 }), memory);
  host.unpin("/map");
  for (let i = 0; i < MANY; i++) new Uint32Array(memory)[(KEY_AT >>> 2) + i] = 600 + i;
  for (let i = 0; i < MANY; i++) new Uint32Array(memory)[(VALUES_AT >>> 2) + 2 * i] = 700 + i;
  const before = map.size;
  const attributes = attr(fd);
  const result = host.bpf(26, attributes, memory);
  const { count } = uapi.readStruct(uapi.BPF_ATTR_BATCH, attributes);
  if (!host.closed) host.closeFd(fd);
  if (!resized || map.closed) return;
  if (result !== -14) throw new Harm(`answered ${result}`);
  if (map.size !== before + count) throw new Harm(`counted ${count} of ${map.size - before}`);
  for (const [key, value] of map) {
    if (key >= 500 && value !== key + 100) throw new Harm(`inserted ${key}: ${value}`);
  }
}

const NEW = Uint32Array.from({ length: 12 }, (_, i) => 800 + i);

/** Calls that insert more keys than the mark leaves room for. */
const CALLS: Readonly<Record<string, (situation: Situation, action: string) => void>> = {
  set: ({ map }) => {
    for (const key of NEW) map.set(key, key);
  },
  update: ({ map }) => {
    for (const key of NEW) map.update(key, key, lib.BPF_NOEXIST);
  },
  add: ({ map }) => {
    for (const key of NEW) map.add(key, 1);
  },
  addMany: ({ map }) => map.addMany(NEW, new Uint32Array(NEW.length).fill(1)),
  "addMany of an array": ({ map }) => map.addMany([...NEW], [...NEW]),
  "addMany of a batch's keys": ({ map, batch }) => {
    const keys = batch.keys;
    new Uint32Array(keys.buffer, keys.byteOffset, NEW.length).set(NEW);
    map.addMany(keys.subarray(0, 4 * NEW.length), [...NEW]);
  },
  "addMany of memory that goes": ({ map, memory }) => {
    const keys = new Uint32Array(memory, 0, NEW.length);
    keys.set(NEW);
    map.addMany(keys, [...NEW]);
  },
  updateBatch: ({ map, batch }) => {
    for (const [i, key] of NEW.entries()) batch.set(i, key, key);
    batch.count = NEW.length;
    map.updateBatch(batch);
  },
  "a drain that is left": ({ map, batch }) => {
    const drain = map.drain({ size: 40 });
    drain.next();
    for (let key = 900; map.size < 38; key++) map.set(key, 1);
    batch.count = 0;
    drain.return?.();
  },
  "a dumper that throws": ({ map }) => {
    map.process({
      filter: () => ACT_DELETE,
      dumper: () => {
        map.set(1000, 1);
        map.set(1001, 1);
        throw new Foreign("of the dumper");
      },
    });
  },
  "host.bpf": (situation, action) => bpfBatch(situation, action === "takes the caller's memory"),
};

test("a low-water hook", () => {
  const rows: Row[] = [];
  for (const [call, make] of Object.entries(CALLS)) {
    for (const [action, act] of Object.entries(ACTIONS)) {
      for (const shared of bySize([rows.length % 2 === 0], [false, true])) {
        rows.push({
          name: `${call}: the hook ${action}`,
          shared,
          run: (place) => {
            let situation: Situation | undefined;
            const map = place.open(
              place.host.createMap({
                type: "rhash",
                key: u32,
                value: u53,
                maxEntries: 40,
                lowWater: {
                  free: 2,
                  grow: () => {
                    const now = situation;
                    situation = undefined;
                    if (now !== undefined) act(now);
                  },
                },
              }),
            );
            for (let key = 0; key < 33; key++) map.set(key, key);
            const batch = place.open(map.createBatch(NEW.length));
            situation = { place, map, batch, memory: resizable(1024) };
            make(situation, action);
          },
        });
      }
    }
  }
  expect(tryRows("low-water hooks", rows)).toEqual([]);
});

const flow = struct({ packets: u32, note: bytes(20) });
type Flow = { packets: number; note: Uint8Array };

function deleting(act: () => void): number {
  act();
  return ACT_DELETE;
}

/** Callbacks that run in the middle of a call. */
const CALLBACKS: Readonly<
  Record<string, (map: HashMap<number, Flow>, act: () => void, place: Place) => void>
> = {
  forEach: (map, act) => map.forEach(act),
  entries: (map, act) => {
    for (const _ of map) act();
  },
  "a filter": (map, act) => {
    map.process({ filter: () => deleting(act) });
  },
  "a filter with a dumper": (map, act) => {
    map.process({ filter: () => deleting(act), dumper: () => {}, size: 2 });
  },
  "a filter that writes": (map, act) => {
    map.process({
      filter: (entry) => {
        const note = {
          get packets() {
            act();
            return 5;
          },
          note: new Uint8Array(20),
        };
        entry.value = note;
        return ACT_KEEP;
      },
    });
  },
  "a dumper": (map, act) => {
    map.process({ filter: () => ACT_DELETE, dumper: act });
  },
  "an entry of a dumper that writes": (map, act) => {
    map.process({
      filter: () => ACT_DELETE,
      dumper: (entry) => {
        act();
        entry.value = { packets: 1, note: new Uint8Array(20) };
      },
    });
  },
  show: (map, act, place) => {
    const iterator = map.iterator({
      show: (seq, entry) => {
        act();
        seq.write(`${entry?.value.packets}`);
      },
    });
    place.open(iterator);
    while (iterator.read() !== undefined);
  },
  "options of an iterator": (map, act, place) => {
    const options = {
      show: () => {},
      get bufferSize() {
        act();
        return 100;
      },
    };
    place.open(map.iterator(options));
  },
  "options of process": (map, act) => {
    const options = {
      get filter() {
        act();
        return () => ACT_DELETE;
      },
    };
    map.process(options);
  },
  "options of a drain": (map, act) => {
    const options = {
      get size() {
        act();
        return 3;
      },
    };
    for (const _ of map.drain(options));
  },
  "options of batches": (map, act) => {
    const options = {
      get size() {
        act();
        return 3;
      },
    };
    for (const _ of map.batches(options));
  },
  "a drain": (map, act) => {
    for (const _ of map.drain({ size: 3 })) act();
  },
  batches: (map, act) => {
    for (const batch of map.batches({ size: 3 })) {
      act();
      batch.key(0);
    }
  },
  "a section": (map, act, place) => {
    place.host.section(() => {
      act();
      map.lookup(1);
    });
  },
  "a program that is built": (map, act, place) => {
    const program = lib.program(map, ({ value }) => {
      act();
      return value.packets.lt(3).then(ACT_DELETE);
    });
    place.open(program);
  },
  "a program's parameter": (map, act, place) => {
    const params = { limit: struct({ a: u32, b: bytes(20) }) };
    const program = lib.program(map, ({ value }) => value.packets.lt(3).then(ACT_KEEP), { params });
    place.open(program);
    const value = {
      get a() {
        act();
        program.close();
        place.refill();
        return 1;
      },
      b: new Uint8Array(20),
    };
    program.params.limit = value;
  },
  "batch.set": (map, act, place) => {
    const batch = place.open(map.createBatch(4));
    const value = {
      get packets() {
        batch.close();
        act();
        return 1;
      },
      note: new Uint8Array(20),
    };
    batch.set(1, 1, value);
  },
  "a batch whose count is code": (map, act, place) => {
    const batch = place.open(map.createBatch(4));
    let asked = 0;
    Object.defineProperty(batch, "count", {
      get: () => {
        if (asked++ === 1) act();
        return asked < 3 ? 4 : 400;
      },
      set: () => {},
    });
    map.lookupBatch(batch);
    map.updateBatch(batch);
  },
  "a batch whose capacity is another": (map, act, place) => {
    const batch = place.open(map.createBatch(4));
    act();
    try {
      (batch as { capacity: number }).capacity = 400;
    } catch {
      // It cannot be written: all the better.
    }
    batch.count = 300;
    map.lookupBatch(batch);
  },
};

test("callbacks", () => {
  const acts: Readonly<Record<string, (map: HashMap<number, Flow>, place: Place) => void>> = {
    "closes the map": (map, place) => {
      map.close();
      place.refill();
    },
    "closes the host": (_map, place) => place.host.close(),
    "makes memory grow": (_map, place) => place.refill(),
    "clears the map": (map) => map.clear(),
    "inserts and deletes": (map) => {
      map.delete(3);
      map.set(300, { packets: 1, note: new Uint8Array(20) });
    },
    "drains the map": (map) => {
      for (const _ of map.drain({ size: 2 }));
    },
    throws: () => {
      throw new Foreign("of the caller's");
    },
  };
  const rows: Row[] = [];
  for (const [call, make] of Object.entries(CALLBACKS)) {
    for (const [action, act] of Object.entries(acts)) {
      for (const shared of [false, true]) {
        // The small size has one type on each host, the other way round with the next action.
        const types: readonly ("hash" | "rhash")[] = ["hash", "rhash"];
        for (const type of bySize([types[((rows.length >> 1) + Number(shared)) % 2]!], types)) {
          rows.push({
            name: `${type}: ${call}: ${action}`,
            shared,
            run: (place) => {
              const map = place.open(place.host.createMap({ type, key: u32, value: flow, maxEntries: 64 }));
              for (let key = 0; key < 12; key++)
                map.set(key, { packets: key, note: new Uint8Array(20).fill(key) });
              let acted = false;
              const once = () => {
                if (acted) return;
                acted = true;
                act(map as unknown as HashMap<number, Flow>, place);
              };
              make(map as unknown as HashMap<number, Flow>, once, place);
            },
          });
        }
      }
    }
  }
  expect(tryRows("callbacks", rows)).toEqual([]);
});
