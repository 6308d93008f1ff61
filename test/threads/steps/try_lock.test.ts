// An insert that evicts or sweeps tries the lock of another bucket, and never waits for it (explorer/try_lock.ts).
import { beforeAll, expect, test } from "vitest";
import { COMPILE_MS, steppedCore } from "../explorer/core.ts";
import { EVICTING, EXPIRING } from "../explorer/programs/shapes.ts";
import { named } from "../explorer/suite.ts";
import { evictBesideLocks, sweepBesideLocks } from "../explorer/try_lock.ts";

let core: WebAssembly.Module;
beforeAll(() => {
  core = steppedCore();
}, COMPILE_MS);

test.each(named(EVICTING.filter(({ maxEntries }) => maxEntries > 9)))("%s", (_, shape) => {
  expect(evictBesideLocks(core, shape)).toBeGreaterThan(5);
});

// Of an rhash an insert may also split the locked bucket.
test.each(named(EXPIRING.filter(({ growable }) => !growable)))("sweeping %s", (_, shape) => {
  const left = sweepBesideLocks(core, shape);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(20);
});
