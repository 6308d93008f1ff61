// Where the secrets of hashes come from: in Node (src/node.ts), and elsewhere (src/random.ts).
import { afterEach, describe, expect, it, vi } from "vitest";
import { drawBytes as drawInNode } from "../src/node.ts";
import { drawBytes } from "../src/random.ts";

describe.each([
  ["Node", drawInNode],
  ["other places", drawBytes],
])("random bytes in %s", (_, draw) => {
  it("fill what they are drawn into, and never come again", () => {
    const drawn = new Set<string>();
    // 24 bytes are a table's, 512 a host's; some draws do not fit what is left of a pool, one is larger than a pool.
    for (const size of [24, 512, 2048, 24, 2040, 24, 5000, 16]) {
      const bytes = new Uint8Array(size);
      expect(draw(bytes)).toBe(bytes);
      expect(bytes.subarray(-16).some((byte) => byte !== 0)).toBe(true);
      for (let at = 0; at + 8 <= size; at += 8) drawn.add(bytes.subarray(at, at + 8).join());
    }
    expect(drawn.size).toBe((24 + 512 + 2048 + 24 + 2040 + 24 + 5000 + 16) / 8);
  });
});

describe("without a device", () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  const none = () => {
    throw new Error("ENOENT");
  };
  const opened = (isCharacterDevice: boolean) => ({
    openSync: () => 7,
    fstatSync: () => ({ isCharacterDevice: () => isCharacterDevice }),
    readSync: () => 5,
  });

  it.each<[string, object, number]>([
    ["there is none", { openSync: none }, 0],
    ["it is a file", opened(false), 1],
    ["it gives too little", opened(true), 1],
  ])("Node draws from crypto: %s", async (_, fs, closings) => {
    vi.resetModules();
    const anew = await import("../src/node.ts");
    const closed: number[] = [];
    vi.spyOn(process, "getBuiltinModule").mockReturnValue({
      closeSync: (file: number) => closed.push(file),
      ...fs,
    } as never);
    const drawn = vi.spyOn(crypto, "getRandomValues");
    const bytes = anew.drawBytes(new Uint8Array(24));
    expect(drawn).toHaveBeenCalledTimes(1);
    expect(bytes.some((byte) => byte !== 0)).toBe(true);
    expect(closed.length).toBe(closings);
  });
});
