// BPF iterators over every type of map, and what a read gives.
import { describe, expect, it } from "vitest";
import { BPF_F_WRONLY, type ReadonlyEntry, type Seq, u32 } from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { ARRAYS, EVERY_TYPE, openAny } from "../support/every_type.ts";
import { linesOf, numbers, piecesOf, showKey, textOf } from "./pieces.ts";

describe.each(EVERY_TYPE)("an iterator of a %s", (type) => {
  it("shows every entry once, and calls once more at the end", () => {
    const any = openAny(type, 500);
    for (let key = 0; key < 500; key++) any.map.set(key, any.value(key));
    const calls: unknown[] = [];
    const iterator = any.map.iterator({
      show(seq, entry) {
        calls.push(entry?.copy());
        if (entry) seq.write(`${JSON.stringify([entry.key, entry.value])}\n`);
        else seq.write("end\n");
      },
    });
    const lines = linesOf(iterator);
    expect(lines.at(-1)).toBe("end");
    const entries = lines.slice(0, -1).map((line) => JSON.parse(line));
    expect(new Map(entries)).toEqual(new Map(any.map));
    expect(entries.length).toBe(500);
    expect(calls.at(-1)).toBeUndefined();
    expect(calls.slice(0, -1)).toEqual(entries.map(([key, value]) => ({ key, value })));
    expect(iterator.read()).toBeUndefined();
    expect(calls.length).toBe(501);
  });

  it("goes in the order of a scan", () => {
    const any = openAny(type, 3000);
    for (let key = 0; key < 3000; key++) any.map.set(key, any.value(key));
    const scanned: number[] = [];
    for (const batch of any.map.batches({ size: 64 })) for (const [key] of batch.entries()) scanned.push(key);
    expect(linesOf(any.map.iterator({ show: showKey, bufferSize: 50 })).map(Number)).toEqual(scanned);
  });

  it("shows values of the moment of their turn, and nothing that was deleted before it", () => {
    const any = openAny(type, 8);
    const isArray = ARRAYS.includes(type);
    for (let key = 0; key < 8; key++) any.map.set(key, any.value(key));
    const shown = new Map<number, unknown>();
    const iterator = any.map.iterator({
      bufferSize: 2,
      show(seq, entry) {
        if (!entry) return;
        seq.write(`${entry.key}`);
        shown.set(entry.key, entry.copy().value);
        if (shown.size === 1) any.map.set((entry.key + 1) % 8, any.value(1000));
      },
    });
    const [first] = piecesOf(iterator).join("");
    expect(shown.get((Number(first) + 1) % 8)).toEqual(any.value(1000));
    const order = [...shown.keys()];
    const again = any.map.iterator({ show: showKey, bufferSize: 4 });
    expect(textOf(again.read())).toBe(`${order[0]}\n${order[1]}\n`);
    if (!isArray) {
      any.map.delete(order[2]);
      any.map.delete(order[4]);
    }
    const rest = isArray ? order.slice(2) : [order[3], order[5], order[6], order[7]];
    expect(linesOf(again).map(Number)).toEqual(rest);
  });

  it("gives the map and the memory back at its end, and when it is closed", () => {
    const any = openAny(type, 100);
    const { host } = any.map;
    for (let key = 0; key < 100; key++) any.map.set(key, any.value(key));
    const { bytes } = host.memoryUsage();
    const toEnd = any.map.iterator({ show: showKey });
    const closed = any.map.iterator({ show: showKey, bufferSize: 10 });
    expect(host.memoryUsage().bytes).toBeGreaterThan(bytes);
    closed.read();
    closed.close();
    closed.close();
    piecesOf(toEnd);
    expect(host.memoryUsage().bytes).toBe(bytes);
    {
      using iterator = any.map.iterator({ show: showKey, bufferSize: 10 });
      iterator.read();
    }
    expect(host.memoryUsage().bytes).toBe(bytes);
    any.map.close();
    expect(host.memoryUsage().bytes).toBe(0);
  });
});

describe("a read", () => {
  it("gives at most bufferSize bytes, by default 32 KiB, and as many elements as fit", () => {
    const { map } = numbers("rhash", 5000);
    const element = "x".repeat(59);
    const show = (seq: Seq, entry: unknown) => entry && seq.write(`${element}\n`);
    const lengths = piecesOf(map.iterator({ show: show as typeof showKey })).map(({ length }) => length);
    const most = Math.floor(32768 / 60) * 60;
    expect(new Set(lengths.slice(0, -1))).toEqual(new Set([most]));
    expect(lengths.reduce((sum, length) => sum + length)).toBe(5000 * 60);
  });

  it("never splits an element: one that does not fit is taken back and shown again", () => {
    const { map } = numbers("array", 4, 4);
    const calls: string[] = [];
    const iterator = map.iterator({
      bufferSize: 10,
      show(seq, entry) {
        const text = entry ? `[${entry.key}:` : "end";
        calls.push(`${seq.number} ${text}`);
        seq.write(text);
        if (entry) seq.write(new TextEncoder().encode("ab]"));
      },
    });
    expect(textOf(iterator.read())).toBe("[0:ab]");
    expect(calls).toEqual(["0 [0:", "1 [1:"]);
    expect(piecesOf(iterator)).toEqual(["[1:ab]", "[2:ab]", "[3:ab]end"]);
    expect(calls.slice(2)).toEqual(["1 [1:", "2 [2:", "2 [2:", "3 [3:", "3 [3:", "4 end"]);
  });

  it("fills the buffer to its last byte", () => {
    const { map } = numbers("array", 4, 4);
    const iterator = map.iterator({
      bufferSize: 4,
      show: (seq, entry) => entry && seq.write(`${entry.key};`),
    });
    expect(piecesOf(iterator)).toEqual(["0;1;", "2;3;"]);
  });

  it("gives bytes of their own", () => {
    const { map } = numbers("array", 4, 4);
    const iterator = map.iterator({
      bufferSize: 2,
      show: (seq, entry) => entry && seq.write(`${entry.key};`),
    });
    const pieces = [iterator.read(), iterator.read()];
    expect(pieces.map(textOf)).toEqual(["0;", "1;"]);
    expect(pieces[0]?.buffer.byteLength).toBe(2);
  });

  it("goes on over elements that write nothing", () => {
    const { map } = numbers("rhash", 1000);
    const iterator = map.iterator({
      show(seq, entry) {
        if (entry?.key === 7) seq.write("7");
      },
    });
    expect(piecesOf(iterator)).toEqual(["7"]);
    expect(piecesOf(map.iterator({ show: () => undefined }))).toEqual([]);
  });

  it("is E2BIG for an element that writes more than the whole buffer, and stays at it", () => {
    const { map } = numbers("array", 3, 3);
    let long = "too long";
    const iterator = map.iterator({
      bufferSize: 5,
      show: (seq, entry) => entry && seq.write(entry.key === 1 ? long : `${entry.key}`),
    });
    expect(textOf(iterator.read())).toBe("0");
    for (let i = 0; i < 2; i++) {
      const error = expectErrno(() => iterator.read(), "E2BIG");
      expect(error.message).toBe(
        'iterator.read: an iterator of map "m" cannot show element 1: it writes more than bufferSize = 5 bytes (E2BIG); ' +
          "give it a larger one",
      );
      expect([error.operation, error.syscall]).toEqual(["iterator.read", undefined]);
    }
    long = "short";
    expect(piecesOf(iterator)).toEqual(["short", "2"]);
  });

  it("is E2BIG for a final call that does, too", () => {
    const { map } = numbers("array", 1, 1);
    let footer = "a footer";
    const iterator = map.iterator({ bufferSize: 5, show: (seq, entry) => seq.write(entry ? "0" : footer) });
    expect(textOf(iterator.read())).toBe("0");
    expect(expectErrno(() => iterator.read(), "E2BIG").message).toContain("cannot show the final call");
    footer = "end";
    expect(piecesOf(iterator)).toEqual(["end"]);
  });

  it("overflows by many small writes as by one, and keeps none of them", () => {
    const { map } = numbers("array", 2, 2);
    let pieces = 20;
    const iterator = map.iterator({
      bufferSize: 8,
      show(seq, entry) {
        if (entry?.key === 1) for (let i = 0; i < pieces; i++) seq.write("x");
        else seq.write(entry ? "head" : "");
      },
    });
    expect(textOf(iterator.read())).toBe("head");
    expectErrno(() => iterator.read(), "E2BIG");
    pieces = 3;
    expect(textOf(iterator.read())).toBe("xxx");
  });

  it("keeps nothing that is written behind what did not fit", () => {
    const { map } = numbers("array", 1, 1);
    let long = "123456789";
    const iterator = map.iterator({
      bufferSize: 8,
      show(seq, entry) {
        if (!entry) return;
        seq.write(long);
        seq.write(Uint8Array.of(65));
        seq.write("b");
      },
    });
    expectErrno(() => iterator.read(), "E2BIG");
    long = "1";
    expect(piecesOf(iterator)).toEqual(["1Ab"]);
  });

  it("is undefined at the end, and ever after, also when map and host are closed", () => {
    const { map, host } = numbers();
    const iterator = map.iterator({ show: showKey });
    piecesOf(iterator);
    iterator.close();
    map.close();
    expect(iterator.read()).toBeUndefined();
    host.close();
    expect(iterator.read()).toBeUndefined();
  });

  it("is EBADF when the iterator is closed", () => {
    const { map } = numbers();
    const iterator = map.iterator({ show: showKey });
    iterator.close();
    const error = expectErrno(() => iterator.read(), "EBADF");
    expect(error.message).toBe('iterator.read: an iterator of map "m" is closed (EBADF)');
  });
});

describe("header and footer", () => {
  const framed = (seq: Seq, entry: ReadonlyEntry<number, number> | undefined) => {
    if (seq.number === 0) seq.write("<");
    if (entry) seq.write(`${entry.key}`);
    else seq.write(`|${seq.number}>`);
  };

  it("stand around the elements, however often they are shown", () => {
    for (const bufferSize of [4, 5, 6, 7, 100]) {
      const { map } = numbers("array", 4, 4);
      expect(piecesOf(map.iterator({ bufferSize, show: framed })).join("")).toBe("<0123|4>");
    }
  });

  it("come in one call for an empty map", () => {
    const { map } = numbers("rhash", 0);
    expect(piecesOf(map.iterator({ show: framed }))).toEqual(["<|0>"]);
  });
});

describe("the map", () => {
  it("is held by the iterator when all its handles are closed", () => {
    const { map, host } = numbers("hash", 3);
    const iterator = map.iterator({ bufferSize: 2, show: showKey });
    iterator.read();
    map.close();
    expect(host.memoryUsage().maps.length).toBe(1);
    expect(linesOf(iterator).length).toBe(2);
    expect(host.memoryUsage()).toMatchObject({ bytes: 0, maps: [] });
  });

  it("goes with its host, and the read says so", () => {
    const { map, host } = numbers("hash", 3);
    const iterator = map.iterator({ bufferSize: 2, show: showKey });
    iterator.read();
    host.close();
    const error = expectErrno(() => iterator.read(), "EBADF");
    expect(error.message).toBe('iterator.read: an iterator of map "m" is closed, with its host (EBADF)');
  });

  it("may be frozen", () => {
    const { map } = numbers("hash", 3);
    map.freeze();
    expect(linesOf(map.iterator({ show: showKey })).length).toBe(3);
  });

  it("must be open, and for reading", () => {
    const { map, host } = numbers();
    map.close();
    expect(expectErrno(() => map.iterator({ show: showKey }), "EBADF").message).toMatch(/^iterator: map "m"/);
    const writeOnly = host.createMap({
      type: "hash",
      key: u32,
      value: u32,
      maxEntries: 1,
      flags: BPF_F_WRONLY,
    });
    expect(expectErrno(() => writeOnly.iterator({ show: showKey }), "EPERM").syscall).toBe("iter_create");
  });
});

describe("options", () => {
  const refusal = (options: unknown) => caught(() => numbers().map.iterator(options as never));

  it.each([
    [undefined, TypeError, "expected options { show }, got undefined"],
    [null, TypeError, "expected options { show }, got null"],
    [{}, TypeError, "show: expected a function, got undefined"],
    [{ show: 5 }, TypeError, "show: expected a function, got number 5"],
    [
      { show: showKey, bufferSize: "1" },
      TypeError,
      'bufferSize: expected an integer 1..1073741824, got string "1"',
    ],
    [
      { show: showKey, bufferSize: 0 },
      RangeError,
      "bufferSize: expected an integer 1..1073741824, got number 0",
    ],
    [{ show: showKey, bufferSize: 1.5 }, RangeError, "bufferSize: expected an integer 1..1073741824, got "],
    [{ show: showKey, bufferSize: 2 ** 30 + 1 }, RangeError, "bufferSize: expected an integer 1..1073741824"],
  ])("%j are refused", (options, Kind, message) => {
    const error = refusal(options);
    expect(error).toBeInstanceOf(Kind);
    expect(error.message).toContain(`iterator: map "m": ${message}`);
  });

  it("that are refused take no memory", () => {
    const { map, host } = numbers();
    const { bytes } = host.memoryUsage();
    caught(() => map.iterator({ show: showKey, bufferSize: 0 }));
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("keep their `this`", () => {
    const { map } = numbers("array", 1, 1);
    const options = {
      text: "mine",
      show(seq: Seq) {
        seq.write(this.text);
      },
    };
    expect(piecesOf(map.iterator(options)).join("")).toBe("minemine");
  });
});
