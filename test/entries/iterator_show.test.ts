// What show() is handed, what it may write, return and throw.
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  createHost,
  type EntryMap,
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
import { caught, expectErrno } from "../support/caught.ts";
import { numbers, piecesOf, textOf } from "./pieces.ts";

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
