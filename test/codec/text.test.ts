// text(): its bytes, its limits, and what comes back, beside the platform's own encoder.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { array, createMap, struct, text, u32 } from "../../src/index.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("codec/text.test.ts");

function encode(value: unknown, maxBytes: number, fill = 0xff): Uint8Array {
  const codec = text(maxBytes);
  const memory = new Uint8Array(codec.size + 16).fill(fill);
  codec.encode(value as string, new DataView(memory.buffer), 8);
  const around = [...memory.subarray(0, 8), ...memory.subarray(8 + codec.size)];
  if (around.some((byte) => byte !== fill)) throw new Error("wrote beside its room");
  return memory.slice(8, 8 + codec.size);
}

describe("text", () => {
  test("has the length, the UTF-8, and zeros", () => {
    expect([...encode("aé", 5)]).toEqual([3, 0, 0, 0, 0x61, 0xc3, 0xa9, 0, 0, 0, 0, 0]);
    expect([...encode("", 1)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...encode("\0", 1)]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
    expect(text(5)).toMatchObject({ name: "text(5)", size: 12, align: 4, maxBytes: 5 });
    expect(text().maxBytes).toBe(256);
    expect(text(4096).size).toBe(4100);
  });

  test("any Unicode text comes back, and what does not fit is refused", () => {
    const any = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: "binary-ascii", maxLength: 70 }),
    );
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 60 }), (value, maxBytes) => {
        const bytes = new TextEncoder().encode(value);
        const codec = text(maxBytes);
        if (/\p{Surrogate}/u.test(value)) expect(() => encode(value, maxBytes)).toThrow("lone surrogate");
        else if (bytes.length > maxBytes) {
          expect(() => encode(value, maxBytes)).toThrow(
            `at most ${maxBytes} bytes of UTF-8), got ${bytes.length} bytes`,
          );
        } else {
          const encoded = encode(value, maxBytes);
          const end = 4 + bytes.length;
          // The other form does not care what stands behind the text.
          const bare = new Uint8Array(codec.size).fill(0xee);
          codec.bare.encode(value, new DataView(bare.buffer), 0);
          const found = [
            Buffer.compare(encoded.subarray(4, end), bytes),
            Buffer.compare(encoded.subarray(end), new Uint8Array(codec.size - end)),
            Buffer.compare(bare.subarray(0, end), encoded.subarray(0, end)),
            codec.decode(new DataView(encoded.buffer), 0) === value,
            codec.bare.decode(new DataView(bare.buffer), 0) === value,
          ];
          expect(found).toEqual([0, 0, 0, true, true]);
        }
      }),
      { seed, numRuns: bySize(30, 400) },
    );
  });

  test("a length that is too large reads as the whole room, and bytes that are no UTF-8 as U+FFFD", () => {
    const bytes = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x61, 0xff, 0x62, 0x63);
    expect(text(4).decode(new DataView(bytes.buffer), 0)).toBe("a\ufffdbc");
  });

  test("refuses what is no string, and limits that are none", () => {
    expect(() => encode(7, 5)).toThrow(new TypeError("expected text(5) (a string), got number 7"));
    expect(() => text(0)).toThrow(new RangeError("text(0): expected a limit of 1..4096 bytes, got 0"));
    expect(() => text(4097)).toThrow(RangeError);
    expect(() => text(1.5)).toThrow(RangeError);
    expect(() => text("8" as never)).toThrow(TypeError);
  });

  test("stands in structs, arrays and values, with its whole room", () => {
    const layout = struct({ id: u32, tags: array(text(6), 2) });
    expect(layout.size).toBe(4 + 2 * 12);
    const map = createMap({
      type: "hash",
      key: struct({ path: text(10), port: u32 }),
      value: layout,
      maxEntries: 4,
    });
    map.set({ path: "/ä", port: 1 }, { id: 7, tags: ["x", "ÿ水"] });
    expect(map.get({ path: "/ä", port: 1 })).toEqual({ id: 7, tags: ["x", "ÿ水"] });
    expect(map.stats().layout).not.toBe("texts");
    expect(map.verify()).toEqual([]);
    map.close();
  });
});
