/** How a replay says that the map and the model disagree. */
import { equalBytes, showBytes, toHex } from "./bytes.ts";
import type { Operation } from "./operations.ts";

/** Where in a replay something went wrong. */
export interface ReplayPosition {
  /** index of the operation, from 0 */
  readonly step: number;
  readonly operation: Operation;
  /** what the operations were generated from, when that is known */
  readonly seed: number | undefined;
  /** the encoded operations up to and including the one that failed */
  readonly operations: Uint8Array;
}

/** Longest encoding that goes into a message, in bytes. */
const SHOWN_BYTES = 2000;

/** The map and the model disagree, the map broke a promise of scans or addresses, or it crashed. */
export class ReplayDivergence extends Error {
  override readonly name = "ReplayDivergence";
  readonly step: number;
  readonly operation: Operation;
  readonly seed: number | undefined;
  readonly expected: string;
  readonly got: string;
  /** hex of the encoded operations; `decodeOperations(fromHex(encoding))` replays them */
  readonly encoding: string;

  constructor(at: ReplayPosition, expected: string, got: string, cause?: unknown) {
    const encoding = toHex(at.operations);
    const { length } = at.operations;
    const shown = length <= SHOWN_BYTES ? encoding : `of ${length} bytes (in .encoding)`;
    super(
      `step ${at.step} ${JSON.stringify(at.operation)}: expected ${expected}, got ${got}; ` +
        `seed ${at.seed ?? "unknown"}, operations ${shown}`,
      { cause },
    );
    this.step = at.step;
    this.operation = at.operation;
    this.seed = at.seed;
    this.expected = expected;
    this.got = got;
    this.encoding = encoding;
  }
}

/** One result that differs. Thrown while an operation is compared; the replay adds the position. */
export class Mismatch extends Error {
  readonly expected: string;
  readonly got: string;

  constructor(expected: string, got: string) {
    super(`expected ${expected}, got ${got}`);
    this.expected = expected;
    this.got = got;
  }
}

/** Throws {@link Mismatch} unless both are the same. */
export function expectEqual(what: string, expected: number | boolean, got: number | boolean): void {
  if (expected !== got) throw new Mismatch(`${what} ${expected}`, `${what} ${got}`);
}

/** Throws {@link Mismatch} unless both hold the same bytes or both are absent. */
export function expectBytes(
  what: string,
  expected: Uint8Array | undefined,
  got: Uint8Array | undefined,
): void {
  if (expected === got) return;
  if (expected !== undefined && got !== undefined && equalBytes(expected, got)) return;
  throw new Mismatch(`${what} ${showBytes(expected)}`, `${what} ${showBytes(got)}`);
}
