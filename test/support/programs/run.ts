// Runs programs on single entries, in both back ends.
import { expect } from "vitest";
import {
  ACT_DELETE,
  type BooleanExpression,
  type BpfMap,
  type Codec,
  createHost,
  f64,
  i64,
  type NumberExpression,
  type Program,
  program,
  struct,
  u8,
} from "../../../src/index.ts";

export const BACKENDS = ["wasm", "js"] as const;

/** The action for the entry with a key. */
export function decide<K>(
  made: Pick<Program<K, unknown>, "evaluate"> & { readonly map: BpfMap<K, unknown> },
  key: K,
): number {
  const { map } = made;
  const { host, keyCodec } = map;
  const bytes = Math.ceil(keyCodec.size / 8) * 8;
  const at = host.allocate(bytes);
  keyCodec.encode(key, host.view, at);
  const value = (map as unknown as { lookup(key: K): number }).lookup(key);
  expect(value).toBeGreaterThan(0);
  const action = made.evaluate(at, value);
  host.core.release(at, bytes);
  return action;
}

type Field = Codec<number> | Codec<bigint>;

/** One for all of them: a host of its own for each would take as long as what it runs. */
const host = createHost({ maxMemory: 1 << 20 });

/**
 * What an expression of fields `a`, `b`, ... makes of their values: as a number, or as a bigint where a number would not be exact.
 * The same in both back ends.
 */
export function compute(
  fields: Record<string, Field>,
  values: Record<string, number | bigint>,
  build: (value: Record<string, NumberExpression>) => NumberExpression,
): number | bigint {
  const map = host.createMap({ type: "hash", key: u8, value: struct(fields), maxEntries: 1 });
  map.set(1, values);
  const results = BACKENDS.map((backend) => {
    let float = false;
    const made = program(
      map,
      ({ value }, { counters }) => {
        const found = build(value as Record<string, NumberExpression>);
        float = found.node.type === "float";
        // A counter keeps all 64 bits, which are read with the sign of the expression.
        return [
          (float ? counters.float : counters.integer).add(found),
          counters.unsigned.add(found.node.type === "integer" && found.node.sign === "unsigned" ? 1 : 0),
        ];
      },
      { counters: { integer: i64, unsigned: u8, float: f64 }, backend },
    );
    expect(decide(made, 1)).toBe(0);
    const { integer, unsigned, float: number } = made.counters;
    return float ? number : unsigned === 1 ? BigInt.asUintN(64, integer) : integer;
  });
  map.close();
  expect(results[1]).toBe(results[0]);
  return results[0];
}

/** Whether a condition on fields holds; the same in both back ends. */
export function holds(
  fields: Record<string, Codec<unknown>>,
  values: Record<string, unknown>,
  build: (value: never) => BooleanExpression,
): boolean {
  const map = host.createMap({ type: "hash", key: u8, value: struct(fields), maxEntries: 1 });
  map.set(1, values);
  const results = BACKENDS.map((backend) => {
    const made = program(map, ({ value }) => build(value as never).then(ACT_DELETE), { backend });
    return decide(made, 1);
  });
  map.close();
  expect(results[1]).toBe(results[0]);
  return results[0] === ACT_DELETE;
}
