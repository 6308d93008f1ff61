// map.process with a filter in JavaScript: what it shows, deletes, dumps and leaves behind.
import { describe, expect, it } from "vitest";
import {
  ACT_DELETE,
  ACT_KEEP,
  ACT_STOP,
  attachHost,
  createHost,
  type HashMap,
  type HostOptions,
  LockTimeoutError,
  program,
  struct,
  u32,
  u53,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { HASHES, isPerCpu, openAny } from "../support/every_type.ts";
import { KINDS, openKind, valueFor } from "./kinds.ts";

const MEMORY = 64 * 1024 * 1024;

describe.each(["plain", "shared"] as const)("process on a %s host", (sort) => {
  const options: HostOptions = sort === "shared" ? { shared: true, cpus: 3 } : {};

  describe.each(KINDS)("$type $keySize+$valueSize flags $flags", (kind) => {
    it.each([0, 1, 10, 3000])(
      "shows each of %s entries once, and deletes what the filter says",
      (entries) => {
        const { host, map } = openKind(kind, entries, options);
        const seen: number[] = [];
        const values: number[] = [];
        const result = map.process({
          filter: (entry) => {
            values.push(entry.value.n);
            seen.push(entry.key);
            return entry.key % 3 === 0 ? ACT_DELETE : ACT_KEEP;
          },
        });
        const deleted = Math.ceil(entries / 3);
        expect(result).toEqual({ visited: entries, deleted, stopped: false });
        expect(values).toEqual(seen);
        expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: entries }, (_, n) => n));
        expect([...map.keys()].sort((a, b) => a - b)).toEqual(seen.filter((n) => n % 3 !== 0));
        expect(map.size).toBe(entries - deleted);
        expect(host.verify()).toEqual([]);
      },
    );

    it("gives what it deleted to the dumper, after the filter has seen everything", () => {
      const { host, map } = openKind(kind, 2000, options);
      const dumped: number[] = [];
      let filtered = 0;
      let wrong = 0;
      const result = map.process({
        filter: (entry) => {
          if (dumped.length > 0) wrong++;
          filtered++;
          if (entry.key % 2 === 0) return ACT_KEEP;
          entry.value.n += 10_000;
          return ACT_DELETE;
        },
        dumper: (entry) => {
          if (filtered !== 2000 || map.has(entry.key) || entry.value.n !== entry.key + 10_000) wrong++;
          dumped.push(entry.key);
        },
      });
      expect([result, wrong]).toEqual([{ visited: 2000, deleted: 1000, stopped: false }, 0]);
      expect(dumped.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, n) => 2 * n + 1));
      expect(host.verify()).toEqual([]);
    });

    it("takes everything out: the memory goes with it", () => {
      const { host, map } = openKind(kind, 3000, options);
      const empty = openKind(kind, 0, options);
      let sum = 0;
      const dumper = (entry: { key: number }) => {
        sum += entry.key;
      };
      map.process({ filter: () => ACT_DELETE, dumper });
      expect([sum, map.size, [...map]]).toEqual([(3000 * 2999) / 2, 0, []]);
      expect(host.verify()).toEqual([]);
      if (kind.type === "rhash" && sort === "plain") {
        expect(map.memoryUsage()).toBe(empty.map.memoryUsage());
      }
      for (let n = 0; n < 3000; n++) map.set(n, valueFor(kind, n));
      expect([map.size, host.verify()]).toEqual([3000, []]);
      map.close();
      expect(host.memoryUsage().bytes).toBe(0);
    });

    it("leaves nothing allocated, and gives memory back as deletes do", () => {
      const { host, map } = openKind(kind, 3000, options);
      map.process({ filter: () => ACT_KEEP });
      const before = host.memoryUsage();
      const outside = before.bytes - before.maps[0].bytes;
      map.process({ filter: (entry) => (entry.key >= 100 ? ACT_DELETE : ACT_KEEP), dumper: () => {} });
      const after = host.memoryUsage();
      expect(after.bytes - after.maps[0].bytes).toBe(outside);
      // Elements out of line of a shared host give memory back when the map is empty.
      if (kind.type === "rhash" && (sort === "plain" || kind.valueSize <= 8)) {
        expect(map.memoryUsage()).toBeLessThan(before.maps[0].bytes / 8);
      }
      expect([map.size, host.verify()]).toEqual([100, []]);
    });

    it("keeps every entry where it is until the run is over", () => {
      const { map } = openKind(kind, 1000, options);
      const at = new Map<number, [number, number]>();
      const check = (key: number, keyAddress: number, valueAddress: number) => {
        const known = at.get(key);
        if (known !== undefined) expect([keyAddress, valueAddress]).toEqual(known);
        at.set(key, [keyAddress, valueAddress]);
      };
      map.process({
        filter: (entry) => {
          check(entry.key, entry.keyAddress, entry.valueAddress);
          map.set(entry.key + 1000, valueFor(kind, entry.key + 1000));
          return entry.key < 1000 ? ACT_DELETE : ACT_STOP;
        },
        dumper: (entry) => check(entry.key, entry.keyAddress, entry.valueAddress),
      });
    });

    it("ends where the filter stops it", () => {
      const { map } = openKind(kind, 500, options);
      let calls = 0;
      const stop = () => (++calls === 100 ? ACT_STOP : ACT_KEEP);
      expect(map.process({ filter: stop })).toEqual({ visited: 100, deleted: 0, stopped: true });
      calls = 0;
      const dumped: number[] = [];
      const result = map.process({
        filter: () => (++calls === 100 ? ACT_DELETE | ACT_STOP : ACT_DELETE),
        dumper: (entry) => void dumped.push(entry.key),
      });
      expect(result).toEqual({ visited: 100, deleted: 100, stopped: true });
      expect([calls, dumped.length, map.size]).toEqual([100, 100, 400]);
    });

    it("lets the dumper come in between, by size", () => {
      const { map } = openKind(kind, 300, options);
      const order: string[] = [];
      map.process({
        filter: () => {
          order.push("f");
          return ACT_DELETE;
        },
        dumper: () => void order.push("d"),
        size: 2,
      });
      expect(order.join("")).toBe("ffdd".repeat(150));
    });

    it("shows no entry that the filter has deleted, and each that stays once", () => {
      const { host, map } = openKind(kind, 1000, options);
      const seen = new Set<number>();
      const wrong: number[] = [];
      map.process({
        filter: (entry) => {
          const { key } = entry;
          if (seen.has(key) || !map.has(key)) wrong.push(key);
          seen.add(key);
          // Each takes its neighbour with it, whether that one has been here or not.
          map.delete(key ^ 1);
          return ACT_KEEP;
        },
      });
      expect([map.size, seen.size, wrong]).toEqual([500, 500, []]);
      expect(host.verify()).toEqual([]);
    });
  });

  it("what a filter may do to its map", () => {
    const { host, map } = openKind(KINDS[0], 1000, options);
    // Updates of itself and others; inserts may come or not, but not twice.
    const counts = new Map<number, number>();
    let written = 0;
    map.process({
      filter: (entry) => {
        counts.set(entry.key, (counts.get(entry.key) ?? 0) + 1);
        if (entry.key < 1000) {
          map.set(entry.key, { n: 7 });
          if (entry.value.n === 7) written++;
          map.set(entry.key + 1000, { n: 8 });
        }
        return ACT_KEEP;
      },
    });
    expect(written).toBe(1000);
    for (let n = 0; n < 1000; n++) if (!counts.has(n)) counts.set(n, 0);
    expect([...counts].filter(([, times]) => times !== 1)).toEqual([]);
    expect(map.size).toBe(2000);

    // Deletes the current entry by itself: that is not the run's.
    const gone = map.process({ filter: (entry) => (map.delete(entry.key) ? ACT_DELETE : ACT_KEEP) });
    expect(gone).toEqual({ visited: 2000, deleted: 0, stopped: false });

    // Clears the map: nothing more comes.
    for (let n = 0; n < 1000; n++) map.set(n, { n });
    const clears = () => {
      map.clear();
      return ACT_KEEP;
    };
    expect(map.process({ filter: clears }).visited).toBe(1);
    expect([map.size, host.verify()]).toEqual([0, []]);

    // Deleted and set again before its turn: a new entry, which may come.
    for (let n = 0; n < 100; n++) map.set(n, { n });
    const values = new Map<number, number>();
    map.process({
      filter: (entry) => {
        for (let n = 0; n < 100; n++)
          if (!values.has(n) && n !== entry.key && map.delete(n)) map.set(n, { n: n + 500 });
        values.set(entry.key, entry.value.n);
        return ACT_DELETE;
      },
    });
    for (const [key, n] of values) expect([key, key + 500]).toContain(n);
    expect(host.verify()).toEqual([]);
  });

  it("runs in runs, iterators and batches in a filter", () => {
    const { host, map } = openKind(KINDS[1], 60, options);
    const keys = [...map.keys()].sort((a, b) => a - b);
    let inner = 0;
    const result = map.process({
      filter: (entry) => {
        inner += map.process({ filter: (other) => (other.key === entry.key ? ACT_KEEP : ACT_STOP) }).visited;
        let others = 0;
        for (const _ of map) others++;
        for (const batch of map.batches({ size: 7 })) others += batch.count;
        expect(others).toBe(2 * map.size);
        return entry.key % 2 === 0 ? ACT_DELETE : ACT_KEEP;
      },
    });
    expect(result).toEqual({ visited: 60, deleted: 30, stopped: false });
    expect(inner).toBeGreaterThanOrEqual(60);
    expect([...map.keys()].sort((a, b) => a - b)).toEqual(keys.filter((key) => key % 2 === 1));
    const empties = () => {
      map.process({ filter: () => ACT_DELETE });
      return ACT_KEEP;
    };
    expect(map.process({ filter: empties }).visited).toBe(1);
    expect([map.size, host.verify()]).toEqual([0, []]);
  });

  it("goes on when the filter closes the map, and not when it freezes it", () => {
    const { host, map } = openKind(KINDS[0], 100, options);
    host.pin("/m", map);
    const other = host.open("/m", { key: u32, value: struct({ n: u53 }), type: "rhash" });
    host.unpin("/m");
    const result = other.process({
      filter: (entry) => {
        other.close();
        map.close();
        return entry.key % 2 === 0 ? ACT_DELETE : ACT_KEEP;
      },
    });
    expect(result).toEqual({ visited: 100, deleted: 50, stopped: false });
    expect(host.memoryUsage().bytes).toBe(0);

    const frozen = openKind(KINDS[0], 100, options).map;
    let calls = 0;
    const filter = () => {
      if (++calls === 10) frozen.freeze();
      return ACT_DELETE;
    };
    expectErrno(() => frozen.process({ filter }), "EPERM");
    expect([calls, frozen.size]).toEqual([10, 91]);
    expect(expectErrno(() => frozen.process({ filter }), "EPERM").message).toContain('map "m" is frozen');
  });

  it("an error of the filter ends the run; what it deleted is dumped", () => {
    const { host, map } = openKind(KINDS[0], 1000, options);
    const dumped: number[] = [];
    let calls = 0;
    const error = caught(() =>
      map.process({
        filter: () => {
          if (++calls === 500) throw new Error("no more");
          return ACT_DELETE;
        },
        dumper: (entry) => void dumped.push(entry.key),
      }),
    );
    expect(error.message).toBe("no more");
    expect([map.size, dumped.length, host.registry.sections]).toEqual([501, 499, 0]);
    expect(host.verify()).toEqual([]);
  });

  it.each([4, 8, -1, 5, 0.5, NaN, true, undefined, "1", {}])("EINVAL for the action %s", (action) => {
    const { host, map } = openKind(KINDS[0], 100, options);
    let calls = 0;
    const filter = () => (++calls === 50 ? (action as number) : ACT_DELETE);
    const error = expectErrno(() => map.process({ filter }), "EINVAL");
    expect(error.message).toMatch(/^process: map "m" was given a filter that returned .*ACT_DELETE/);
    expect([map.size, calls]).toEqual([51, 50]);
    expect(host.verify()).toEqual([]);
  });

  it("an error of the dumper: what it has not seen is back", () => {
    const { host, map } = openKind(KINDS[0], 1000, options);
    const dumped: number[] = [];
    const error = caught(() =>
      map.process({
        filter: () => ACT_DELETE,
        dumper: (entry) => {
          if (dumped.push(entry.key) === 300) throw new Error("disk full");
          if (dumped.length === 1) map.set(999, { n: 5 });
        },
      }),
    );
    expect(error.message).toBe("disk full");
    const back = new Set(map.keys());
    expect(dumped.filter((key) => back.has(key) && key !== 999)).toEqual([]);
    expect(new Set([...back, ...dumped]).size).toBe(1000);
    expect([map.get(999), host.verify()]).toEqual([{ n: 5 }, []]);
    // A dumper that has filled the map: what does not fit is lost, and it says so.
    const full = openKind(KINDS[0], 100, options).map;
    const lost = expectErrno(
      () =>
        full.process({
          filter: () => ACT_DELETE,
          dumper: () => {
            for (let n = 1000; n < 1210; n++) full.set(n, { n });
            throw new Error("hidden behind the loss");
          },
        }),
      "E2BIG",
    );
    expect(lost.message).toContain("99 deleted entries that the dumper has not seen; they are lost");
  });

  it("bad arguments", () => {
    const { host, map } = openKind(KINDS[0], 10, options);
    const filter = () => ACT_DELETE;
    type Options = Parameters<typeof map.process>[0];
    const message = (value: unknown) => caught(() => map.process(value as Options));
    const typeErrors: [unknown, string][] = [
      [undefined, 'process: map "m": expected { filter'],
      [{}, "filter: expected a function"],
      [{ filter: 1 }, "filter: expected a function"],
      [{ filter: async () => ACT_DELETE }, "filter: expected a plain function"],
      [{ filter: () => Promise.resolve(ACT_DELETE) }, "returned a promise"],
      [{ filter, dumper: async () => {} }, "dumper: expected a plain function"],
      [{ filter, dumper: "x" }, "dumper: expected a function"],
      [{ filter, size: "3" }, "size: expected"],
      [{ filter, budget: 3 }, "budget: expected { entries }"],
      [{ filter, budget: {} }, "got neither"],
      [{ filter, budget: { entries: "1" } }, "budget.entries: expected a number"],
      [{ filter, cursor: 3 }, "cursor: expected the cursor"],
      [
        { filter, cursor: { position: -1, behind: 0, seen: new Uint8Array(0) } },
        "cursor: expected the cursor",
      ],
    ];
    for (const [value, text] of typeErrors) {
      const error = message(value);
      expect([error.constructor.name, error.message]).toEqual(["TypeError", expect.stringContaining(text)]);
    }
    const rangeErrors: [unknown, string][] = [
      [{ filter, size: 0 }, "size"],
      [{ filter, size: 1.5 }, "size"],
      [{ filter, budget: { entries: 0 } }, "budget.entries: expected more than 0"],
      [{ filter, budget: { microseconds: NaN } }, "budget.microseconds: expected more than 0"],
      [{ filter, cursor: { position: 1, behind: 0, seen: new Uint8Array(3) } }, "of another map"],
    ];
    for (const [value, text] of rangeErrors) {
      const error = message(value);
      expect([error.constructor.name, error.message]).toEqual(["RangeError", expect.stringContaining(text)]);
    }
    expect([map.size, host.registry.sections]).toEqual([10, 0]);
    map.close();
    expectErrno(() => map.process({ filter }), "EBADF");
  });

  it("per-CPU values", () => {
    const any = openAny("percpu_hash", 100);
    for (let key = 0; key < 50; key++) any.map.set(key, any.value(key));
    const sums: number[] = [];
    const result = any.map.process({
      filter: (entry) => {
        sums.push([...(entry.value as number[])].reduce((a, b) => a + b));
        return (entry.key as number) < 10 ? ACT_DELETE : ACT_KEEP;
      },
    });
    expect(result).toEqual({ visited: 50, deleted: 10, stopped: false });
    expect(sums.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, key) => 3 * key + 3));
  });

  it("without memory for its victims the dumper comes early; without any at all ENOMEM", () => {
    const { host, map } = openKind(KINDS[0], 20_000, options);
    const setLimit = (bytes: number) =>
      (host.core as unknown as { setLimit(bytes: number): void }).setLimit(bytes);
    let first = -1;
    let filtered = 0;
    setLimit(host.memoryUsage().bytes + 40_000);
    const result = map.process({
      filter: () => {
        filtered++;
        return ACT_DELETE;
      },
      dumper: () => {
        if (first < 0) first = filtered;
      },
    });
    setLimit(0);
    expect(result).toEqual({ visited: 20_000, deleted: 20_000, stopped: false });
    expect(first).toBeLessThan(20_000);
    expect([map.size, host.verify()]).toEqual([0, []]);
    map.set(1, { n: 1 });
    setLimit(host.memoryUsage().bytes);
    expectErrno(() => map.process({ filter: () => ACT_DELETE }), "ENOMEM");
    setLimit(0);
    expect(map.size).toBe(1);
  });
});

it("a host closed by the filter or the dumper", () => {
  for (const closes of ["filter", "dumper"]) {
    const { host, map } = openKind(KINDS[0], 100);
    const close = (here: string) => {
      if (here === closes) host.close();
      return ACT_DELETE;
    };
    const run = () => map.process({ filter: () => close("filter"), dumper: () => void close("dumper") });
    expect(expectErrno(run, "EBADF").message).toContain("with its host");
    expect(host.closed).toBe(true);
  }
});

describe.each(HASHES)("%s", (type) => {
  it("read-only and write-only handles", () => {
    const host = createHost({ seed: 1, maxMemory: MEMORY });
    for (const flags of [8, 16]) {
      const map = host.createMap({
        type,
        name: "m",
        key: u32,
        value: u32,
        maxEntries: 10,
        flags,
      }) as unknown as HashMap<number, unknown>;
      expectErrno(() => map.process({ filter: () => ACT_KEEP }), "EPERM");
    }
  });

  it("in a section the run works, and what it deleted stays until the section's end", () => {
    const host = createHost({ seed: 1, maxMemory: MEMORY });
    const map = host.createMap({ type, key: u32, value: u32, maxEntries: 2000 }) as unknown as HashMap<
      number,
      unknown
    >;
    const value = (n: number) => (isPerCpu(type) ? Array.from({ length: host.cpus }, () => n) : n);
    for (let n = 0; n < 1000; n++) map.set(n, value(n));
    host.section(() => {
      const at = map.lookup(7);
      map.process({ filter: () => ACT_DELETE, dumper: () => {} });
      for (let n = 1000; n < 2000; n++) map.set(n, value(n));
      expect(host.u32[at >>> 2]).toBe(7);
    });
    expect([map.size, host.verify()]).toEqual([1000, []]);
  });
});

it("on a shared host a dumper in a section is EDEADLK", () => {
  const { host, map } = openKind(KINDS[0], 10, { shared: true, cpus: 2 });
  host.section(() => {
    expectErrno(() => map.process({ filter: () => ACT_DELETE, dumper: () => {} }), "EDEADLK");
    expect(map.process({ filter: () => ACT_DELETE }).deleted).toBe(10);
  });
  expect(map.size).toBe(0);
});

describe("a grace period that does not end", () => {
  it("is a LockTimeoutError that names the thread, and everything is back", () => {
    const { host, map } = openKind(KINDS[0]!, 100, { shared: true, cpus: 2, lockTimeout: 30 });
    const other = attachHost(host.share());
    const dumped: number[] = [];
    const run = () =>
      map.process({ filter: () => ACT_DELETE, dumper: (entry) => void dumped.push(entry.key) });
    other.section(() => {
      const error = caught(run);
      expect(error).toBeInstanceOf(LockTimeoutError);
      expect((error as LockTimeoutError).owner).toBe(1);
    });
    expect([dumped, map.size, host.verify()]).toEqual([[], 100, []]);
    // Without a dumper there is nothing to wait for; and what is unlinked stays readable in the other's section.
    host.pin("/m", map);
    const theirs = other.open("/m", { key: u32, value: struct({ n: u53 }) });
    other.section(() => {
      const address = theirs.lookup(7);
      expect(map.process({ filter: () => ACT_DELETE }).deleted).toBe(100);
      map.set(1000, { n: 1 });
      expect(other.u32[address >>> 2]).toBe(7);
    });
    for (let n = 0; n < 100; n++) map.set(n, { n });
    expect(run().deleted).toBe(101);
    expect(dumped.length).toBe(101);
    other.detach();
  });
});

it("what goes back passes the low-water mark like any insert", () => {
  const host = createHost({ seed: 1, maxMemory: MEMORY });
  let calls = 0;
  const map = host.createMap({
    type: "rhash",
    key: u32,
    value: u32,
    maxEntries: 100,
    lowWater: {
      free: 10,
      grow: (grown) => {
        calls++;
        grown.grow(200);
      },
    },
  });
  for (let n = 0; n < 90; n++) map.set(n, n);
  const error = caught(() =>
    map.process({
      filter: () => ACT_DELETE,
      dumper: () => {
        for (let n = 100; n < 105; n++) map.set(n, n);
        throw new Error("no");
      },
    }),
  );
  expect([error.message, map.size, calls, map.info.maxEntries]).toEqual(["no", 94, 1, 200]);
  expect(host.verify()).toEqual([]);
});

describe("a compiled program and the life of its map", () => {
  it("is for its own map, open, and on every handle of it", () => {
    const { host, map } = openKind(KINDS[0]!, 10);
    const { map: other } = openKind(KINDS[0]!, 10);
    const filter = program(map, ({ value }) => value.n.lt(5).then(ACT_DELETE));
    const error = caught(() => other.process({ filter } as never));
    expect([error.constructor.name, error.message]).toEqual([
      "TypeError",
      'process: map "m": filter: is a program of map "m"',
    ]);
    host.pin("/m", map);
    const handle = host.open("/m", { key: u32, value: struct({ n: u53 }), type: "rhash" });
    expect(handle.process({ filter }).deleted).toBe(5);
    filter.close();
    expect(expectErrno(() => map.process({ filter }), "EBADF").message).toContain("is closed");
    expect(map.size).toBe(5);
  });

  it("ends with EBADF when the dumper closes it: its counters are no longer its memory", () => {
    for (const backend of ["wasm", "js"] as const) {
      const { host, map } = openKind(KINDS[0]!, 100);
      host.pin("/m", map);
      const filter = program(
        map,
        (_, { counters }) => [counters.n.add(1), counters.n.value.ge(0).then(ACT_DELETE)],
        {
          counters: { n: u32 },
          backend,
        },
      );
      expectErrno(() => map.process({ filter, dumper: () => map.close(), size: 1 }), "EBADF");
      expect(host.verify()).toEqual([]);
    }
  });

  it("as a dumper it adds up what it sees", () => {
    const { map } = openKind(KINDS[2]!, 100);
    const dumper = program(map, ({ value }, { counters }) => counters.sum.add(value.n), {
      counters: { sum: u53 },
    });
    expect(map.process({ filter: () => ACT_DELETE, dumper }).deleted).toBe(100);
    expect(dumper.counters.sum).toBe(4950);
  });
});
