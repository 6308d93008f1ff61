// Bytes and texts in programs: equality with constants and with each other, and single bytes.
import { describe, expect, it } from "vitest";
import {
  array,
  type BytesExpression,
  bytes,
  cstring,
  type NumberExpression,
  struct,
  type TextExpression,
  u8,
} from "../../src/index.ts";
import { compute, holds } from "../support/programs/run.ts";
import { bySize } from "../support/size.ts";

const LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 31, 32, 33, 40, 63, 64, 65, 72, 79, 300];

/** Bytes at the ends of the words that a comparison goes by. */
const EDGES = [0, 7, 8, 15, 16, 31, 32, 63, 64];

describe("bytes", () => {
  it.each(LENGTHS)("of %i: every byte counts", (length) => {
    const a = Uint8Array.from({ length }, (_, i) => i * 7 + 1);
    // Behind the run stand other bytes, which must not matter.
    const fields = { pad: u8, a: bytes(length), x: u8, b: bytes(length), y: u8 };
    const value = (b: Uint8Array) => ({ pad: 9, a, x: 1, b, y: 2 });
    type Of = Record<"a" | "b", BytesExpression>;
    expect(holds(fields, value(a), ({ a: run }: Of) => run.eq(a))).toBe(true);
    expect(holds(fields, value(a), ({ a: run, b }: Of) => run.eq(b))).toBe(true);
    expect(holds(fields, value(a), ({ a: run, b }: Of) => run.ne(b))).toBe(false);
    const places =
      length > 80
        ? [0, 7, 8, 31, 32, 263, 295, 296, 299]
        : Array.from(a.keys()).filter((i) => bySize(EDGES.includes(i) || i === length - 1, true));
    for (const i of places) {
      const other = a.slice();
      other[i] ^= 0x80;
      expect(holds(fields, value(other), ({ a: run }: Of) => run.eq(other))).toBe(false);
      expect(holds(fields, value(other), ({ a: run, b }: Of) => run.eq(b))).toBe(false);
      expect(holds(fields, value(other), ({ a: run }: Of) => run.ne(other))).toBe(true);
    }
  });

  it("of the same array are told apart by an index", () => {
    const fields = { i: u8, list: array(bytes(3), 3) };
    const list = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5, 6), Uint8Array.of(0, 0, 0)];
    type Of = { i: NumberExpression; list: { at(i: NumberExpression | number): BytesExpression } };
    const at = (i: number, other: Uint8Array) =>
      holds(fields, { i, list }, (of: Of) => of.list.at(of.i).eq(other));
    expect(at(1, Uint8Array.of(4, 5, 6))).toBe(true);
    expect(at(0, Uint8Array.of(4, 5, 6))).toBe(false);
    // Beside the array there are zeros.
    expect(at(3, Uint8Array.of(0, 0, 0))).toBe(true);
    expect(holds(fields, { i: 200, list }, (of: Of) => of.list.at(of.i).eq(of.list.at(2)))).toBe(true);
  });
});

describe("texts", () => {
  const holdsText = (size: number, text: string, other: string) =>
    holds({ t: cstring(size) }, { t: text }, ({ t }: { t: TextExpression }) => t.eq(other));

  it("equal constants up to their NUL", () => {
    expect(holdsText(8, "abc", "abc")).toBe(true);
    expect(holdsText(8, "abc", "ab")).toBe(false);
    expect(holdsText(8, "ab", "abc")).toBe(false);
    expect(holdsText(8, "", "")).toBe(true);
    expect(holdsText(4, "abc", "abc")).toBe(true);
    expect(holdsText(80, "x".repeat(79), "x".repeat(79))).toBe(true);
    expect(holdsText(80, "x".repeat(79), "x".repeat(78))).toBe(false);
    expect(holdsText(16, "résumé", "résumé")).toBe(true);
  });

  /** Raw bytes under a field that is read as text. */
  const raw = (left: number[], right: number[]) => {
    const layout = { a: cstring(left.length), b: cstring(right.length) };
    const bytesOf = { a: bytes(left.length), b: bytes(right.length) };
    const value = { a: Uint8Array.from(left), b: Uint8Array.from(right) };
    const codec = struct(layout);
    // The text codec's expression over bytes that another codec wrote.
    const overlaid = { ...struct(bytesOf), fields: codec.fields, offsets: codec.offsets };
    type Of = { both: { a: TextExpression; b: TextExpression } };
    return ["eq", "ne"].map((how) =>
      holds({ both: overlaid as never }, { both: value }, ({ both }: Of) => both.a[how as "eq"](both.b)),
    );
  };

  it.each([
    [[97, 98, 0, 1], [97, 98, 0, 2], true],
    [[97, 98, 0, 1], [97, 98, 0], true],
    [[97, 98, 0], [97, 98, 0, 9, 9], true],
    [[97, 98], [97, 98], true],
    [[97, 98], [97, 98, 0], true],
    [[97, 98, 0], [97, 98], true],
    [[97, 98], [97, 98, 99], false],
    [[97, 98, 99], [97, 98], false],
    [[97, 98], [97, 99], false],
    [[0], [0, 97], true],
    [[97], [0], false],
  ])("%j and %j: %s", (left, right, same) => {
    expect(raw(left, right)).toEqual([same, !same]);
  });
});

describe("byte", () => {
  it("at an index, 0 beside the run", () => {
    const fields = { i: u8, b: bytes(3) };
    const value = (i: number) => ({ i, b: Uint8Array.of(10, 20, 255) });
    const read = (i: number) =>
      compute(
        fields as never,
        value(i) as never,
        ((of: { i: NumberExpression; b: BytesExpression }) => of.b.byte(of.i)) as never,
      );
    expect([0, 1, 2, 3, 255].map(read)).toEqual([10n, 20n, 255n, 0n, 0n]);
    expect(
      compute(fields as never, value(0) as never, ((of: { b: BytesExpression }) => of.b.byte(2)) as never),
    ).toBe(255n);
    const text = { t: cstring(4) };
    expect(
      compute(text as never, { t: "ab" } as never, ((of: { t: TextExpression }) => of.t.byte(1)) as never),
    ).toBe(98n);
  });
});
