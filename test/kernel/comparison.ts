/** Makes calls on both sides and compares what they answer byte by byte. */
import { equalBytes, showBytes } from "../../src/testing/bytes.ts";
import { Mismatch } from "../../src/testing/divergence.ts";
import { type Call, surroundings } from "./call.ts";
import { showResult } from "./commands.ts";
import { PATTERN, type Region } from "./memory.ts";
import type { Syscalls } from "./syscalls.ts";
import type { Scan, Slot } from "./world.ts";

export interface Outcome {
  readonly results: readonly [number, number];
  readonly attrs: readonly [Uint8Array, Uint8Array];
}

export class Comparison {
  readonly sides: readonly [Syscalls, Syscalls];

  constructor(sides: readonly [Syscalls, Syscalls]) {
    this.sides = sides;
    for (const { memory } of sides) memory.set(PATTERN);
  }

  /** Makes the call on both sides. The descriptor goes to `fdField`, when that is 0 or more. */
  run(call: Call, cmd: number, fdField: number, slot: Slot): Outcome {
    const results: [number, number] = [0, 0];
    const attrs: [Uint8Array, Uint8Array] = [call.attr.slice(), call.attr.slice()];
    for (const i of [0, 1] as const) {
      const attr = attrs[i];
      if (fdField >= 0 && fdField + 4 <= attr.length)
        new DataView(attr.buffer).setInt32(fdField, slot.fds[i], true);
      results[i] = this.sides[i].bpf(cmd, attr, call.pointers);
      if (!Number.isInteger(results[i]))
        throw new Mismatch("an integer", `${this.sides[i].name}: ${results[i]}`);
      if (fdField >= 0) attr.fill(0, fdField, fdField + 4);
      for (const { field } of call.pointers) attr.fill(0, field, field + 8);
    }
    return { results, attrs };
  }

  /** Makes the call and compares result, attribute and buffers byte by byte. */
  exact(call: Call, cmd: number, fdField: number, slot: Slot): Outcome {
    const outcome = this.run(call, cmd, fdField, slot);
    this.same(call, outcome);
    call.restore();
    return outcome;
  }

  /** Results, attributes and buffers are the same on both sides. */
  same(call: Call, { results, attrs }: Outcome): void {
    if (results[0] !== results[1]) throw new Mismatch(showResult(results[0]), showResult(results[1]));
    this.sameAttr(attrs);
    for (const { start, mapped } of call.buffers) this.#sameMemory(start!, mapped);
  }

  /** What came back in the attribute is the same; descriptors and pointers are not in it any more. */
  sameAttr(attrs: Outcome["attrs"]): void {
    if (equalBytes(attrs[0], attrs[1])) return;
    const at = attrs[0].findIndex((byte, i) => byte !== attrs[1][i]);
    const show = (attr: Uint8Array): string =>
      `attribute with ${showBytes(attr.subarray(at & ~7, (at & ~7) + 8))} at ${at & ~7}`;
    throw new Mismatch(show(attrs[0]), show(attrs[1]));
  }

  #sameMemory(start: number, mapped: number): void {
    const [from, to] = surroundings(start, mapped);
    const [a, b] = [this.sides[0].memory.subarray(from, to), this.sides[1].memory.subarray(from, to)];
    if (Buffer.compare(a, b) === 0) return;
    const at = a.findIndex((byte, i) => byte !== b[i]);
    const where = `at byte ${from + at - start} of the buffer of ${mapped} bytes`;
    throw new Mismatch(
      `${showBytes(a.subarray(at, at + 16))} ${where}`,
      `${showBytes(b.subarray(at, at + 16))}`,
    );
  }

  /** Between calls all of the memory is as it was at the start. */
  checkMemory(): void {
    for (const { memory, name } of this.sides) {
      if (Buffer.compare(memory, PATTERN) === 0) continue;
      const at = memory.findIndex((byte, i) => byte !== PATTERN[i]);
      throw new Mismatch("memory outside all buffers as it was", `${name} has changed byte ${at}`);
    }
  }

  /** As {@link same}, where each side has its own cursor of `scan` in in_batch, which nobody may have changed. */
  sameButCursor(call: Call, outcome: Outcome, cursor: Region, scan: Scan): void {
    const [from, to] = [cursor.start!, cursor.start! + cursor.mapped];
    for (const i of [0, 1] as const) {
      const { memory, name } = this.sides[i];
      const got = memory.slice(from, to);
      memory.set(PATTERN.subarray(from, to), from);
      if (!equalBytes(got, scan.cursors[i].subarray(0, cursor.mapped))) {
        throw new Mismatch("in_batch untouched", `${name}: ${showBytes(got)}`);
      }
    }
    this.same(call, outcome);
  }
}
