// Random sequences of batches beside a JavaScript Map that follows the kernel's rules: errnos, counts and effects of
// generic_map_update_batch and generic_map_delete_batch (kernel/bpf/syscall.c), partial failures included.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST, ERRNO, type MapType } from "../../../src/index.ts";
import { seeded } from "../../codec/codec_layouts.ts";
import {
  type AnyMap,
  batchOf,
  EVERY_TYPE,
  EVICTING,
  isPerCpu,
  openAny,
  outcome,
} from "../../support/every_type.ts";
import { hostOf } from "../../support/host_of.ts";
import { bySize } from "../../support/size.ts";

type Entry = readonly [key: number, n: number];
type Step =
  | { readonly call: "update"; readonly entries: readonly Entry[]; readonly flags: number }
  | { readonly call: "delete"; readonly keys: readonly number[] }
  | { readonly call: "add"; readonly entries: readonly Entry[] }
  | { readonly call: "take"; readonly size: number }
  | { readonly call: "single"; readonly key: number; readonly n: number; readonly remove: boolean };

/** Keys 0..23 for maps of 16 entries: duplicates, misses and full maps are common. */
const MAX = 16;
const KEYS = 24;
const key = fc.nat(KEYS - 1);
const entry = fc.tuple(key, fc.nat(1000));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    call: fc.constant("update" as const),
    entries: fc.array(entry, { maxLength: 20 }),
    flags: fc.constantFrom(BPF_ANY, BPF_ANY, BPF_NOEXIST, BPF_EXIST),
  }),
  fc.record({ call: fc.constant("delete" as const), keys: fc.array(key, { maxLength: 6 }) }),
  fc.record({ call: fc.constant("add" as const), entries: fc.array(entry, { maxLength: 20 }) }),
  fc.record({ call: fc.constant("take" as const), size: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    call: fc.constant("single" as const),
    key,
    n: fc.nat(1000),
    remove: fc.boolean(),
  }),
);

/** What a map of the kernel does, on numbers: of per-CPU maps, those of each CPU. */
class Model {
  readonly values = new Map<number, number[]>();
  readonly #slots: number;
  readonly #array: boolean;
  readonly #most: number;

  constructor(type: MapType) {
    this.#most = EVICTING.includes(type) ? KEYS : MAX;
    this.#slots = isPerCpu(type) ? 3 : 1;
    this.#array = type.endsWith("array");
    if (this.#array) for (let i = 0; i < MAX; i++) this.values.set(i, this.#zeros());
  }

  #zeros(): number[] {
    return new Array<number>(this.#slots).fill(0);
  }

  update(key: number, n: number, flags: number): number {
    const present = this.values.has(key);
    if (this.#array && !present) return ERRNO.E2BIG;
    if (flags === BPF_NOEXIST && present) return ERRNO.EEXIST;
    if (flags === BPF_EXIST && !present) return ERRNO.ENOENT;
    if (!present && this.values.size === this.#most) return ERRNO.E2BIG;
    this.values.set(
      key,
      this.#zeros().map((_, cpu) => n + cpu),
    );
    return 0;
  }

  add(key: number, delta: number): number {
    const present = this.values.get(key);
    if (present === undefined && (this.#array || this.values.size === this.#most)) return ERRNO.E2BIG;
    const value = present ?? this.#zeros();
    value[0] = (value[0] + delta) >>> 0;
    this.values.set(key, value);
    return 0;
  }

  delete(key: number): number {
    if (this.#array) return ERRNO.EINVAL;
    return this.values.delete(key) ? 0 : ERRNO.ENOENT;
  }
}

/** How many of the entries are done, and the errno of the first that fails. */
function expected<T>(entries: readonly T[], apply: (entry: T) => number): { done: number; errno: number } {
  for (const [done, one] of entries.entries()) {
    const errno = apply(one);
    if (errno !== 0) return { done, errno };
  }
  return { done: entries.length, errno: 0 };
}

describe.each(EVERY_TYPE)("%s beside a JavaScript Map", (type) => {
  const isArray = type.endsWith("array");

  function run(any: AnyMap, model: Model, step: Step): void {
    const { map } = any;
    switch (step.call) {
      case "update": {
        const batch = batchOf(any, step.entries);
        batch.elemFlags = step.flags;
        const got = outcome(step.entries.length, () => map.updateBatch(batch));
        expect(got).toEqual(expected(step.entries, ([key, n]) => model.update(key, n, step.flags)));
        expect(batch.count).toBe(got.done);
        batch.close();
        break;
      }
      case "delete": {
        if (isArray) break;
        const batch = batchOf(
          any,
          step.keys.map((key) => [key, 0] as const),
        );
        const got = outcome(step.keys.length, () => map.deleteBatch(batch));
        expect(got).toEqual(expected(step.keys, (key) => model.delete(key)));
        expect(batch.count).toBe(got.done);
        batch.close();
        break;
      }
      case "add": {
        const keys = step.entries.map(([key]) => key);
        const deltas = step.entries.map(([, n]) => n - 500);
        const got = outcome(keys.length, () => map.addMany(keys, deltas));
        expect(got).toEqual(expected(step.entries, ([key, n]) => model.add(key, n - 500)));
        break;
      }
      case "take": {
        if (isArray) break;
        const batch = map.createBatch(step.size);
        const more = map.lookupAndDeleteBatch(batch);
        expect(batch.count).toBe(more ? step.size : model.values.size);
        for (const [key, value] of batch.entries()) {
          expect(Array.isArray(value) ? value : [value]).toEqual(model.values.get(key));
          model.values.delete(key);
        }
        batch.close();
        break;
      }
      case "single":
        if (step.remove) {
          if (!isArray) expect(map.delete(step.key)).toBe(model.delete(step.key) === 0);
        } else {
          const errno = model.update(step.key, step.n, BPF_ANY);
          expect(outcome(1, () => map.set(step.key, any.value(step.n))).errno).toBe(errno);
        }
    }
  }

  it("does the same, failures and counts included", () => {
    const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      // Which key is evicted in the middle of a batch nobody can tell: those maps have room for all.
      const any = openAny(type, EVICTING.includes(type) ? KEYS : MAX);
      const model = new Model(type);
      for (const one of steps) {
        run(any, model, one);
        expect(any.map.size).toBe(model.values.size);
      }
      const entries = [...any.map].map(([key, value]) => [key, Array.isArray(value) ? value : [value]]);
      expect(new Map(entries as [number, number[]][])).toEqual(model.values);
      const scanned = new Map<number, unknown>();
      for (const batch of any.map.batches({ size: 3 })) {
        for (const [key, value] of batch.entries()) {
          expect(scanned.has(key)).toBe(false);
          scanned.set(key, Array.isArray(value) ? value : [value]);
        }
      }
      expect(scanned).toEqual(model.values);
      hostOf(any.map).close();
    });
    fc.assert(property, { numRuns: bySize(25, 120), ...seeded });
  });
});
