// Views of arrays that grow: what they show, and how to tell that they no longer show all.
import { afterAll, describe, expect, expectTypeOf, it } from "vitest";
import {
  type ArrayPiece,
  type Codec,
  createHost,
  f64,
  type Host,
  type HostOptions,
  u32,
  u64,
} from "../../src/index.ts";
import { caught, expectErrno } from "../support/caught.ts";

const MAX_MEMORY = 256 * 1024 * 1024;
const hosts: Host[] = [];
afterAll(() => {
  for (const host of hosts) host.close();
});

describe.each([false, true])("shared: %s", (shared) => {
  function open(options: HostOptions = {}): Host {
    const host = createHost({ seed: 1, cpus: 3, shared, maxMemory: MAX_MEMORY, ...options });
    hosts.push(host);
    return host;
  }

  function array<V, N extends string>(value: Codec<V, N>, maxEntries: number, host = open()) {
    return host.createMap({ type: "array", name: "m", key: u32, value, maxEntries });
  }

  it("show every element once, in order, where it is", () => {
    const map = array(f64, 10);
    for (const size of [11, 12, 100, 9000, 30_000]) {
      map.grow(size);
      let next = 0;
      for (const { first, count, view } of map.views(Float64Array)) {
        expect([first, view.length, view.byteOffset]).toEqual([next, count, map.lookup(first)]);
        next += count;
        view.fill(size);
      }
      expect(next).toBe(size);
      expect([...map.values()].every((value) => value === size)).toBe(true);
    }
    expect(map.views(Float64Array)[0]?.view.byteOffset).toBe(map.lookup(0));
    // Runs, not segments: what lies side by side is one.
    expect(map.views().length).toBeLessThan(20);
  });

  it("of before go on showing what they showed", () => {
    const map = array(f64, 4);
    const view = map.view(Float64Array);
    const pieces = map.views(Float64Array);
    expect(pieces).toHaveLength(1);
    expect([map.isWhole(view), map.view(), map.views()]).toEqual([true, view, pieces]);
    expect(map.views()).toBe(pieces);
    map.grow(5);
    expect([map.isWhole(view), view.length, map.view()]).toEqual([false, 4, view]);
    expect(map.view()).toBe(view);
    view[3] = 1.5;
    map.set(0, 2.5);
    expect([map.get(3), view[0], pieces[0]?.view[0]]).toEqual([1.5, 2.5, 2.5]);
    const now = map.views(Float64Array);
    expect(now).not.toBe(pieces);
    expect(now.map(({ first, count }) => [first, count]).at(-1)).toEqual([4, 1]);
    expect(map.views()).toBe(now);
    expect(Object.isFrozen(now) && Object.isFrozen(now[0])).toBe(true);
  });

  it("isWhole tells views apart", () => {
    const host = open();
    const map = array(u32, 4, host);
    const other = array(u32, 4, host);
    const view = map.view(Uint32Array);
    expect(map.isWhole(view)).toBe(true);
    expect(map.isWhole(map.view(Uint8Array))).toBe(true);
    expect(map.isWhole(other.view(Uint32Array))).toBe(false);
    expect(map.isWhole(view.subarray(1))).toBe(false);
    expect(map.isWhole(new Uint32Array(8))).toBe(false);
    for (const wrong of [null, undefined, [], {}, new DataView(new ArrayBuffer(8))]) {
      expect(caught(() => map.isWhole(wrong as never))).toBeInstanceOf(TypeError);
    }
    expect(caught(() => map.views(Array as never)).message).toBe(
      'views: map "m": expected the constructor of a typed array, got function',
    );
    map.close();
    expectErrno(() => map.views(), "EBADF");
    expectErrno(() => map.isWhole(view), "EBADF");
  });

  it("have the types of their elements", () => {
    expectTypeOf(array(u64, 1).views()).toEqualTypeOf<readonly ArrayPiece<BigUint64Array>[]>();
    expectTypeOf(array(f64, 1).views(Float64Array)[0]!.view).toExtend<Float64Array>();
  });
});

it("views of a plain host are detached by growth of its memory, and asked for again", () => {
  const host = createHost({ seed: 1 });
  const map = host.createMap({ type: "array", key: u32, value: f64, maxEntries: 100 });
  map.set(50, 1.5);
  const view = map.view(Float64Array);
  const pieces = map.views(Float64Array);
  map.grow(1_000_000);
  expect([view.length, map.isWhole(view), pieces[0]?.view.length]).toEqual([0, false, 0]);
  expect([map.view(Float64Array).length, map.view(Float64Array)[50]]).toEqual([100, 1.5]);
  expect(map.views(Float64Array).reduce((sum, { view: { length } }) => sum + length, 0)).toBe(1_000_000);
  host.close();
});
