// The contenders of the workload `ttl`: their entries expire when the clock is moved on, where they can be told.
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { moveOn } from "../../bench/contenders/caches/clock.mjs";
// @ts-expect-error plain JavaScript
import { EXPIRING, TTL } from "../../bench/contenders/caches/expiring.mjs";
import { builtRoot } from "../support/built.ts";

interface Expiring {
  get(key: number): number | undefined;
  set(key: number, value: number, options?: { ttl: number }): unknown;
  close?(): void;
}
interface Contender {
  expires?: boolean;
  seesTime?: boolean;
  load(context: { seed: number }): (options: { capacity: number; precise: boolean }) => Expiring;
  tick?(seed: number): void;
}

const SEED = 1;

// Ours import what the build makes.
builtRoot();

/** Those from npm are not installed by a test. */
const PEERS = ["lru-cache", "ttlcache"];
const peersInstalled = existsSync(new URL("../../bench/peers/node_modules/quick-lru", import.meta.url));
const contenders = (Object.entries(EXPIRING) as [string, Contender][]).filter(
  ([name]) => peersInstalled || !PEERS.includes(name),
);

describe.each(contenders)("%s", (_name, { expires = true, seesTime = true, load, tick }) => {
  test("has what was set, until it expires", () => {
    const map = load({ seed: SEED })({ capacity: 100, precise: true });
    const pass = (ms: number) => {
      moveOn(ms);
      tick?.(SEED);
    };
    for (let key = 0; key < 100; key++) map.set(key, key);
    for (let key = 0; key < 100; key++) expect(map.get(key)).toBe(key);
    if (expires) {
      map.set(1, 1, { ttl: TTL / 4 });
      if (seesTime) {
        pass(TTL / 2);
        expect([0, 1, 2].map((key) => map.get(key))).toEqual([0, undefined, 2]);
        map.set(2, 2);
        pass((3 / 4) * TTL);
        expect([0, 1, 2].map((key) => map.get(key))).toEqual([undefined, undefined, 2]);
      }
    } else {
      pass(2 * TTL);
      expect(map.get(0)).toBe(0);
    }
    map.close?.();
  });
});
