// memoryUsage of a shared host, to the byte: the journals of its threads, which stay with them, belong to no map.
import { expect, it } from "vitest";
import { bytes, type HashMap, u32 } from "../../src/index.ts";
import { pair } from "./hosts.ts";

/** Values around the sizes at which a journal grows, with all rests modulo 64. */
const SIZES = [100, 28_676, ...Array.from({ length: 20 }, (_, i) => 30_000 + 1004 * i), 200_000, 1_000_001];

it.each(["hash", "rhash", "array"] as const)("is 0 without maps, whatever a %s has held", (type) => {
  const [host, other] = pair();
  for (const size of SIZES) {
    const map = host.createMap({ type, key: u32, value: bytes(size), maxEntries: 2 }) as HashMap<
      number,
      Uint8Array
    >;
    map.set(1, new Uint8Array(size));
    map.set(1, new Uint8Array(size).fill(1));
    expect(host.verify()).toEqual([]);
    map.close();
    expect([size, host.memoryUsage().bytes, host.verify()]).toEqual([size, 0, []]);
  }
  // The journals go with their thread.
  host.close();
  expect([other.memoryUsage().bytes, other.verify()]).toEqual([0, []]);
  expect(other.core.bytesInUse()).toBe(0);
});
