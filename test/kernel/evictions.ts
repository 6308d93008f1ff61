/**
 * Updates of maps that evict: each side may evict what it likes, so it is checked by itself. Then what one of them has lost is taken from
 * the other, and both hold the same again.
 */
import { byteString, equalBytes } from "../../src/testing/bytes.ts";
import { Mismatch } from "../../src/testing/divergence.ts";
import type { Call } from "./call.ts";
import { CMD, E, ELEMENT, showResult } from "./commands.ts";
import type { Comparison } from "./comparison.ts";
import type { Contents } from "./contents.ts";
import { hex, type Slot, type World } from "./world.ts";

/** Keys and values, in the order in which they were written. */
export type Written = readonly (readonly [key: Uint8Array, value: Uint8Array])[];

export class Evictions {
  readonly #compare: Comparison;
  readonly #contents: Contents;
  readonly #world: World;

  constructor(compare: Comparison, contents: Contents, world: World) {
    this.#compare = compare;
    this.#contents = contents;
    this.#world = world;
  }

  /** UPDATE_ELEM. */
  update(slot: Slot, call: Call, key: Uint8Array, value: Uint8Array): void {
    const outcome = this.#compare.run(call, CMD.UPDATE, ELEMENT.fd, slot);
    const { results } = outcome;
    if (results[0] === results[1]) this.#compare.same(call, outcome);
    else {
      this.#compare.sameAttr(outcome.attrs);
      // The kernel evicts before it looks for the key, which may be the one that goes.
      const missed = this.#compare.sides.some(({ wholeBuckets }, i) => {
        const [own, other] = [results[i], results[1 - i]];
        return wholeBuckets && ((own === -E.NOENT && other === 0) || (own === 0 && other === -E.EXIST));
      });
      if (!missed || !this.#world.has(slot.map, key)) {
        throw new Mismatch(showResult(results[0]!), showResult(results[1]!));
      }
    }
    call.restore();
    if (![0, -E.NOENT, -E.EXIST].includes(results[0]!)) return;
    const written = results.map((result): Written => (result === 0 ? [[key, value]] : []));
    this.settle(slot, [written[0]!, written[1]!]);
  }

  /** Checks what is left after a call that has written entries, and makes it the same on both sides. */
  settle(slot: Slot, written: readonly [Written, Written]): void {
    const left = ([0, 1] as const).map((i) => this.#checked(i, slot, written[i]));
    const kept = new Map<string, Uint8Array>();
    for (const i of [0, 1] as const) {
      for (const [key, value] of left[i]!) {
        const other = left[1 - i]!.get(key);
        if (other !== undefined && equalBytes(value, other)) kept.set(key, value);
        else this.#contents.remove(i, slot, key);
      }
    }
    const { map } = slot;
    for (const key of [...map.entries.keys()]) if (!kept.has(key)) this.#world.remove(map, key);
    for (const [key, value] of kept) map.entries.set(key, value);
  }

  /** What a side holds. */
  #checked(i: 0 | 1, slot: Slot, written: Written): Map<string, Uint8Array> {
    const { map } = slot;
    const { name, wholeBuckets } = this.#compare.sides[i];
    const could = new Map(map.entries);
    for (const [key, value] of written) could.set(byteString(key), value);
    const left = this.#contents.read(i, slot);
    for (const [key, value] of left) {
      const expected = could.get(key);
      if (expected === undefined) throw new Mismatch("no key out of nowhere", `${name}: ${hex(key)}`);
      if (!equalBytes(expected, value)) throw new Mismatch(`the value of ${hex(key)}`, `${name}: another`);
    }
    const newest = written.at(-1)?.[0];
    if (newest !== undefined && !left.has(byteString(newest))) {
      throw new Mismatch(`${hex(byteString(newest))}, the newest key`, `${name}: evicted`);
    }
    // How many the kernel evicts at a time is its own affair. A host makes the room that it needs.
    const most = Math.min(could.size, map.maxEntries);
    if (left.size > most || (!wholeBuckets && left.size < most)) {
      throw new Mismatch(`${most} entries`, `${name}: ${left.size}`);
    }
    return left;
  }
}
