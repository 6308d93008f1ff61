// An insert that evicts tries the lock of another bucket, and never waits for it (explorer/try_lock.ts).
import { beforeAll, expect, test } from "vitest";
import { COMPILE_MS, steppedCore } from "../explorer/core.ts";
import { EVICTING } from "../explorer/programs/shapes.ts";
import { named } from "../explorer/suite.ts";
import { evictBesideLocks } from "../explorer/try_lock.ts";

let core: WebAssembly.Module;
beforeAll(() => {
  core = steppedCore();
}, COMPILE_MS);

test.each(named(EVICTING.filter(({ maxEntries }) => maxEntries > 9)))("%s", (_, shape) => {
  expect(evictBesideLocks(core, shape)).toBeGreaterThan(5);
});
