// The alarm of a host: one JavaScript timer for the earliest of what is due, whenever that is.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Alarm, type Schedule, STANDING, type TimeSource } from "../../src/core/alarm.ts";
import { Clock } from "../../src/core/clock.ts";
import { createHost, struct, timer, u32 } from "../../src/index.ts";

/** A schedule of times. */
class Times implements Schedule {
  readonly #alarm: Alarm;
  readonly #done: (due: number) => void;
  readonly #times: { due: number; order: number }[] = [];

  constructor(alarm: Alarm, done: (due: number) => void) {
    this.#alarm = alarm;
    this.#done = done;
  }

  add(due: number): void {
    this.#times.push({ due, order: this.#alarm.nextOrder() });
    this.#times.sort((a, b) => a.due - b.due || a.order - b.order);
    this.#alarm.set(this, due);
  }

  get due(): number {
    return this.#times[0].due;
  }

  get order(): number {
    return this.#times[0].order;
  }

  runFirst(): void {
    const [first] = this.#times.splice(0, 1);
    if (this.#times.length === 0) this.#alarm.drop(this);
    this.#done(first.due);
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate"] });
});
afterEach(() => {
  vi.restoreAllMocks(); // first: a spy on a fake timer would put the fake one back
  vi.useRealTimers();
});

/** A time that passes with the fake timers. */
function passing(): { time: TimeSource; pass(ms: number): void } {
  let now = 0;
  return {
    time: { passes: true, now: () => now, until: (due) => due - now },
    pass(ms) {
      for (let left = ms; left > 0; left -= 100) {
        const step = Math.min(left, 100);
        now += step;
        vi.advanceTimersByTime(step);
      }
    },
  };
}

describe("on a time that passes", () => {
  it("does each when it is due, with one JavaScript timer", () => {
    const { time, pass } = passing();
    const alarm = new Alarm(time);
    const done: number[] = [];
    const [one, other] = [
      new Times(alarm, (due) => done.push(due)),
      new Times(alarm, (due) => done.push(due)),
    ];
    for (const due of [500, 300, 900]) one.add(due);
    for (const due of [300, 1200]) other.add(due);
    expect(vi.getTimerCount()).toBe(1);
    pass(200);
    expect(done).toEqual([]);
    pass(100);
    expect(done).toEqual([300, 300]);
    expect(vi.getTimerCount()).toBe(1);
    pass(1000);
    expect(done).toEqual([300, 300, 500, 900, 1200]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("waits for what is farther away than a JavaScript timer reaches", () => {
    const wait = vi.spyOn(globalThis, "setTimeout");
    let now = 0;
    const alarm = new Alarm({ passes: true, now: () => now, until: (due) => due - now });
    const done: number[] = [];
    const days = 24 * 3600 * 1000;
    new Times(alarm, (due) => done.push(due)).add(60 * days);
    expect(wait).toHaveBeenLastCalledWith(expect.anything(), 2 ** 31 - 1);
    for (const day of [24.9, 49.8]) {
      now = day * days;
      vi.advanceTimersToNextTimer();
    }
    expect([done, vi.getTimerCount()]).toEqual([[], 1]);
    expect(wait.mock.lastCall?.[1]).toBe(60 * days - now);
    now = 60 * days;
    vi.advanceTimersToNextTimer();
    expect([done, vi.getTimerCount()]).toEqual([[60 * days], 0]);
  });

  it("woken early, it waits on", () => {
    let now = 0;
    const alarm = new Alarm({ passes: true, now: () => now, until: (due) => due - now });
    const done: number[] = [];
    new Times(alarm, (due) => done.push(due)).add(10);
    now = 9.5;
    vi.advanceTimersToNextTimer();
    expect([done, vi.getTimerCount()]).toEqual([[], 1]);
    now = 10;
    vi.advanceTimersToNextTimer();
    expect(done).toEqual([10]);
  });

  it("goes on when something throws", () => {
    const { time, pass } = passing();
    const alarm = new Alarm(time);
    const done: number[] = [];
    const times = new Times(alarm, (due) => {
      if (due === 100) throw new Error("of the first");
      done.push(due);
    });
    for (const due of [100, 200]) times.add(due);
    expect(() => pass(100)).toThrow("of the first");
    pass(100);
    expect(done).toEqual([200]);
  });

  it("what is added while it runs waits for the next task", () => {
    const { time, pass } = passing();
    const alarm = new Alarm(time);
    let done = 0;
    const times = new Times(alarm, (due) => {
      done++;
      if (done < 3) times.add(due);
    });
    times.add(100);
    pass(100);
    for (let tasks = 1; tasks <= 3; tasks++) {
      expect([done, vi.getTimerCount()]).toEqual([tasks, tasks < 3 ? 1 : 0]);
      if (tasks < 3) vi.advanceTimersToNextTimer();
    }
  });
});

it("on a time that only passes when it is told, it sets no JavaScript timer", () => {
  const alarm = new Alarm(new Clock(() => 0));
  new Times(alarm, () => {}).add(10);
  expect(vi.getTimerCount()).toBe(0);
});

it("on a time that stands still, everything is due after the task", () => {
  const alarm = new Alarm(STANDING);
  const done: number[] = [];
  const times = new Times(alarm, (due) => done.push(due));
  times.add(0);
  times.add(0);
  expect([done, vi.getTimerCount()]).toEqual([[], 1]);
  vi.advanceTimersToNextTimer();
  expect(done).toEqual([0, 0]);
});

describe("a host with the system's clock", () => {
  const spec = { type: "hash", key: u32, value: struct({ idle: timer }), maxEntries: 10 } as const;

  it("fires by itself, not before its time", async () => {
    vi.useRealTimers();
    const host = createHost();
    const map = host.createMap(spec).set(1, {});
    const started = host.clock.now();
    const fired = await new Promise<number>((done) => map.timer(1).start(3, () => done(host.clock.now())));
    expect(fired).toBeGreaterThanOrEqual(started + 3);
    host.close();
  });

  it("does not keep the process alive, and lets go of its JavaScript timer when it is closed", () => {
    vi.useRealTimers();
    const wait = vi.spyOn(globalThis, "setTimeout");
    const stop = vi.spyOn(globalThis, "clearTimeout");
    const host = createHost();
    const map = host.createMap(spec).set(1, {});
    map.timer(1).start(1e6, () => {});
    const handle = wait.mock.results[0].value as NodeJS.Timeout;
    expect(handle.hasRef()).toBe(false);
    host.close();
    expect(stop).toHaveBeenLastCalledWith(handle);
  });

  it("tick does what is due before the JavaScript timer comes", () => {
    const host = createHost();
    const map = host.createMap(spec).set(1, {});
    let fired = 0;
    map.timer(1).start(5000, () => fired++);
    host.tick(host.clock.now() + 5000);
    expect([fired, vi.getTimerCount()]).toEqual([1, 0]);
    // The clock is ahead of the system's: who waits, waits as long as that takes.
    const wait = vi.spyOn(globalThis, "setTimeout");
    map.timer(1).start(1000, () => fired++);
    expect(wait.mock.lastCall?.[1]).toBeGreaterThan(5000);
  });
});
