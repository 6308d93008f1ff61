// The clock of a host: where its time comes from, and that it never goes back.
import { describe, expect, it } from "vitest";
import { Clock } from "../../src/core/clock.ts";
import { attachHost, createHost } from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";

describe("a clock of the system", () => {
  it("shows ms since 1970 and fractions of them", () => {
    const before = performance.timeOrigin + performance.now();
    const now = new Clock(undefined).now();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(performance.timeOrigin + performance.now());
  });

  it("is moved on by tick", () => {
    const host = createHost();
    const later = host.clock.now() + 1e9;
    host.tick(later);
    expect(host.clock.now()).toBe(later);
  });
});

describe("a clock of the caller's", () => {
  it("shows what its function gives", () => {
    let now = -5;
    const { clock } = createHost({ clock: () => now });
    expect(clock.now()).toBe(-5);
    now = 7.25;
    expect(clock.now()).toBe(7.25);
  });

  it("stays where it was when its function goes back", () => {
    let now = 100;
    const { clock } = createHost({ clock: () => now });
    clock.now();
    now = 50;
    expect(clock.now()).toBe(100);
    now = 101;
    expect(clock.now()).toBe(101);
  });

  it("is moved on by tick, never back", () => {
    let now = 10;
    const host = createHost({ clock: () => now });
    host.tick(30);
    expect(host.clock.now()).toBe(30);
    host.tick(20);
    expect(host.clock.now()).toBe(30);
    now = 40;
    host.tick();
    now = 0;
    expect(host.clock.now()).toBe(40);
  });

  it("may be given in each thread of a shared host", () => {
    const host = createHost({ shared: true, cpus: 2, maxMemory: 2 ** 24, clock: () => 1 });
    const other = attachHost(host.share(), { clock: () => 2 });
    expect([host.clock.now(), other.clock.now()]).toEqual([1, 2]);
  });

  it("must give a number", () => {
    for (const time of [undefined, "1", Number.NaN, Number.POSITIVE_INFINITY, 1n]) {
      const host = createHost({ clock: () => time as number });
      expect(caught(() => host.tick())).toBeInstanceOf(TypeError);
    }
  });
});

describe("errors", () => {
  it("createHost and attachHost take a function, and no other option", () => {
    expect(caught(() => createHost({ clock: 1 as never })).message).toBe(
      "createHost: clock: expected a function that gives ms, got number 1",
    );
    const handle = createHost({ shared: true, cpus: 2, maxMemory: 2 ** 24 }).share();
    expect(caught(() => attachHost(handle, { clock: null as never })).message).toBe(
      "attachHost: clock: expected a function that gives ms, got null",
    );
    expect(caught(() => attachHost(handle, { clok: () => 1 } as never)).message).toContain(
      "did you mean clock?",
    );
    expect(caught(() => attachHost(handle, null as never))).toBeInstanceOf(TypeError);
  });

  it("tick takes ms, and throws EBADF on a closed host", () => {
    const host = createHost();
    for (const now of ["1", Number.NaN, null]) {
      expect(caught(() => host.tick(now as never)).message).toContain("tick: now: expected ms as a number");
    }
    host.close();
    expectErrno(() => host.tick(), "EBADF");
  });
});
