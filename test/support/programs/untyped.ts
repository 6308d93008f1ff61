// Programs as JavaScript builds them, without types, over a map with a field of every kind.

import { expect } from "vitest";
import {
  array,
  bytes,
  type Codec,
  createHost,
  cstring,
  f64,
  i64,
  type ProgramBody,
  program,
  spinLock,
  struct,
  u8,
  u32,
  u64,
} from "../../../src/index.ts";
import { caught } from "../caught.ts";

export const host = createHost({ maxMemory: 1 << 20 });
const own: Codec<Date> = {
  name: "date",
  size: 8,
  align: 8,
  scalar: 0,
  encode: (value, view, at) => view.setFloat64(at, value.getTime(), true),
  decode: (view, at) => new Date(view.getFloat64(at, true)),
};
export const flows = host.createMap({
  type: "hash",
  name: "flows",
  key: struct({ mac: bytes(6), proto: u8 }),
  value: struct({
    lock: spinLock,
    age: u32,
    big: u64,
    signed: i64,
    ratio: f64,
    name: cstring(8),
    mac: bytes(6),
    hits: array(u8, 3),
    inner: struct({ x: u8 }),
    date: own,
    many: array(struct({ n: u8 }), 2),
  }),
  maxEntries: 4,
});

/** Expressions as JavaScript has them: of whatever type. */
// biome-ignore lint/suspicious/noExplicitAny: what types forbid is what is tested here.
export type Untyped = any;
export type Build = (e: Untyped, tools: Untyped) => unknown;

/** Makes a program. */
export const build = (fn: Build, options: Untyped = {}) => program(flows, fn as () => ProgramBody, options);

/** A test of what is refused: `[what, function of the builder, error, message]`. */
export type Refused = [string, Build, ErrorConstructor, string];

/** Expects an error that names the map, and no memory to be kept. */
export function expectRefused(fn: Build, type: ErrorConstructor, message: string): void {
  const before = host.memoryUsage().bytes;
  const error = caught(() => build(fn, { params: { limit: u32 }, counters: { n: u32, f: f64 } })) as Error;
  expect(error).toBeInstanceOf(type);
  expect(error.message).toContain(`program: map "flows": ${message}`);
  expect(host.memoryUsage().bytes).toBe(before);
}
