// What happens to an iterator when the map, and the memory, change under it: inside of show(), and between two reads.
import { describe, expect, it } from "vitest";
import { type MapIterator, u32, u53 } from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { HASHES, openAny } from "../support/every_type.ts";
import { hostOf } from "../support/host_of.ts";
import { linesOf, numbers, piecesOf, showKey, textOf } from "./pieces.ts";

describe.each(HASHES)("show() on a %s may", (type) => {
  const open = (count: number) => {
    const any = openAny(type, Math.max(count * 4, 100));
    for (let key = 0; key < count; key++) any.map.set(key, any.value(key));
    return any;
  };

  it("delete the entry that it is given: all are shown", () => {
    const { map } = open(300);
    const lines = linesOf(
      map.iterator({
        bufferSize: 20,
        show(seq, entry) {
          if (!entry) return;
          seq.write(`${entry.key}\n`);
          map.delete(entry.key);
          expect(entry.key).toBeLessThan(300);
        },
      }),
    );
    // An entry that is deleted and then does not fit is not there any more when it would be shown again.
    expect(new Set(lines).size).toBe(lines.length);
    expect(map.size).toBe(0);
    const all = open(300);
    const shown = linesOf(
      all.map.iterator({
        show(seq, entry) {
          showKey(seq, entry);
          if (entry) all.map.delete(entry.key);
        },
      }),
    );
    expect(shown.length).toBe(300);
  });

  it("delete others, which are not shown then", () => {
    const { map } = open(300);
    const gone = new Set<number>();
    const lines = linesOf(
      map.iterator({
        show(seq, entry) {
          if (!entry) return;
          expect(gone.has(entry.key)).toBe(false);
          seq.write(`${entry.key}\n`);
          const other = (entry.key * 7 + 1) % 300;
          if (map.delete(other)) gone.add(other);
        },
      }),
    );
    const shown = new Set(lines.map(Number));
    expect(shown.size).toBe(lines.length);
    for (let key = 0; key < 300; key++) expect(shown.has(key) || gone.has(key)).toBe(true);
  });

  it("empty the map, which ends the iteration", () => {
    const { map } = open(300);
    const iterator = map.iterator({
      show(seq, entry) {
        seq.write(entry ? "x" : "end");
        map.clear();
      },
    });
    expect(piecesOf(iterator)).toEqual(["xend"]);
  });

  it("insert and grow the map, and what was there is shown once", () => {
    const any = open(300);
    let fresh = 1000;
    const lines = linesOf(
      any.map.iterator({
        show(seq, entry) {
          showKey(seq, entry);
          if (entry && entry.key < 300) for (let i = 0; i < 2; i++) any.map.set(fresh++, any.value(1));
        },
      }),
    );
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.filter((key) => Number(key) < 300).length).toBe(300);
    expect(any.map.size).toBe(900);
  });

  it("iterate over the same map in every other way", () => {
    const any = open(20);
    const lines = linesOf(
      any.map.iterator({
        show(seq, entry) {
          if (!entry) return;
          const inner = linesOf(any.map.iterator({ show: showKey }));
          const drained = [...any.map.keys()].length;
          for (const batch of any.map.batches({ size: 3 })) expect(batch.count).toBeGreaterThan(0);
          expect(any.map.get(entry.key)).toEqual(entry.copy().value);
          seq.write(`${entry.key} ${inner.length} ${drained}\n`);
        },
      }),
    );
    expect(lines.map((line) => line.split(" ").slice(1))).toEqual(new Array(20).fill(["20", "20"]));
    expect(new Set(lines).size).toBe(20);
  });

  it("not read its own iterator", async () => {
    const { map } = open(2);
    const codes: string[] = [];
    const pending: Promise<void>[] = [];
    const iterator: MapIterator = map.iterator({
      show(seq, entry) {
        showKey(seq, entry);
        codes.push(expectErrno(() => iterator.read(), "EBUSY").message);
        pending.push(
          iterator.next().then(
            () => Promise.reject(new Error("it was read")),
            (error) => void codes.push(error.code),
          ),
        );
      },
    });
    expect(linesOf(iterator).length).toBe(2);
    await Promise.all(pending);
    expect(codes.filter((code) => code === "EBUSY").length).toBe(3);
    expect(codes[0]).toContain("is being read: show() reads the iterator that it shows for");
  });

  it("close its iterator, its map and its host, which ends it with EBADF", () => {
    for (const what of ["iterator", "map", "host"] as const) {
      const { map } = open(4);
      const host = hostOf(map);
      const iterator: MapIterator = map.iterator({
        bufferSize: 4,
        show(seq, entry) {
          showKey(seq, entry);
          ({ iterator, map, host })[what].close();
        },
      });
      if (what === "map") {
        expect(linesOf(iterator).length).toBe(4);
        expect(host.memoryUsage().bytes).toBe(0);
        continue;
      }
      const { message } = expectErrno(() => iterator.read(), "EBADF");
      expect(message).toContain(what === "host" ? "is closed, with its host (EBADF)" : "is closed (EBADF)");
      expectErrno(() => iterator.read(), "EBADF");
    }
  });

  it("not write after closing its iterator", () => {
    for (const data of ["x", "x".repeat(100), new Uint8Array(3)]) {
      const { map } = open(4);
      const iterator: MapIterator = map.iterator({
        show(seq) {
          seq.write("before");
          iterator.close();
          seq.write(data);
        },
      });
      expect(expectErrno(() => iterator.read(), "EBADF").message).toMatch(/^seq\.write: map "m"/);
      expect(hostOf(map).verify()).toEqual([]);
    }
  });

  it("throw after closing its iterator, and that comes out", () => {
    const { map } = open(4);
    const iterator: MapIterator = map.iterator({
      show() {
        iterator.close();
        throw new Error("on my own");
      },
    });
    expect(caught(() => iterator.read()).message).toBe("on my own");
    expectErrno(() => iterator.read(), "EBADF");
  });
});

describe("between two reads", () => {
  it("a write through an address is seen", () => {
    const { map, host } = numbers("rhash", 3);
    const iterator = map.iterator({
      bufferSize: 4,
      show: (seq, entry) => entry && seq.write(`${entry.value};`),
    });
    iterator.read();
    for (let key = 0; key < 3; key++) host.u32[map.lookup(key) >>> 2] = 555;
    expect(piecesOf(iterator)).toEqual(["555;", "555;"]);
  });

  it("the map may be replaced altogether", () => {
    const { map } = numbers("rhash", 200, 5000);
    const iterator = map.iterator({ bufferSize: 30, show: showKey });
    const first = textOf(iterator.read())?.split("\n").slice(0, -1) ?? [];
    map.clear();
    for (let key = 1000; key < 4000; key++) map.set(key, 1);
    const rest = linesOf(iterator);
    expect(rest.every((key) => Number(key) >= 1000)).toBe(true);
    expect(new Set([...first, ...rest]).size).toBe(first.length + rest.length);
  });

  it("an entry that is deleted and comes back is shown at most once", () => {
    const { map } = numbers("rhash", 200);
    const iterator = map.iterator({ bufferSize: 30, show: showKey });
    const lines: string[] = [];
    for (let piece = iterator.read(); piece !== undefined; piece = iterator.read()) {
      lines.push(...(textOf(piece) ?? "").split("\n").slice(0, -1));
      for (let key = 0; key < 200; key++) map.delete(key);
      for (let key = 0; key < 200; key++) map.set(key, 1);
    }
    expect(lines.length).toBe(200);
    expect(new Set(lines).size).toBe(200);
  });
});

describe("memory", () => {
  it("for one key is enough", () => {
    const { map, host } = numbers("rhash", 200);
    const { bytes } = host.memoryUsage();
    host.core.setLimit(bytes + 1024);
    const iterator = map.iterator({ show: showKey, bufferSize: 20 });
    expect(host.memoryUsage().bytes).toBeLessThanOrEqual(bytes + 1024);
    expect(new Set(linesOf(iterator)).size).toBe(200);
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("that is not there is ENOMEM, and nothing is held", () => {
    const { map, host } = numbers("rhash", 200);
    const { bytes } = host.memoryUsage();
    host.core.setLimit(bytes);
    const error = expectErrno(() => map.iterator({ show: showKey }), "ENOMEM");
    expect(error.message).toMatch(/^iterator: map "m" could not get memory/);
    host.core.setLimit(0);
    expect(host.memoryUsage().bytes).toBe(bytes);
    map.close();
    expect(host.memoryUsage().bytes).toBe(0);
  });

  it("grows while show() runs", () => {
    const { map, host } = numbers("rhash", 200);
    const before = host.u8.buffer;
    const lines = linesOf(
      map.iterator({
        show(seq, entry) {
          if (entry && host.u8.buffer === before) {
            host.createMap({ type: "array", key: u32, value: u53, maxEntries: 1_000_000 });
            expect(host.u8.buffer).not.toBe(before);
          }
          if (entry) seq.write(`${entry.key} ${entry.value}\n`);
        },
      }),
    );
    expect(new Set(lines)).toEqual(new Set(Array.from({ length: 200 }, (_, key) => `${key} ${100 + key}`)));
  });
});
