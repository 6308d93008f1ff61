/** Calls on hash maps where order is free: each side is checked against what must be in the map. */
import { equalBytes, showBytes } from "../../src/testing/bytes.ts";
import { Mismatch } from "../../src/testing/divergence.ts";
import type { BatchCall, Call } from "./call.ts";
import { BATCH, CMD, E, ELEMENT, showResult } from "./commands.ts";
import type { Comparison, Outcome } from "./comparison.ts";
import type { Contents } from "./contents.ts";
import { PATTERN, type Region } from "./memory.ts";
import type { Batch } from "./operations.ts";
import { checkScan, wholeElements } from "./scan_rules.ts";
import { CURSOR_BYTES, hex, type MapState, type Scan, type Slot, type World } from "./world.ts";

/** What a lookup batch of a hash map may answer depending on order; all other errors come before the first entry. */
const depends = (result: number): boolean =>
  result === 0 || result === -E.NOENT || result === -E.NOSPC || result === -E.FAULT;

export class FreeOrder {
  readonly #compare: Comparison;
  readonly #contents: Contents;
  readonly #world: World;

  constructor(compare: Comparison, contents: Contents, world: World) {
    this.#compare = compare;
    this.#contents = contents;
    this.#world = world;
  }

  /** GET_NEXT_KEY with `key` as input and `out` as output. */
  nextKey(slot: Slot, call: Call, key: Region, out: Region, keyBytes: Uint8Array): void {
    const { map } = slot;
    const outcome = this.#compare.run(call, CMD.NEXT_KEY, ELEMENT.fd, slot);
    const { results } = outcome;
    const isNull = call.pointers.every(({ field, target }) => field !== ELEMENT.key || target === undefined);
    const present = !isNull && key.mapped === key.length && this.#world.has(map, keyBytes);
    const orderMatters = present ? map.entries.size > 1 : map.entries.size > 0;
    const free = (result: number): boolean =>
      result === 0 || (present && result === -E.NOENT) || (result === -E.FAULT && out.mapped < out.length);
    if (!orderMatters || !free(results[0]) || !free(results[1])) {
      this.#compare.same(call, outcome);
      call.restore();
      return;
    }
    this.#compare.sameAttr(outcome.attrs);
    for (const i of [0, 1] as const) {
      const { memory, name } = this.#compare.sides[i];
      const result = results[i];
      if (result !== -E.NOENT && (result === 0) !== (out.mapped === out.length)) {
        throw new Mismatch("EFAULT exactly where next_key is not mapped", `${name}: ${showResult(result)}`);
      }
      if (result === 0) {
        const got = memory.slice(out.start!, out.start! + map.keySize);
        if (!this.#world.has(map, got)) throw new Mismatch("a key of the map", `${name}: ${showBytes(got)}`);
        if (present && equalBytes(got, keyBytes))
          throw new Mismatch("another key", `${name}: the key itself`);
        memory.set(PATTERN.subarray(out.start!, out.start! + map.keySize), out.start!);
        // Only a key that is there leads on; all others lead to the first.
        const first = this.#contents.firstKey(i, slot);
        if (equalBytes(first, got) === present) {
          throw new Mismatch(present ? "not the first key" : "the first key", `${name}: ${showBytes(got)}`);
        }
      } else if (result === -E.NOENT) {
        const untouched =
          out.start === key.start
            ? keyBytes
            : PATTERN.subarray(out.start ?? 0, (out.start ?? 0) + out.mapped);
        const got = memory.subarray(out.start ?? 0, (out.start ?? 0) + out.mapped);
        if (!equalBytes(untouched.subarray(0, out.mapped), got))
          throw new Mismatch("next_key untouched", `${name}: ${showBytes(got)}`);
      }
    }
    call.restore();
  }

  /**
   * LOOKUP_BATCH or LOOKUP_AND_DELETE_BATCH.
   *
   * @param operation with the cursor that it really has
   * @param running the scan whose cursor that is
   */
  lookupBatch(slot: Slot, operation: Batch, batch: BatchCall, running: Scan | undefined): void {
    const { call } = batch;
    const outcome = this.#compare.run(call, operation.cmd, BATCH.fd, slot);
    if (operation.count === 0 || !depends(outcome.results[0]) || !depends(outcome.results[1])) {
      if (operation.cursor === "carried" && batch.in.start !== undefined) {
        this.#compare.sameButCursor(call, outcome, batch.in, running!);
      } else this.#compare.same(call, outcome);
      call.restore();
      return;
    }
    const starts = call.pointers.every(({ field, target }) => field !== BATCH.in || target === undefined);
    this.#scan(slot, { ...operation, cursor: starts ? "null" : operation.cursor }, batch, outcome, running);
  }

  #scan(slot: Slot, operation: Batch, batch: BatchCall, outcome: Outcome, running: Scan | undefined): void {
    const { map } = slot;
    const { results, attrs } = outcome;
    const removes = operation.cmd === CMD.LOOKUP_AND_DELETE_BATCH;
    const atZero = operation.cursor === "null" || operation.cursor === 0;
    const inReadable = operation.cursor === "null" || batch.in.mapped === CURSOR_BYTES;
    // A call that starts somewhere else (at the end, with a cursor that faults) is no part of a scan.
    const scan =
      operation.cursor === "carried"
        ? running!
        : atZero
          ? this.#world.startScan(operation.scan, map)
          : NO_SCAN(map);
    const aliased = batch.out.start !== undefined && batch.out.start === batch.in.start;
    const counts: [number, number] = [0, 0];
    const returned: string[][] = [];
    for (const i of [0, 1] as const) {
      const view = new DataView(attrs[i].buffer);
      counts[i] = view.getUint32(BATCH.count, true);
      view.setUint32(BATCH.count, 0, true);
      const { memory, wholeBuckets, name } = this.#compare.sides[i];
      try {
        const keys = checkScan({
          wholeBuckets,
          side: i,
          map,
          scan,
          removes,
          aliased,
          inReadable,
          memory,
          atEnd:
            inReadable &&
            (operation.cursor === 0xffff_ffff || (operation.cursor === "carried" && scan.ended[i])),
          asked: operation.count,
          keys: batch.keys,
          values: batch.values,
          out: batch.out,
          result: results[i],
          count: counts[i],
        });
        returned.push(keys);
      } catch (error) {
        if (error instanceof Mismatch) throw new Mismatch(`${name}: ${error.expected}`, error.got);
        throw error;
      }
    }
    this.#compare.sameAttr(attrs);
    for (const i of [0, 1] as const) {
      const result = results[i];
      if (result !== -E.FAULT && batch.out.mapped === CURSOR_BYTES && !(operation.cursor === 0xffff_ffff)) {
        const { start } = batch.out;
        if (!scan.ended[i])
          scan.cursors[i].set(this.#compare.sides[i].memory.subarray(start!, start! + CURSOR_BYTES));
        if (result === -E.NOENT) scan.ended[i] = true;
      }
      for (const key of returned[i]!) scan.seen[i].add(key);
    }
    batch.call.restore();
    if (removes) this.#removed(slot, operation, batch, results, returned, inReadable);
  }

  /** Finds what a deleting batch has removed on each side, and removes it from both. */
  #removed(
    slot: Slot,
    operation: Batch,
    batch: BatchCall,
    results: Outcome["results"],
    returned: readonly string[][],
    inReadable: boolean,
  ): void {
    const { map } = slot;
    const gone: ReadonlySet<string>[] = [];
    for (const i of [0, 1] as const) {
      if (results[i] !== -E.FAULT) {
        gone.push(new Set(returned[i]));
        continue;
      }
      const left = this.#contents.read(i, slot);
      const lost = new Set([...map.entries.keys()].filter((key) => !left.has(key)));
      for (const key of left.keys()) {
        if (!map.entries.has(key)) throw new Mismatch("no key out of nowhere", hex(key));
      }
      const { name, wholeBuckets } = this.#compare.sides[i];
      const fitting = Math.min(
        wholeElements(batch.keys, map.keySize),
        wholeElements(batch.values, map.stride),
      );
      // A fault that is not that of the cursor is that of an entry, which is gone.
      const least = inReadable && batch.out.mapped === CURSOR_BYTES ? 1 : 0;
      const most = inReadable ? Math.min(operation.count, map.entries.size) : 0;
      // A bucket of the kernel is removed as a whole before it is copied, but only when it fits the count.
      if (lost.size < least || lost.size > most) {
        throw new Mismatch(`${least} to ${most} entries lost by the fault`, `${name}: ${lost.size}`);
      }
      if (!wholeBuckets && operation.cursor === "null" && inReadable) {
        const expected = Math.min(fitting + 1, most);
        if (lost.size !== expected)
          throw new Mismatch(`${expected} entries lost by the fault`, `${name}: ${lost.size}`);
      }
      gone.push(lost);
    }
    for (const i of [0, 1] as const) {
      for (const key of gone[1 - i]!) if (!gone[i]!.has(key)) this.#contents.remove(i, slot, key);
    }
    for (const set of gone) for (const key of set) this.#world.remove(map, key);
  }
}

const NO_SCAN = (map: MapState): Scan => ({
  map,
  cursors: [new Uint8Array(CURSOR_BYTES), new Uint8Array(CURSOR_BYTES)],
  ended: [false, false],
  seen: [new Set(), new Set()],
  stable: new Set(),
});
