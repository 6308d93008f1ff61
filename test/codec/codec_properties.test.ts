import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  array,
  bytes,
  type Codec,
  cstring,
  spinLock,
  struct,
  u8,
  u16,
  u32,
  u53,
} from "../../src/codec/index.ts";
import { bytesPerCall } from "../support/core/allocation.ts";
import { bySize } from "../support/size.ts";
import { layoutsWithValue, seeded } from "./codec_layouts.ts";

describe("random nested layouts", () => {
  const START = 16;

  it("every value comes back the same, and every byte is written", () => {
    const property = fc.property(
      layoutsWithValue,
      fc.integer({ min: 0, max: START }),
      ({ layout, value }, start) => {
        const { codec, used } = layout;
        expect(codec.size).toBe(used.length);
        const write = (fill: number) => {
          const memory = new Uint8Array(start + codec.size + 8).fill(fill);
          codec.encode(value, new DataView(memory.buffer), start);
          const outside = [...memory.subarray(0, start), ...memory.subarray(start + codec.size)];
          expect(outside.every((byte) => byte === fill)).toBe(true);
          return memory.subarray(start, start + codec.size);
        };
        const written = write(0xff);
        expect(written).toEqual(write(0x00));
        for (let i = 0; i < used.length; i++) if (!used[i]) expect(written[i]).toBe(0);
        const view = new DataView(written.buffer, written.byteOffset, written.byteLength);
        expect(codec.decode(view, 0)).toStrictEqual(value);
      },
    );
    fc.assert(property, { numRuns: bySize(30, 500), ...seeded });
  });

  it("an error gives the path of the one wrong value", () => {
    type Step = string | number;
    const isBranch = (value: unknown): value is Record<Step, unknown> =>
      typeof value === "object" && value !== null && !(value instanceof Uint8Array);
    const leaves = (value: unknown, path: Step[] = []): Step[][] =>
      isBranch(value)
        ? Object.keys(value).flatMap((key) =>
            leaves(value[key], [...path, Array.isArray(value) ? Number(key) : key]),
          )
        : [path];
    const replace = (value: unknown, [step, ...rest]: Step[], by: unknown): unknown => {
      if (step === undefined || !isBranch(value)) return by;
      const copy = Array.isArray(value) ? [...value] : { ...value };
      Reflect.set(copy, step, replace(value[step], rest, by));
      return copy;
    };
    const property = fc.property(layoutsWithValue, fc.nat(), ({ layout, value }, pick) => {
      const paths = leaves(value);
      const path = paths[pick % paths.length];
      const wrong = replace(value, path, Symbol("wrong"));
      const words = path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`)).join("");
      const view = new DataView(new ArrayBuffer(layout.codec.size));
      let message = "";
      try {
        layout.codec.encode(wrong, view, 0);
      } catch (error) {
        message = String(error);
      }
      const start = words === "" ? "TypeError: expected " : `TypeError: ${words}: expected `;
      expect(message.startsWith(start) && message.endsWith(", got symbol"), `${message} at ${words}`).toBe(
        true,
      );
    });
    fc.assert(property, { numRuns: bySize(25, 300), ...seeded });
  });
});

describe("allocation", () => {
  const inner = struct({ address: bytes(16), port: u16 });
  const codec = struct({
    proto: u8,
    lock: spinLock,
    ends: array(inner, 2),
    comm: cstring(16),
    packets: u53,
    hash: u32,
  });
  const end = { address: new Uint8Array(16).fill(7), port: 443 };
  // Small integers: V8 keeps other numbers unboxed in objects and boxes them (16 bytes) whenever generic code reads them.
  const value = { proto: 6, ends: [end, end], comm: "naïve name", packets: 12, hash: 1 };
  const view = new DataView(new ArrayBuffer(codec.size));

  it("the measure sees a single small object", () => {
    let last: unknown;
    const perCall = bytesPerCall(() => {
      last = { port: view.getUint8(0) };
    });
    expect(last).toEqual({ port: 0 });
    expect(perCall).toBeGreaterThan(8);
  });

  it("encode allocates nothing", () => {
    expect(bytesPerCall(() => codec.encode(value, view, 0))).toBeLessThan(4);
  });

  it.each<[string, Codec<unknown>]>([
    ["u8", u8],
    ["u32", u32],
    ["an empty cstring", cstring(16)], // engines have one empty string: what remains is the codec's own
  ])("decode of %s allocates nothing", (_, { decode }) => {
    const zeros = new DataView(new ArrayBuffer(16));
    expect(bytesPerCall(() => decode(zeros, 0))).toBeLessThan(4);
  });
});
