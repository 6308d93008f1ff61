// What the core counts of evictions, and what it tells of entries that go (assembly/table/notes/events.ts).
import { describe, expect, it } from "vitest";
import { createHost, type HashMap, u32 } from "../../src/index.ts";
import { pair } from "../shared/hosts.ts";

describe.each(["plain", "shared"])("on a %s host", (kind) => {
  const open = (maxEntries: number) => {
    const host = kind === "plain" ? createHost({ seed: 1 }) : pair()[0];
    return host.createMap({ type: "lru_hash", key: u32, value: u32, maxEntries }) as HashMap<number, number>;
  };

  it("stats count evictions, and the buckets that they have looked at: two, or a few where these are empty", () => {
    const map = open(5000);
    for (let key = 0; key < 5000; key++) map.set(key, key);
    expect(map.stats()).toMatchObject({ evicted: 0, expired: 0, looked: 0 });
    for (let key = 0; key < 20_000; key++) map.set(5000 + key, key);
    const { evicted, looked } = map.stats();
    expect(evicted).toBe(20_000);
    expect(looked).toBeGreaterThan(evicted);
    expect(looked).toBeLessThanOrEqual(2.1 * evicted);
  });

  it("other maps have evicted nothing", () => {
    const map = createHost({ seed: 1 }).createMap({ type: "rhash", key: u32, value: u32, maxEntries: 10 });
    map.set(1, 1);
    expect(map.stats()).toMatchObject({ evicted: 0, expired: 0, looked: 0 });
  });
});
