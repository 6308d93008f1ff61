// Rollouts: the plan, the switch, the undo; updates made meanwhile; failures at every place.
import { describe, expect, test } from "vitest";
import {
  array,
  bytes,
  cstring,
  f64,
  type Host,
  type KvStore,
  ManifestMismatchError,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { HOSTS } from "./hosts.ts";

const v1 = {
  pairs: {
    limit: { codec: u32, default: 250 },
    hits: { codec: u32, default: 1 },
    zone: { codec: cstring(4), default: "eu" },
    old: { codec: u16, default: 16 },
  },
};
/** `limit` with a way back, `zone` without. */
const v2 = {
  pairs: {
    limit: {
      codec: f64,
      convert: (old: number) => old / 1000,
      revert: (value: number) => Math.round(value * 1000),
    },
    hits: { codec: u32 },
    zone: { codec: u8, version: 2, convert: (old: string) => old.charCodeAt(0) },
    fresh: { codec: u64, default: 5n },
  },
};
const OLD = { limit: 250, hits: 1, zone: "eu", old: 16 };
const NEW = { limit: 0.25, hits: 1, zone: 101, fresh: 5n };

function expectSound(host: Host): void {
  expect(host.verify()).toEqual([]);
}

const setLimit = (host: Host, bytes: number) =>
  (host.core as unknown as { setLimit(bytes: number): void }).setLimit(bytes);

/** Bytes and keys in use. */
const taken = (store: KvStore<never> | KvStore) => [store.size, store.pages, store.memoryUsage()];

describe.each(HOSTS)("on %s", (_, create) => {
  test("a plan says what would happen, and does nothing", () => {
    const host = create();
    const store = host.createKvStore({ name: "s", manifest: v1 });
    const before = host.memoryUsage();
    const plan = store.plan(v2);
    expect(plan.toString()).toBe(
      [
        'KV store "s": 4 steps, planned',
        "  convert  limit  u32 (4 bytes), version 1 -> f64 (8 bytes), version 1       undo: reverted",
        "  convert  zone   cstring(4) (4 bytes), version 1 -> u8 (1 byte), version 2  undo: old value",
        "  add      fresh  u64 (8 bytes), version 1                                   undo: dropped",
        "  drop     old    u16 (2 bytes), version 1                                   undo: restored",
        "  keep hits",
      ].join("\n"),
    );
    expect(JSON.parse(JSON.stringify(plan))).toEqual({
      store: 'KV store "s"',
      state: "planned",
      kept: ["hits"],
      steps: [
        {
          action: "convert",
          name: "limit",
          from: "u32 (4 bytes), version 1",
          to: "f64 (8 bytes), version 1",
          undo: "reverted",
        },
        {
          action: "convert",
          name: "zone",
          from: "cstring(4) (4 bytes), version 1",
          to: "u8 (1 byte), version 2",
          undo: "old value",
        },
        { action: "add", name: "fresh", to: "u64 (8 bytes), version 1", undo: "dropped" },
        { action: "drop", name: "old", from: "u16 (2 bytes), version 1", undo: "restored" },
      ],
    });
    expect([plan.isEmpty, plan.state, host.memoryUsage(), store.read()]).toEqual([
      false,
      "planned",
      before,
      OLD,
    ]);
    for (const call of [() => plan.undo(), () => plan.seal()]) {
      expect(expectErrno(call, "EINVAL").message).toContain("has not run this plan");
    }
  });

  test("v1 to v2, back, and forward again", () => {
    const host = create();
    const store = host.createKvStore({ name: "s", manifest: v1 });
    const [limit, hits] = [store.pair("limit"), store.pair("hits")];
    const plan = store.rollout(v2);
    expect(plan.state).toBe("done");
    expect(store.read()).toEqual(NEW);
    expectSound(host);
    for (const call of [() => limit.get(), () => limit.set(1), () => hits.get(), () => hits.key]) {
      const error = expectErrno(call, "ESTALE") as ManifestMismatchError;
      expect(error).toBeInstanceOf(ManifestMismatchError);
      expect(error.differences.map(({ name }) => name)).toEqual(["limit", "zone", "fresh", "old"]);
    }
    store.bind(v2).pair("limit").set(0.75);
    store.bind(v2).pair("hits").set(20);
    plan.undo();
    expect(plan.state).toBe("undone");
    expect(store.read()).toEqual({ ...OLD, limit: 750, hits: 20 });
    expect([limit.get(), hits.get()]).toEqual([750, 20]);
    expectSound(host);
    store.rollout(v2);
    expect(store.read()).toEqual({ ...NEW, limit: 0.75, hits: 20 });
    expectSound(host);
    expect(expectErrno(() => plan.undo(), "EINVAL").message).toContain("has this plan undone");
  });

  test("a rollout to the manifest in force is an empty plan", () => {
    const store = create().createKvStore({ manifest: v1 });
    const first = store.rollout(v2);
    const before = taken(store);
    const again = store.rollout(v2);
    expect([again.isEmpty, again.steps, again.state]).toEqual([true, [], "done"]);
    expect(again.toString()).toContain("nothing to do");
    expect(taken(store)).toEqual(before);
    expect(store.manifest.generation).toBe(2);
    again.undo();
    expect(store.read()).toEqual(NEW);
    first.undo(); // the empty one has not sealed it
    expect(store.read()).toEqual(OLD);
  });

  test("old values are kept for the undo, and freed by seal(), an undo, or the next rollout", () => {
    const host = create();
    const store = host.createKvStore({ manifest: v1 });
    const clean = taken(store);
    const plan = store.rollout(v2);
    expect(store.size).toBe(4 + 3); // limit, zone, old
    expect(expectErrno(() => store.put(3, new Uint8Array(2)), "EPERM").message).toContain("keeps the key 3");
    expectErrno(() => store.delete(3), "EPERM");
    plan.seal();
    expect([plan.state, store.size]).toEqual(["sealed", 4]);
    expectErrno(() => plan.undo(), "EINVAL");
    const back = store.bind(v2).rollout({
      pairs: {
        ...v1.pairs,
        limit: { codec: u32, convert: (value: number) => value * 1000 },
        zone: { codec: cstring(4), convert: (value: number) => String.fromCharCode(value) },
      },
    });
    expect(store.read()).toEqual({ ...OLD, zone: "e" });
    const forth = store.rollout(v2);
    expect(expectErrno(() => back.undo(), "EINVAL").message).toContain("rolled out again since");
    expectErrno(() => back.seal(), "EINVAL");
    forth.undo();
    expect([store.size, store.pages]).toEqual(clean.slice(0, 2));
    expectSound(host);
  });

  test("an undo that would lose updates is refused, and says which", () => {
    const host = create();
    const store = host.createKvStore({ name: "s", manifest: v1 });
    const plan = store.rollout(v2);
    const after = store.bind(v2);
    after.pair("zone").set(102);
    after.pair("limit").set(0.5);
    const error = expectErrno(() => plan.undo(), "EBUSY");
    expect(error.message).toBe(
      'plan.undo: KV store "s" has updates since the rollout that would be lost, of "zone" (EBUSY); give their pairs a revert(), or undo({ discardUpdates: true })',
    );
    expect([plan.state, after.read()]).toEqual(["done", { ...NEW, zone: 102, limit: 0.5 }]);
    plan.undo({ discardUpdates: true });
    expect(store.read()).toEqual({ ...OLD, limit: 500 });
    expectSound(host);
  });

  test("a revert that throws leaves the new manifest in force, and the undo can be made again", () => {
    const store = create().createKvStore({ manifest: v1 });
    let broken = true;
    const revert = (value: number) => {
      if (broken) throw new Error("not now");
      return Math.round(value * 1000);
    };
    const next = { pairs: { ...v2.pairs, limit: { ...v2.pairs.limit, revert } } };
    const plan = store.rollout(next);
    store.bind(next).pair("limit").set(0.1);
    expect(() => plan.undo()).toThrow("not now");
    expect([plan.state, store.read()]).toEqual(["done", { ...NEW, limit: 0.1 }]);
    broken = false;
    plan.undo();
    expect(store.read()).toEqual({ ...OLD, limit: 100 });
  });

  describe("updates made inside of a conversion", () => {
    test("are converted, too", () => {
      const store = create().createKvStore({ manifest: v1 });
      const limit = store.pair("limit");
      const seen: number[] = [];
      const convert = (old: number) => {
        seen.push(old);
        if (seen.length < 4) limit.set(old + 100);
        store.pair("hits").set(seen.length);
        return old / 1000;
      };
      store.rollout({ pairs: { ...v2.pairs, limit: { codec: f64, convert } } });
      expect(seen).toEqual([250, 350, 450, 550]);
      expect(store.read()).toEqual({ ...NEW, limit: 0.55, hits: 4 });
    });

    test("that never end are given up, and the old manifest stays", () => {
      const host = create();
      const store = host.createKvStore({ manifest: v1 });
      const before = taken(store);
      const convert = (old: number) => {
        store.pair("limit").set(old + 1);
        return old;
      };
      expectErrno(() => store.rollout({ pairs: { ...v2.pairs, limit: { codec: f64, convert } } }), "EAGAIN");
      expect(store.read()).toMatchObject({ hits: 1, zone: "eu" });
      expect(taken(store)).toEqual(before);
      expectSound(host);
      store.pair("limit").set(1); // nobody is kept out any more
      store.rollout(v2);
      expect(store.read()).toEqual({ ...NEW, limit: 0.001 });
    });

    test("and in a revert: the undo goes on with them", () => {
      const store = create().createKvStore({ manifest: v1 });
      let calls = 0;
      const next = {
        pairs: {
          ...v2.pairs,
          limit: {
            codec: f64,
            convert: (old: number) => old / 1000,
            revert: (value: number) => {
              if (calls++ < 3) store.pair("limit").set((calls / 1000) as never);
              return Math.round(value * 1000);
            },
          },
        },
      };
      const plan = store.rollout(next);
      store.bind(next).pair("limit").set(0.9);
      plan.undo();
      expect([calls, store.read()]).toEqual([4, { ...OLD, limit: 3 }]);
    });

    test("plain keys can be written all the time", () => {
      const store = create().createKvStore({ manifest: v1 });
      const convert = (old: number) => {
        store.put(500, new Uint8Array(3000));
        store.put(501, new Uint8Array(1));
        store.delete(501);
        return old;
      };
      store.rollout({ pairs: { ...v2.pairs, limit: { codec: f64, convert } } });
      expect(store.sizeOf(500)).toBe(3000);
    });
  });

  describe("what a conversion may not do", () => {
    const during = (store: KvStore, call: () => unknown) => {
      const convert = () => {
        call();
        return 1;
      };
      return store.rollout({ pairs: { ...v2.pairs, limit: { codec: f64, convert } } } as never);
    };

    test("roll out, undo or seal", () => {
      const store = create().createKvStore({ manifest: v1 });
      for (const call of [() => store.rollout(v2), () => store.rollout(v1)]) {
        expect(expectErrno(() => during(store as never, call), "EBUSY").message).toContain(
          "inside of a conversion",
        );
      }
      expect(store.read()).toEqual(OLD);
      during(store as never, () => expect(store.plan(v2).isEmpty).toBe(false));
    });

    test("close the store", () => {
      const host = create();
      const store = host.createKvStore({ manifest: v1 });
      host.pin("/s", store);
      expectErrno(() => during(store as never, () => store.close()), "EBADF");
      const again = host.openKvStore("/s", { manifest: v1 });
      expect(again.read()).toEqual(OLD);
      again.rollout(v2);
      expect(again.read()).toEqual(NEW);
      expectSound(host);
      again.close();
      host.unpin("/s");
      expect(host.memoryUsage().bytes).toBe(0);
    });

    test("throw: the old manifest stays, and the same rollout can be made again", () => {
      const host = create();
      const store = host.createKvStore({ manifest: v1 });
      const before = taken(store);
      expect(() =>
        during(store as never, () => {
          throw new Error("cannot convert");
        }),
      ).toThrow("cannot convert");
      expect([store.read(), taken(store)[0], taken(store)[1]]).toEqual([OLD, before[0], before[1]]);
      expectSound(host);
      store.rollout(v2);
      expect(store.read()).toEqual(NEW);
    });

    test("give what the new codec cannot hold", () => {
      const store = create().createKvStore({ name: "s", manifest: v1 });
      const zone = { codec: u8, convert: () => 256 };
      const error = caught(() => store.rollout({ pairs: { ...v2.pairs, zone } }));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toBe('kv.rollout: KV store "s": "zone": convert: expected u8 (0..255), got 256');
      expect(store.read()).toEqual(OLD);
    });
  });

  test("pairs that need a conversion are listed, all of them", () => {
    const store = create().createKvStore({ name: "s", manifest: v1 });
    const next = { pairs: { limit: { codec: f64 }, hits: { codec: u16 }, zone: { codec: cstring(8) } } };
    for (const call of [() => store.plan(next), () => store.rollout(next)]) {
      const error = caught(call);
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message.split("\n").slice(1)).toEqual([
        '  "limit": u32 (4 bytes), version 1 -> f64 (8 bytes), version 1',
        '  "hits": u32 (4 bytes), version 1 -> u16 (2 bytes), version 1',
      ]);
      expect(error.message).toContain('KV store "s": 2 pairs need a convert() in the new manifest');
    }
    expect(store.read()).toEqual(OLD);
  });

  test("without room for old and new values: ENOSPC, and the old manifest stays", () => {
    const host = create();
    const half = { pairs: { a: { codec: bytes(2000) }, b: { codec: u32, default: 7 } } };
    const grown = { pairs: { a: { codec: bytes(2100) }, b: { codec: u64 } } };
    const store = host.createKvStore({ manifest: half, maxPages: 1 });
    const before = taken(store);
    expectErrno(() => store.rollout(grown), "ENOSPC");
    expect([store.read().b, taken(store)]).toEqual([7, before]);
    const few = host.createKvStore({ manifest: half, maxKeys: 3 });
    expect(expectErrno(() => few.rollout(grown), "ENOSPC").message).toContain("has no free key");
    expect([few.size, few.read().b]).toEqual([2, 7]);
    expectSound(host);
  });

  test("without memory at any place: ENOMEM, and the old manifest stays", () => {
    const host = create();
    const store = host.createKvStore({ manifest: v1 });
    store.put(700, new Uint8Array(4070)); // so that a page is needed
    const before = taken(store);
    let failures = 0;
    for (let room = 0; ; room += 64) {
      setLimit(host, host.memoryUsage().bytes + room);
      try {
        store.rollout(v2);
        break;
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOMEM" });
        failures++;
      } finally {
        setLimit(host, 0);
      }
      expect([store.read(), taken(store)]).toEqual([OLD, before]);
    }
    expect(failures).toBeGreaterThan(2);
    expect(store.read()).toEqual(NEW);
    expectSound(host);
  });

  test("a handle that is bound to another manifest than that in force cannot roll out", () => {
    const host = create();
    const store = host.createKvStore({ manifest: v1 });
    host.pin("/s", store);
    const [late, unbound] = [host.openKvStore("/s", { manifest: v1 }), host.openKvStore("/s")];
    store.rollout(v2);
    const third = { pairs: { hits: { codec: u32 } } };
    expect(expectErrno(() => late.rollout(third), "ESTALE")).toBeInstanceOf(ManifestMismatchError);
    expect(expectErrno(() => unbound.rollout(third), "EINVAL").message).toContain(
      "bind() the one in force first",
    );
    // To the one in force there is nothing to do, and the handle is bound to it then.
    expect([late.rollout(v2).isEmpty, late.read()]).toEqual([true, NEW]);
    expect([unbound.rollout(v2).isEmpty, unbound.bind(v2).read()]).toEqual([true, NEW]);
  });

  test("a store without a manifest gets its first one, and loses it", () => {
    const host = create();
    const store = host.createKvStore();
    store.put(1, new Uint8Array(3).fill(5));
    const plan = store.rollout(v1);
    expect(store.read()).toEqual(OLD);
    expect([0, 1, 2, 3, 4].map((key) => store.sizeOf(key))).toEqual([4, 3, 4, 4, 2]); // key 1 was taken
    plan.undo();
    expect([store.size, store.get(1)]).toEqual([1, new Uint8Array(3).fill(5)]);
    expectErrno(() => store.read(), "ENOENT");
    store.put(0, new Uint8Array(77));
    expect(store.rollout({ pairs: {} }).isEmpty).toBe(true);
    expectSound(host);
  });

  describe("layouts that grow by themselves", () => {
    const grow = (from: unknown, value: unknown, to: unknown, initial?: unknown) => {
      const store = create().createKvStore({
        manifest: { pairs: { a: { codec: from as never, default: value as never } } },
      });
      const next = {
        pairs: { a: { codec: to as never, ...(initial === undefined ? {} : { default: initial as never }) } },
      };
      const plan = store.rollout(next as never);
      expect(plan.steps.map(({ action, undo }) => [action, undo])).toEqual([["grow", "reverted"]]);
      return { plan, store: store as unknown as KvStore<{ a: unknown }> };
    };

    test.each([
      [u8, 200, u16, 200, 300],
      [u16, 60000, u64, 60000n, 70000n],
      [u32, 2 ** 32 - 1, u53, 2 ** 32 - 1, 2 ** 33],
      [u53, 2 ** 53 - 1, u64, 2n ** 53n - 1n, 2n ** 53n],
      [bytes(2), Uint8Array.of(1, 2), bytes(4), Uint8Array.of(1, 2, 0, 0), Uint8Array.of(1, 2, 0, 1)],
      [cstring(4), "abc", cstring(8), "abc", "abcd"],
    ])("$name %o to $2.name", (from, value, to, grown, larger) => {
      const { plan, store } = grow(from, value, to);
      expect(store.read().a).toEqual(grown);
      plan.undo();
      expect(store.read().a).toEqual(value);
      const again = grow(from, value, to);
      again.store.pair("a").set(larger);
      expectErrno(() => again.plan.undo(), "EBUSY");
      again.plan.undo({ discardUpdates: true });
      expect(again.store.read().a).toEqual(value);
    });

    test("a struct with more fields takes them from the default, and an undo keeps the others", () => {
      const small = struct({ a: u32, b: u8 });
      const large = struct({ a: u32, b: u8, c: u8, d: array(u16, 2) });
      const { plan, store } = grow(small, { a: 1, b: 2 }, large, { a: 9, b: 9, c: 3, d: [4, 5] });
      expect(store.read().a).toEqual({ a: 1, b: 2, c: 3, d: [4, 5] });
      store.pair("a").set({ a: 10, b: 20, c: 30, d: [40, 50] });
      plan.undo();
      expect(store.read().a).toEqual({ a: 10, b: 20 });
    });

    test.each([
      ["fewer fields", struct({ a: u32, b: u32 }), struct({ a: u32 })],
      ["another order", struct({ a: u32, b: u32 }), struct({ b: u32, a: u32, c: u32 })],
      ["another type", struct({ a: u32 }), struct({ a: u16, b: u32 })],
      ["shorter bytes", bytes(4), bytes(3)],
      ["a narrower number", u16, u8],
      ["a float", u32, f64],
      ["u64 to u53", u64, u53],
      ["bytes to cstring", bytes(4), cstring(8)],
    ])("not: %s", (_name, from, to) => {
      const store = create().createKvStore({ manifest: { pairs: { a: { codec: from as never } } } });
      expect(caught(() => store.rollout({ pairs: { a: { codec: to as never } } }))).toBeInstanceOf(TypeError);
    });
  });

  test("a version alone keeps the value where it is", () => {
    const store = create().createKvStore({ manifest: { pairs: { a: { codec: u32, default: 5 } } } });
    const [a, key] = [store.pair("a"), store.pair("a").key];
    const plan = store.rollout({ pairs: { a: { codec: u32, version: 2 } } });
    expect(plan.steps.map(({ action, undo }) => [action, undo])).toEqual([["version", "kept"]]);
    expectErrno(() => a.get(), "ESTALE");
    expect([store.pair("a").key, store.pair("a").get()]).toEqual([key, 5]);
    store.pair("a").set(6);
    plan.undo();
    expect(a.get()).toBe(6);
  });

  test("a struct is converted, in both directions, a hundred times", () => {
    const host = create();
    const a = { pairs: { p: { codec: struct({ x: u16, y: u16 }), default: { x: 1, y: 2 } } } };
    const b = {
      pairs: {
        p: {
          codec: u32,
          convert: ({ x, y }: { x: number; y: number }) => x * 65536 + y,
          revert: (value: number) => ({ x: value >>> 16, y: value & 0xffff }),
        },
      },
    };
    const store = host.createKvStore({ manifest: a });
    const clean = taken(store);
    for (let i = 1; i <= 100; i++) {
      const plan = store.rollout(b);
      const p = store.bind(b).pair("p");
      p.set(p.get() + 65537);
      plan.undo();
      expect(store.read()).toEqual({ p: { x: 1 + i, y: 2 + i } });
    }
    expect([store.size, store.pages]).toEqual(clean.slice(0, 2));
    expectSound(host);
  });
});
