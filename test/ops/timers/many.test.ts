// Very many timers in one map, and what they take: no object for each but the callback, and memory that comes back.
import { describe, expect, it } from "vitest";
import { struct, timer, u32 } from "../../../src/index.ts";
import { bySize } from "../../support/size.ts";
import { hostAt } from "./host_at.ts";

const COUNT = bySize(20_000, 1_000_000);
const session = struct({ idle: timer, user: u32 });

function setUp() {
  const { host, at } = hostAt({ maxMemory: 256 << 20 });
  const map = host.createMap({ type: "hash", key: u32, value: session, maxEntries: COUNT });
  for (let key = 0; key < COUNT; key++) map.set(key, { user: key });
  return { map, at };
}

/** What this thread keeps for the timers of a map. */
function recordsOf(map: ReturnType<typeof setUp>["map"]): { count: number; bytes: number } {
  return (map.table.timers as unknown as { timer: { count: number; bytes: number } }).timer;
}

describe(`${COUNT} timers`, () => {
  it("are started and cancelled, and leave nothing", () => {
    const { map, at } = setUp();
    let fired = 0;
    const callback = () => fired++;
    for (let key = 0; key < COUNT; key++) map.timer(key).start(key % 1000, callback);
    expect(recordsOf(map).count).toBe(COUNT);
    // Typed arrays: 24 bytes for a record, its key, and at most twice that, as they are doubled.
    expect(recordsOf(map).bytes).toBeLessThanOrEqual(2 * 28 * COUNT + 1024);
    let cancelled = 0;
    for (let key = 0; key < COUNT; key++) cancelled += Number(map.timer(key).cancel());
    expect([cancelled, recordsOf(map).count, recordsOf(map).bytes]).toEqual([COUNT, 0, 0]);
    at(1e9);
    expect(fired).toBe(0);
  });

  it("fire in order, each once; not one of those whose entries are gone", () => {
    const { map, at } = setUp();
    let last = -1;
    let fired = 0;
    const callback = (key: number) => {
      const due = (key * 7919) % 1000;
      if (due < last || key % 4 !== 0) throw new Error(`${key} out of turn`);
      last = due;
      fired++;
    };
    for (let key = 0; key < COUNT; key++) map.timer(key).start((key * 7919) % 1000, callback);
    for (let key = 0; key < COUNT; key++) {
      if (key % 4 === 1) map.delete(key);
      else if (key % 4 === 2) map.set(key, { user: 0 });
      else if (key % 4 === 3) map.timer(key).cancel();
    }
    for (let ms = 0; ms < 1000; ms += 10) at(1000 + ms);
    expect(fired).toBeLessThan(COUNT / 4);
    at(2000);
    expect([fired, recordsOf(map).count]).toEqual([COUNT / 4, 0]);
  });
});
