import { describe, expect, it } from "vitest";
import { bySize } from "../support/size.ts";
import { freshCore, mix32, testSeed } from "./core.ts";

describe("the arena", () => {
  it("never hands out overlapping or unaligned blocks, and counts every byte", () => {
    const seed = testSeed();
    const { core, memory } = freshCore();
    const live: { address: number; bytes: number; mark: number }[] = [];
    let inUse = 0;
    const granules = (bytes: number) => Math.ceil(bytes / 64) * 64;
    for (let step = 0; step < bySize(3000, 10_000); step++) {
      const random = mix32(seed + step);
      if (random % 5 < 3 || live.length === 0) {
        // Mostly small, now and then up to 2 MiB, and all kinds of odd sizes.
        const bytes = 1 + (mix32(random) % (random % 50 === 0 ? 1 << 21 : random % 7 === 0 ? 1 << 16 : 1000));
        const address = core.allocate(bytes) >>> 0;
        expect(address, `seed ${seed} step ${step}`).toBeGreaterThan(4096);
        expect(address % 64).toBe(0);
        const mark = step & 255;
        new Uint8Array(memory.buffer, address, bytes).fill(mark);
        live.push({ address, bytes, mark });
        inUse += granules(bytes);
      } else {
        const [block] = live.splice(random % live.length, 1);
        const held = new Uint8Array(memory.buffer, block.address, block.bytes);
        // A block that overlapped this one would have been filled with another mark at its ends.
        expect([held[0], held[block.bytes >> 1], held[block.bytes - 1]], `seed ${seed} step ${step}`).toEqual(
          Array(3).fill(block.mark),
        );
        core.release(block.address, block.bytes);
        inUse -= granules(block.bytes);
      }
      expect(core.bytesInUse() >>> 0).toBe(inUse);
    }
    for (const { address, bytes } of live) core.release(address, bytes);
    expect(core.bytesInUse()).toBe(0);
  });

  it("joins what was freed: everything freed, the largest block fits again without more memory", () => {
    const { core, memory } = freshCore();
    const large = core.allocate(8 << 20) >>> 0;
    core.release(large, 8 << 20);
    const size = memory.buffer.byteLength;
    const blocks = Array.from({ length: 50_000 }, () => core.allocate(100) >>> 0);
    // In an order that frees no neighbours one after the other.
    blocks.sort((a, b) => mix32(a) - mix32(b));
    for (const address of blocks) core.release(address, 100);
    expect(core.allocate(8 << 20) >>> 0).toBe(large);
    expect(memory.buffer.byteLength).toBe(size);
  });

  it("answers 0 at the limit of the memory, and goes on when something was freed", () => {
    const { core } = freshCore({ maxBytes: 4 << 20 });
    const blocks: number[] = [];
    for (;;) {
      const address = core.allocate(65536) >>> 0;
      if (address === 0) break;
      blocks.push(address);
    }
    // 4 MiB less the page of fixed addresses and the bitmap.
    expect(blocks.length).toBe(63);
    expect(core.allocate(64) >>> 0).toBe(0);
    core.release(blocks[17], 65536);
    expect(core.allocate(65536) >>> 0).toBe(blocks[17]);
  });

  it("refuses sizes beyond what addresses reach", () => {
    const { core } = freshCore();
    expect(core.allocate(0)).toBe(0);
    expect(core.allocate(0xffffffff)).toBe(0);
    expect(core.allocate(0x80000001)).toBe(0);
  });
});
