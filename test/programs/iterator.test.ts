// BPF iterators: what a read gives, where the next one goes on, and what show() may do meanwhile.
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  BPF_F_WRONLY,
  createHost,
  type EntryMap,
  type HashMap,
  type MapIterator,
  type MapType,
  type ReadonlyEntry,
  type ReadonlyPercpuEntry,
  type Seq,
  struct,
  u8,
  u32,
  u53,
} from "../../src/index.ts";
import { bytesPerCall } from "../support/allocation.ts";
import { caught, expectErrno } from "../support/caught.ts";
import { ARRAYS, EVERY_TYPE, HASHES, openAny } from "../support/every_type.ts";

const decoder = new TextDecoder();
const textOf = (piece: Uint8Array | undefined): string | undefined => piece && decoder.decode(piece);

/** All pieces from here to the end, as text. */
function piecesOf(iterator: MapIterator): string[] {
  const pieces: string[] = [];
  for (let piece = iterator.read(); piece !== undefined; piece = iterator.read()) {
    expect(piece.length).toBeGreaterThan(0);
    pieces.push(decoder.decode(piece));
  }
  return pieces;
}

const linesOf = (iterator: MapIterator): string[] => piecesOf(iterator).join("").split("\n").slice(0, -1);

function numbers(type: MapType = "rhash", count = 3, maxEntries = Math.max(count, 8)) {
  const host = createHost({ seed: 7, maxMemory: 64 * 1024 * 1024 });
  const created = host.createMap({ type, name: "m", key: u32, value: u32, maxEntries });
  const map = created as unknown as HashMap<number, number>;
  for (let key = 0; key < count; key++) map.set(key, 100 + key);
  return { host, map };
}

const showKey = (seq: Seq, entry: ReadonlyEntry<number, unknown> | undefined) =>
  entry && seq.write(`${entry.key}\n`);

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
      expect(error.syscall).toBe("read");
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

describe("show() returns", () => {
  it("1 to see the same element again", () => {
    const { map } = numbers("array", 3, 3);
    let ready = false;
    const iterator = map.iterator({
      show(seq, entry) {
        seq.write(entry ? `${entry.key}` : "end");
        return entry?.key === 1 && !ready ? 1 : 0;
      },
    });
    expect(textOf(iterator.read())).toBe("0");
    const error = expectErrno(() => iterator.read(), "EAGAIN");
    expect(error.message).toBe(
      'iterator.read: an iterator of map "m" is to show element 1 again, as show() has returned (EAGAIN)',
    );
    expectErrno(() => iterator.read(), "EAGAIN");
    ready = true;
    expect(piecesOf(iterator)).toEqual(["12end"]);
  });

  it("1 from the final call to be called again", () => {
    const { map } = numbers("array", 1, 1);
    let calls = 0;
    const iterator = map.iterator({
      show(seq, entry) {
        seq.write(entry ? "0" : "end");
        return entry || ++calls > 2 ? 0 : 1;
      },
    });
    expect(textOf(iterator.read())).toBe("0");
    expect(expectErrno(() => iterator.read(), "EAGAIN").message).toContain("the final call again");
    expect(piecesOf(iterator)).toEqual(["end"]);
  });

  it.each([2, -1, true, false, "0", null, {}])("%j, which is a TypeError", (result) => {
    const { map } = numbers("array", 1, 1);
    const iterator = map.iterator({ show: () => result as never });
    const error = caught(() => iterator.read());
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(
      /^iterator\.read: map "m": show: expected nothing, 0 or 1 to be returned, got /,
    );
  });

  it("a promise, which is one too", () => {
    const { map } = numbers("array", 1, 1);
    const iterator = map.iterator({ show: (async () => undefined) as never });
    expect(caught(() => iterator.read()).message).toMatch(/got Promise$/);
  });
});

describe("show() throws", () => {
  function failing(type: MapType = "array") {
    const { map } = numbers(type, 4, 4);
    const calls: unknown[] = [];
    const state = { fails: true };
    const iterator = map.iterator({
      show(seq, entry) {
        calls.push(entry?.key);
        seq.write(entry ? `${entry.key}` : "end");
        if (state.fails && entry?.key === 2) throw new RangeError("no twos");
      },
    });
    return { map, iterator, calls, state };
  }

  it("the error once what was shown before has been read, and goes on at that element", () => {
    const { iterator, calls, state } = failing();
    expect(textOf(iterator.read())).toBe("01");
    expect(caught(() => iterator.read())).toEqual(new RangeError("no twos"));
    expect(calls).toEqual([0, 1, 2]);
    expect(caught(() => iterator.read())).toEqual(new RangeError("no twos"));
    expect(calls).toEqual([0, 1, 2, 2]);
    state.fails = false;
    expect(piecesOf(iterator)).toEqual(["23end"]);
  });

  it("from the final call, too", () => {
    const { map } = numbers("array", 1, 1);
    let fails = true;
    const iterator = map.iterator({
      show(seq, entry) {
        if (!entry && fails) throw new Error("no footer");
        seq.write(entry ? "0" : "end");
      },
    });
    expect(textOf(iterator.read())).toBe("0");
    expect(caught(() => iterator.read()).message).toBe("no footer");
    fails = false;
    expect(piecesOf(iterator)).toEqual(["end"]);
  });

  it("what is not an error, and undefined", () => {
    const { map } = numbers("array", 1, 1);
    const iterator = map.iterator({
      show() {
        throw undefined;
      },
    });
    let thrown: unknown = "nothing";
    try {
      iterator.read();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeUndefined();
  });
});

describe("seq", () => {
  it("writes text as UTF-8, short and long, and bytes as they are", () => {
    const texts = [
      "",
      "ascii",
      "zwölf",
      "€",
      "𝄞 clef",
      "a\ud800b",
      "é".repeat(100),
      "x".repeat(100),
      "\0\t\n",
    ];
    const { map } = numbers("array", texts.length, texts.length);
    const bytes = Uint8Array.of(0, 255, 128);
    const iterator = map.iterator({
      show: (seq, entry) => (entry ? seq.write(texts[entry.key]) : seq.write(bytes)),
    });
    const expected = [...texts.map((text) => new TextEncoder().encode(text)), bytes];
    expect(iterator.read()).toEqual(new Uint8Array(Buffer.concat(expected)));
  });

  it.each(["é", "€", "𝄞", "x".repeat(24), "x".repeat(25), `${"x".repeat(22)}€`, `${"x".repeat(70)}€`])(
    "never ends a piece inside of %s",
    (text) => {
      const { length } = new TextEncoder().encode(text);
      for (let room = 0; room < length; room++) {
        const { map } = numbers("array", 2, 2);
        const iterator = map.iterator({
          bufferSize: length,
          show: (seq, entry) => entry && seq.write(entry.key === 0 ? "-".repeat(length - room) : text),
        });
        expect(piecesOf(iterator)).toEqual(["-".repeat(length - room), text]);
      }
      const { map } = numbers("array", 1, 1);
      expectErrno(
        () => map.iterator({ bufferSize: length - 1 || 1, show: (seq) => seq.write(`${text}!`) }).read(),
        "E2BIG",
      );
    },
  );

  it.each([5, null, undefined, ["a"], new Uint16Array(2), {}])("does not write %j", (data) => {
    const { map } = numbers("array", 1, 1);
    const iterator = map.iterator({ show: (seq) => seq.write(data as never) });
    const error = caught(() => iterator.read());
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^seq\.write: map "m": expected a string or a Uint8Array, got /);
  });

  it("is EBADF to write to outside of show()", () => {
    const { map } = numbers("array", 1, 1);
    let kept: Seq | undefined;
    const iterator = map.iterator({
      show(seq) {
        kept = seq;
        seq.write("x");
      },
    });
    iterator.read();
    const error = expectErrno(() => kept?.write("late"), "EBADF");
    expect(error.message).toBe('seq.write: map "m" is written to outside of show() (EBADF)');
  });

  it("knows its map, a session of its own, and how many elements were shown", () => {
    const { map } = numbers("array", 2, 2);
    const seen: unknown[] = [];
    const show = (seq: Seq) => {
      seen.push([seq.map === map, seq.session, seq.number]);
    };
    map.iterator({ show }).read();
    map.iterator({ show }).read();
    const [, session] = seen[0] as [boolean, number];
    expect(seen).toEqual(
      [session, session + 1].flatMap((id) => [0, 1, 2].map((number) => [true, id, number])),
    );
  });
});

describe("entry", () => {
  it("is a copy that cannot be written", () => {
    const value = struct({ hits: u32, at: struct({ ms: u53 }) });
    const host = createHost({ seed: 1 });
    const map = host.createMap({ type: "rhash", name: "m", key: u32, value, maxEntries: 8 });
    map.set(1, { hits: 2, at: { ms: 3 } });
    const errors: string[] = [];
    const iterator = map.iterator({
      show(_seq, entry) {
        if (!entry) return;
        const before = entry.value.hits;
        map.set(1, { hits: 50, at: { ms: 60 } });
        expect([before, entry.value.hits, entry.value.at.ms]).toEqual([2, 2, 3]);
        expect(host.u32[entry.valueAddress >>> 2]).toBe(2);
        expect(host.u32[entry.keyAddress >>> 2]).toBe(1);
        errors.push(caught(() => Object.assign(entry.value.at, { ms: 4 })).message);
        errors.push(caught(() => Object.assign(entry, { key: 4 })).message);
      },
    });
    expect(iterator.read()).toBeUndefined();
    expect(errors).toEqual([
      'entry: map "m": value.at.ms: this is a copy of the entry; write with set() of the map',
      'entry: map "m": key: a key cannot be written; delete the entry and set() another',
    ]);
    expect(map.get(1)).toEqual({ hits: 50, at: { ms: 60 } });
  });

  it("is EFAULT to read after show() has returned, and in the final call", () => {
    const { map } = numbers("array", 1, 1);
    let kept: ReadonlyEntry<number, number> | undefined;
    let inFinalCall: Error | undefined;
    const iterator = map.iterator({
      show(seq, entry) {
        if (entry) {
          kept = entry;
          seq.write("x");
        } else inFinalCall = caught(() => kept?.value);
      },
    });
    iterator.read();
    expect(inFinalCall?.message).toContain("EFAULT");
    expectErrno(() => kept?.value, "EFAULT");
    expectErrno(() => kept?.copy(), "EFAULT");
  });

  it("is the same object for every element and every iterator, but for those that run inside of show()", () => {
    const { map } = numbers("array", 2, 2);
    const seen: unknown[] = [];
    const inner = () =>
      map.iterator({
        show(_seq, entry) {
          if (entry) seen.push(entry);
        },
      });
    inner().read();
    inner().read();
    const [first] = seen;
    expect(seen).toHaveLength(4);
    for (const entry of seen) expect(entry).toBe(first);
    const outer = map.iterator({
      show(_seq, entry) {
        if (!entry) return;
        const { key } = entry;
        inner().read();
        expect(seen.at(-1) === entry).toBe(false);
        expect([entry === first, entry.key, entry.value]).toEqual([true, key, 100 + key]);
      },
    });
    expect(outer.read()).toBeUndefined();
  });

  it("costs no allocation", () => {
    const line = new TextEncoder().encode("a line of text\n");
    const bytesPerRun = (entries: number) => {
      const { map } = numbers("rhash", entries);
      const sum = new Float64Array(1);
      const show = (seq: Seq, entry: ReadonlyEntry<number, number> | undefined) => {
        if (!entry) return;
        sum[0] += entry.key + entry.value;
        seq.write(line);
      };
      const bytes = bytesPerCall(() => {
        const iterator = map.iterator({ show });
        while (iterator.read() !== undefined);
      }, 20);
      expect(sum[0]).toBeGreaterThan(0);
      return bytes;
    };
    expect((bytesPerRun(20_000) - bytesPerRun(1000)) / 19_000).toBeLessThan(2);
  });

  it("has the slots of a per-CPU map, and the thread's own", () => {
    const host = createHost({ cpus: 3 });
    for (const type of ["percpu_hash", "percpu_array"] as const) {
      const map = host.createMap({ type, key: u32, value: struct({ hits: u32 }), maxEntries: 1 });
      map.set(0, [{ hits: 1 }, { hits: 2 }, { hits: 3 }]);
      const iterator = map.iterator({
        show(seq, entry) {
          if (!entry) return;
          expectTypeOf(entry).toEqualTypeOf<ReadonlyPercpuEntry<number, { hits: number }>>();
          seq.write(`${entry.local.hits} of ${entry.value.reduce((sum, { hits }) => sum + hits, 0)}`);
        },
      });
      expect(piecesOf(iterator)).toEqual(["1 of 6"]);
    }
  });
});

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
      const { host } = map;
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
      expect(map.host.verify()).toEqual([]);
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
      lines.push(...decoder.decode(piece).split("\n").slice(0, -1));
      for (let key = 0; key < 200; key++) map.delete(key);
      for (let key = 0; key < 200; key++) map.set(key, 1);
    }
    expect(lines.length).toBe(200);
    expect(new Set(lines).size).toBe(200);
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

describe("the codec", () => {
  it("of a value that is not what it says throws as show() does, and the entry stays", () => {
    const host = createHost({ seed: 1 });
    const map = host.createMap({ type: "array", name: "m", key: u32, value: u53, maxEntries: 2 });
    map.view(BigUint64Array)[1] = 2n ** 60n;
    const iterator = map.iterator({ show: (seq, entry) => entry && seq.write(`${entry.value};`) });
    expect(textOf(iterator.read())).toBe("0;");
    expect(caught(() => iterator.read()).message).toMatch(/^entry: map "m": value: expected u53 /);
    map.set(1, 5);
    expect(piecesOf(iterator)).toEqual(["5;"]);
  });
});

describe("for await", () => {
  it("gives the pieces", async () => {
    const { map, host } = numbers("array", 4, 4);
    const { bytes } = host.memoryUsage();
    const iterator = map.iterator({ bufferSize: 4, show: showKey });
    expectTypeOf(iterator[Symbol.asyncIterator]()).toEqualTypeOf<MapIterator>();
    const pieces: string[] = [];
    for await (const piece of iterator) pieces.push(decoder.decode(piece));
    expect(pieces).toEqual(["0\n1\n", "2\n3\n"]);
    expect(host.memoryUsage().bytes).toBe(bytes);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("closes the iterator when it is left", async () => {
    const { map, host } = numbers("array", 4, 4);
    const { bytes } = host.memoryUsage();
    const iterator = map.iterator({ bufferSize: 4, show: showKey });
    for await (const piece of iterator) {
      expect(piece.length).toBe(4);
      break;
    }
    expect(host.memoryUsage().bytes).toBe(bytes);
    expectErrno(() => iterator.read(), "EBADF");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(await iterator.return()).toEqual({ done: true, value: undefined });
  });

  it("throws what a read throws, and closes the iterator", async () => {
    const { map, host } = numbers("array", 4, 4);
    const { bytes } = host.memoryUsage();
    const iterator = map.iterator({
      show(seq, entry) {
        if (entry?.key === 2) throw new Error("no twos");
        showKey(seq, entry);
      },
    });
    const pieces: string[] = [];
    const loop = async () => {
      for await (const piece of iterator) pieces.push(decoder.decode(piece));
    };
    await expect(loop()).rejects.toThrow("no twos");
    expect(pieces).toEqual(["0\n1\n"]);
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("is how pipeline() reads it, which closes it when the other end fails", async () => {
    const { map, host } = numbers("array", 400, 400);
    const { bytes } = host.memoryUsage();
    const pieces: string[] = [];
    const sink = new Writable({
      highWaterMark: 1,
      write(piece, _encoding, done) {
        pieces.push(piece.toString());
        done(pieces.length === 2 ? new Error("hung up") : null);
      },
    });
    await expect(pipeline(map.iterator({ bufferSize: 4, show: showKey }), sink)).rejects.toThrow("hung up");
    expect(pieces).toEqual(["0\n1\n", "2\n3\n"]);
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("is EBADF when the host is closed", async () => {
    const { map, host } = numbers("array", 4, 4);
    const iterator = map.iterator({ bufferSize: 4, show: showKey });
    await iterator.next();
    host.close();
    await expect(iterator.next()).rejects.toMatchObject({ code: "EBADF" });
  });
});

describe("a stream", () => {
  it("gives the pieces to a Response", async () => {
    const { map, host } = numbers("rhash", 1000);
    const { bytes } = host.memoryUsage();
    const response = new Response(map.iterator({ bufferSize: 100, show: showKey }).stream());
    const keys = (await response.text()).split("\n").slice(0, -1);
    expect(host.memoryUsage().bytes).toBe(bytes);
    expect(new Set(keys)).toEqual(new Set(Array.from(map.keys(), String)));
    expect(keys.length).toBe(1000);
  });

  it("shows nothing before it is asked to, and no more than a piece", async () => {
    const { map } = numbers("array", 8, 8);
    let calls = 0;
    const iterator = map.iterator({
      bufferSize: 4,
      show(seq, entry) {
        calls++;
        showKey(seq, entry);
      },
    });
    const reader = iterator.stream().getReader();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(calls).toBe(0);
    expect(textOf((await reader.read()).value)).toBe("0\n1\n");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(calls).toBe(3);
    map.set(2, 9);
    expect(textOf((await reader.read()).value)).toBe("2\n3\n");
    await reader.cancel();
    expectErrno(() => iterator.read(), "EBADF");
  });

  it("closes the iterator when it is cancelled", async () => {
    const { map, host } = numbers("array", 8, 8);
    const { bytes } = host.memoryUsage();
    const stream = map.iterator({ bufferSize: 4, show: showKey }).stream();
    for await (const piece of stream) {
      expect(piece.length).toBe(4);
      break;
    }
    expect(host.memoryUsage().bytes).toBe(bytes);
    await map.iterator({ show: showKey }).stream().cancel();
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("fails with what a read throws, and closes the iterator", async () => {
    const { map, host } = numbers("array", 4, 4);
    const { bytes } = host.memoryUsage();
    const stream = map.iterator({ bufferSize: 1, show: showKey }).stream();
    await expect(new Response(stream).text()).rejects.toMatchObject({ code: "E2BIG" });
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("goes through pipes", async () => {
    const { map } = numbers("array", 4, 4);
    const upper = new TransformStream<Uint8Array, string>({
      transform: (piece, controller) => controller.enqueue(decoder.decode(piece).replaceAll("\n", ",")),
    });
    const parts: string[] = [];
    await map
      .iterator({ bufferSize: 5, show: showKey })
      .stream()
      .pipeThrough(upper)
      .pipeTo(new WritableStream({ write: (part) => void parts.push(part) }));
    expect(parts).toEqual(["0,1,", "2,3,"]);
  });

  it("of an empty map is empty", async () => {
    const { map } = numbers("rhash", 0);
    expect(await new Response(map.iterator({ show: showKey }).stream()).text()).toBe("");
  });
});

describe("types", () => {
  it("of entries are those of the map", () => {
    const host = createHost();
    const map = host.createMap({ type: "hash", key: struct({ a: u8 }), value: u32, maxEntries: 1 });
    map.iterator({
      show(_seq, entry) {
        expectTypeOf(entry).toEqualTypeOf<ReadonlyEntry<{ a: number }, number> | undefined>();
      },
    });
    const any: EntryMap<unknown, unknown> = map;
    expectTypeOf(any.iterator).returns.toEqualTypeOf<MapIterator>();
    host.close();
  });
});
