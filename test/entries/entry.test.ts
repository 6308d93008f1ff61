// The entry that programs and iterators hand to their callbacks: what its fields read and write in host memory.

import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type Entry, LiveEntry } from "../../src/entries/entry.ts";
import {
  array,
  bytes,
  type Codec,
  createHost,
  cstring,
  type EntryMap,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  spinLock,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { layoutsWithValue, seeded } from "../codec/codec_layouts.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { bytesPerCall } from "../support/core/allocation.ts";
import { KEYS, VALUES } from "../support/samples.ts";

const SMALL = 64 * 1024 * 1024;
const endpoint = struct({ address: u32, port: u16 });
const flowKey = struct({ proto: u8, src: endpoint, dst: endpoint });
const flowValue = struct({
  lastSeen: u53,
  packets: u32,
  score: f64,
  state: i8,
  owner: cstring(8),
  mac: bytes(3),
  ports: array(u16, 2),
  peer: endpoint,
});

const KEY = { proto: 6, src: { address: 1, port: 2 }, dst: { address: 3, port: 4 } };
const VALUE = {
  lastSeen: 2 ** 40 + 7,
  packets: 0xffff_fff0,
  score: -0.5,
  state: -3,
  owner: "curl",
  mac: Uint8Array.of(1, 2, 3),
  ports: [80, 443],
  peer: { address: 9, port: 10 },
};

/** An entry on a map's only entry: the key as a batch fetches it, the value where it lives. */
function entryOn<K, V>(key: Codec<K>, value: Codec<V>, k: K, v: V, refusal?: string) {
  const host = createHost({ seed: 1, maxMemory: SMALL });
  const map = host.createMap({ type: "hash", name: "flows", key, value, maxEntries: 8 });
  map.set(k, v);
  const batch = map.createBatch(1);
  map.lookupBatch(batch);
  const entry = new LiveEntry<K, V>(map, refusal).at(batch.keys.byteOffset, map.lookup(k));
  return { host, map, entry };
}

const flow = (refusal?: string) => entryOn(flowKey, flowValue, KEY, VALUE, refusal);

describe("reading", () => {
  it.each(KEYS.map(([codec, make]) => [codec.name, codec, make] as const))(
    "a key of %s",
    (_, codec, make) => {
      const { entry } = entryOn(codec, u8, make(7), 1);
      expect(entry.key).toEqual(make(7));
      expect(entry.copy()).toEqual({ key: make(7), value: 1 });
    },
  );

  it.each(VALUES.map(([codec, make]) => [codec.name, codec, make] as const))(
    "a value of %s",
    (_, codec, make) => {
      const { entry } = entryOn(u32, codec, 1, make(7));
      expect(entry.value).toEqual(make(7));
      expect(entry.copy()).toEqual({ key: 1, value: make(7) });
    },
  );

  it("any layout, as its codec decodes it", () => {
    fc.assert(
      fc.property(layoutsWithValue, ({ layout: { codec }, value }) => {
        const { entry, host, map } = entryOn(u32, codec, 1, value);
        expect(entry.value).toEqual(codec.decode(host.view, map.lookup(1)));
        host.close();
      }),
      seeded,
    );
  });

  it("any layout of a key wherever elements out of line have theirs, at a multiple of 4", () => {
    fc.assert(
      fc.property(layoutsWithValue, ({ layout: { codec }, value }) => {
        const { entry, host } = entryOn(codec, u8, value, 1);
        const block = host.allocate(codec.size + 16);
        codec.encode(value, host.view, block + 4);
        entry.at(block + 4, block);
        expect(entry.key).toEqual(codec.decode(host.view, block + 4));
        host.close();
      }),
      seeded,
    );
  });

  it("fields one by one, nested ones too, and what changes meanwhile", () => {
    const { entry, map, host } = flow();
    expect(entry.key.src.port).toBe(2);
    const { dst } = entry.key;
    expect([dst.address, dst.port]).toEqual([3, 4]);
    expect(entry.value.lastSeen).toBe(2 ** 40 + 7);
    const { value } = entry;
    host.u32[(map.lookup(KEY) + flowValue.offsets.packets) >>> 2] = 5;
    expect([value.packets, value.peer.port]).toEqual([5, 10]);
    expect([entry.keyAddress > 0, entry.valueAddress]).toEqual([true, map.lookup(KEY)]);
  });

  it("the entry that it is moved to, with the same objects", () => {
    const { entry, map } = flow();
    const { value } = entry;
    const other = { ...VALUE, packets: 1, peer: { address: 0, port: 11 } };
    map.set({ ...KEY, proto: 17 }, other);
    entry.at(entry.keyAddress, map.lookup({ ...KEY, proto: 17 }));
    expect(entry.value).toBe(value);
    expect([value.packets, value.peer.port]).toEqual([1, 11]);
  });

  it("after host memory has grown", () => {
    const { entry, host, map } = flow();
    const { buffer } = host.u8;
    host.createMap({ type: "array", key: u32, value: u64, maxEntries: 1_000_000 });
    expect(host.u8.buffer).not.toBe(buffer);
    expect(entry.value).toEqual(VALUE);
    entry.value.packets = 3;
    expect(map.get(KEY)?.packets).toBe(3);
  });

  it("as plain objects do in spreads, JSON, Object.keys and console.log", () => {
    const { entry } = flow();
    expect({ ...entry.value.peer }).toStrictEqual({ address: 9, port: 10 });
    expect(JSON.parse(JSON.stringify(entry.key))).toStrictEqual(KEY);
    expect(Object.keys(entry.value)).toEqual(Object.keys(VALUE));
    expect(inspect(entry.value.peer)).toBe("{ address: 9, port: 10 }");
    expect(inspect(entry.key)).toBe(inspect(KEY));
    expect(inspect(entry)).toBe(inspect({ key: KEY, value: VALUE }));
    expect(structuredClone(entry.key)).toEqual(KEY);
  });

  it("no spinLock", () => {
    const locked = struct({ lock: spinLock, balance: u32 });
    const { entry } = entryOn(u32, locked, 1, { balance: 5 });
    expect(entry.value).toEqual({ balance: 5 });
    expect(Object.keys(entry.value)).toEqual(["balance"]);
  });

  it("a u53 beyond 2^53 - 1 never as another number", () => {
    const { entry, host, map } = flow();
    host.view.setBigUint64(map.lookup(KEY), 2n ** 53n, true);
    const error = caught(() => entry.value.lastSeen);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toMatch(
      /^entry: map "flows": value\.lastSeen: expected u53 .*9007199254740992 in mem/,
    );
    expect(caught(() => entry.copy()).message).toMatch(/^entry: map "flows": value\.lastSeen: /);
    const whole = entryOn(u32, u53, 1, 5);
    whole.host.view.setBigUint64(whole.map.lookup(1), 2n ** 53n, true);
    expect(caught(() => whole.entry.value).message).toMatch(/^entry: map "flows": value: expected u53 /);
  });
});

describe("a copy", () => {
  it("outlives the callback", () => {
    const { entry } = flow();
    const copy = entry.copy();
    entry.value.packets = 0;
    entry.leave();
    expect(copy).toStrictEqual({ key: KEY, value: VALUE });
  });
});

describe("after the callback", () => {
  it("every read and write is EFAULT, and the entry is at no address", () => {
    const { entry, map } = flow();
    const { key, value } = entry;
    const { peer } = value;
    entry.leave();
    const calls = [
      () => entry.key,
      () => entry.value,
      () => entry.copy(),
      () => key.proto,
      () => key.src,
      ...Object.keys(VALUE).map((field) => () => value[field as keyof typeof value]),
      () => peer.port,
      () => {
        value.packets = 1;
      },
      () => {
        peer.port = 1;
      },
      () => {
        entry.value = VALUE;
      },
    ];
    for (const call of calls) {
      expect(expectErrno(call, "EFAULT").message).toBe(
        'entry: map "flows" has no entry here: the callback that was given it has returned (EFAULT); ' +
          "take a copy() of the entry inside",
      );
    }
    expect([entry.keyAddress, entry.valueAddress]).toEqual([0, 0]);
    expect(inspect(entry)).toContain("left");
    expect(map.get(KEY)).toEqual(VALUE);
  });

  it.each([u8, i8, u16, i16, u32, i32, f32, f64, u53, u64, i64, bytes(2), cstring(4)])(
    "a value of $name is EFAULT",
    (codec) => {
      const sample = codec.decode(new DataView(new ArrayBuffer(8)), 0);
      const { entry } = entryOn<number, unknown>(u32, codec as Codec<unknown>, 1, sample);
      entry.leave();
      expectErrno(() => entry.value, "EFAULT");
      expectErrno(() => {
        entry.value = sample;
      }, "EFAULT");
    },
  );
});

describe("writing", () => {
  it.each(VALUES.map(([codec, make]) => [codec.name, codec, make] as const))(
    "a value of %s",
    (_, codec, make) => {
      const { entry, map } = entryOn<number, unknown>(u32, codec, 1, make(7));
      entry.value = make(11) as object;
      expect(map.get(1)).toEqual(make(11));
    },
  );

  it("fields of every kind, nested ones too", () => {
    const { entry, map } = flow();
    const { value } = entry;
    value.lastSeen = 1;
    value.packets = 2;
    value.score = 2.5;
    value.state = -4;
    value.owner = "wget";
    value.mac = Uint8Array.of(7, 8, 9);
    value.ports = [1, 2];
    value.peer.port = 12;
    const changed = {
      lastSeen: 1,
      packets: 2,
      score: 2.5,
      state: -4,
      owner: "wget",
      mac: Uint8Array.of(7, 8, 9),
      ports: [1, 2],
      peer: { address: 9, port: 12 },
    };
    expect(map.get(KEY)).toEqual(changed);
    value.peer = { address: 20, port: 21 };
    expect(map.get(KEY)).toEqual({ ...changed, peer: { address: 20, port: 21 } });
    entry.value = VALUE;
    expect(map.get(KEY)).toEqual(VALUE);
  });

  it("nothing that the codec would not take, and then nothing at all", () => {
    const { entry, map } = flow();
    const value = entry.value as Record<string, unknown>;
    const misfits: [string, unknown, typeof TypeError | typeof RangeError, string][] = [
      ["packets", -1, RangeError, "value.packets: expected u32 (0..4294967295), got -1"],
      ["packets", 1.5, RangeError, "value.packets: expected u32 (0..4294967295), got 1.5"],
      ["packets", "1", TypeError, 'value.packets: expected u32 (0..4294967295), got string "1"'],
      ["state", 128, RangeError, "value.state: expected i8 (-128..127), got 128"],
      [
        "lastSeen",
        2 ** 53,
        RangeError,
        "value.lastSeen: expected u53 (0..9007199254740991), got 90071992547409",
      ],
      ["owner", "much too long", RangeError, "value.owner: expected cstring(8) (at most 7 bytes of UTF-8)"],
      ["mac", Uint8Array.of(1), RangeError, "value.mac: expected bytes(3) (exactly 3 bytes), got 1 bytes"],
      ["ports", [9, 65536], RangeError, "value.ports[1]: expected u16 (0..65535), got 65536"],
      ["peer", { address: 1, port: -1 }, RangeError, "value.peer.port: expected u16 (0..65535), got -1"],
      ["peer", { address: 1 }, TypeError, "value.peer.port: expected u16, got nothing"],
    ];
    for (const [field, misfit, Kind, message] of misfits) {
      const error = caught(() => {
        value[field] = misfit;
      });
      expect(error).toBeInstanceOf(Kind);
      expect(error.message).toContain(`entry: map "flows": ${message}`);
    }
    const nested = caught(() => {
      entry.value.peer.port = 65536;
    });
    expect(nested.message).toBe('entry: map "flows": value.peer.port: expected u16 (0..65535), got 65536');
    const whole = caught(() => {
      entry.value = { ...VALUE, ports: [80, -1] };
    });
    expect(whole.message).toContain('entry: map "flows": value.ports[1]: expected u16');
    expect(map.get(KEY)).toEqual(VALUE);
  });

  it("no field that the struct does not have", () => {
    const { entry } = flow();
    expect(() => Object.assign(entry.value, { hops: 1 })).toThrow(TypeError);
  });

  it("neither the key nor a part of it", () => {
    const { entry, map } = flow();
    const writes = [
      () => Object.assign(entry, { key: KEY }),
      () => Object.assign(entry.key, { proto: 17 }),
      () => Object.assign(entry.key.src, { port: 9 }),
    ];
    const paths = writes.map((write) => {
      const error = caught(write);
      expect(error).toBeInstanceOf(TypeError);
      return error.message;
    });
    const refusal = "a key cannot be written; delete the entry and set() another";
    expect(paths).toEqual(
      ["key", "key.proto", "key.src.port"].map((path) => `entry: map "flows": ${path}: ${refusal}`),
    );
    expect([...map.keys()]).toEqual([KEY]);
  });

  it("no value where that is refused", () => {
    const { entry, map } = flow("it is a copy");
    const error = caught(() => {
      entry.value.peer.port = 1;
    });
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('entry: map "flows": value.peer.port: it is a copy');
    expect(map.get(KEY)).toEqual(VALUE);
  });

  it("a whole value around the word of its spinLock", () => {
    const locked = struct({ before: u32, lock: spinLock, after: u8 });
    const { entry, map, host } = entryOn(u32, locked, 1, { before: 1, after: 2 });
    const word = (map.lookup(1) + locked.offsets.lock) >>> 2;
    host.u32[word] = 0x5a5a;
    entry.value = { before: 3, after: 4 };
    expect([host.u32[word], entry.value.before, entry.value.after]).toEqual([0x5a5a, 3, 4]);
  });

  it("not from an object whose getter uses the map meanwhile", () => {
    const { entry, map } = flow();
    const peer = {
      get address() {
        map.set({ ...KEY, proto: 1 }, VALUE);
        return 5;
      },
      port: 6,
    };
    expectErrno(() => {
      entry.value.peer = peer;
    }, "EBUSY");
    expect(map.get(KEY)).toEqual(VALUE);
  });
});

describe.each(["percpu_hash", "percpu_array"] as const)("%s", (type) => {
  const slot = struct({ packets: u32, bytes: u53 });
  const slots = [
    { packets: 1, bytes: 2 },
    { packets: 3, bytes: 4 },
    { packets: 5, bytes: 6 },
  ];

  function open<V>(value: Codec<V>, values: V[]) {
    const host = createHost({ seed: 1, cpus: 3, maxMemory: SMALL });
    const map: EntryMap<number, V[]> = host.createMap({ type, name: "m", key: u32, value, maxEntries: 4 });
    map.set(2, values);
    const key = host.allocate(8);
    host.u32[key >>> 2] = 2;
    const entry = new LiveEntry<number, V[]>(map).at(key, map.lookup(2)) as LiveEntry<number, V[]> & {
      local: V;
    };
    return { map, entry };
  }

  it("gives an array of the slots, and the thread's own", () => {
    const { entry, map } = open(slot, slots);
    expect(entry.value).toEqual(slots);
    expect(Array.isArray(entry.value)).toBe(true);
    expect(entry.value.reduce((sum, { packets }) => sum + packets, 0)).toBe(9);
    expect(inspect(entry.value)).toBe(inspect(slots));
    expect(JSON.stringify(entry.value)).toBe(JSON.stringify(slots));
    expect(entry.local).toEqual(slots[0]);
    entry.local.packets = 7;
    entry.value[2].bytes = 8;
    entry.value[1] = { packets: 9, bytes: 10 };
    const changed = [
      { packets: 7, bytes: 2 },
      { packets: 9, bytes: 10 },
      { packets: 5, bytes: 8 },
    ];
    expect(map.get(2)).toEqual(changed);
    expect(entry.copy()).toEqual({ key: 2, value: changed });
    entry.value = slots;
    expect(map.get(2)).toEqual(slots);
  });

  it("reads and writes numbers by slot", () => {
    const { entry, map } = open(u16, [1, 2, 3]);
    expect(entry.value).toEqual([1, 2, 3]);
    entry.local = 5;
    entry.value[2] = 6;
    expect(map.get(2)).toEqual([5, 2, 6]);
    const error = caught(() => {
      entry.value[1] = -1;
    });
    expect(error.message).toBe('entry: map "m": value[1]: expected u16 (0..65535), got -1');
    const own = caught(() => {
      entry.local = 65536;
    });
    expect(own.message).toBe('entry: map "m": local: expected u16 (0..65535), got 65536');
    const { value } = entry;
    entry.leave();
    expectErrno(() => value[0], "EFAULT");
    expectErrno(() => entry.local, "EFAULT");
  });
});

describe("speed", () => {
  it("has a shape of its own for every map, which V8 does not keep in a dictionary", () => {
    setFlagsFromString("--allow-natives-syntax");
    const isFast: (object: object) => boolean = runInThisContext("(object) => %HasFastProperties(object)");
    const entries = [flow().entry, flow().entry, flow().entry];
    for (const entry of entries) {
      expect([entry, entry.key, entry.key.src, entry.value, entry.value.peer].map(isFast)).toEqual(
        new Array(5).fill(true),
      );
    }
    expect(isFast(Object.assign(Object.create(null), { a: 1 }))).toBe(false);
  });

  it("allocates nothing for an entry and the numbers that are read of it", () => {
    const { entry, map } = flow();
    const key = entry.keyAddress;
    const value = map.lookup(KEY);
    // Engines put numbers beyond 2^31 on the heap as soon as a function returns them that is not inlined.
    map.set(KEY, { ...VALUE, lastSeen: 7, packets: 8 });
    const sum = new Float64Array(1);
    const perEntry = bytesPerCall(() => {
      entry.at(key, value);
      sum[0] += entry.key.src.port + entry.value.lastSeen + entry.value.packets + entry.value.peer.port;
      entry.value.packets = 3;
    });
    expect(sum[0]).toBeGreaterThan(0);
    expect(perEntry).toBeLessThan(2);
  });
});

describe("types", () => {
  it("are those of the codecs", () => {
    const { entry } = flow();
    expectTypeOf(entry.key.src.port).toEqualTypeOf<number>();
    expectTypeOf(entry.value.owner).toEqualTypeOf<string>();
    expectTypeOf(entry.value.mac).toEqualTypeOf<Uint8Array>();
    const typed: Entry<{ a: number }, bigint> = entryOn(struct({ a: u8 }), u64, { a: 1 }, 2n).entry;
    expectTypeOf(typed.value).toEqualTypeOf<bigint>();
    // @ts-expect-error keys are read-only
    expect(() => (typed.key = { a: 2 })).toThrow(TypeError);
  });
});
