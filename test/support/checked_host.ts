/** A host whose memory the core's `verify` checks, and the names of what is in that memory. */

import { createHost, type Host, type HostOptions } from "../../src/index.ts";
import { problemOf } from "../../src/ops/invariants.ts";
import type { Operation } from "../../src/testing/index.ts";
import { CoreConstants } from "./core/constants.ts";

/** Small, because some engines reserve the address space of every host at once, or all of it when it is shared. */
const MAX_MEMORY = 128 * 1024 * 1024;

export class CheckedHost {
  readonly host: Host;
  readonly constants: CoreConstants;
  /** Where the core writes details. */
  readonly #out: number;

  constructor(options: HostOptions) {
    this.host = createHost({ maxMemory: MAX_MEMORY, ...options });
    this.constants = new CoreConstants(options.shared === true);
    this.#out = this.host.allocate(64);
  }

  /** Number of the broken invariant of a table, 0 when there is none. */
  verify(table: number): number {
    return this.host.core.verify(table, this.#out);
  }

  verifyArena(): number {
    return this.host.core.verifyArena(this.#out);
  }

  /** What the core says about the invariant that it has just found broken. */
  problem(code: number): string {
    return problemOf(code, this.host.u32.subarray(this.#out >>> 2, (this.#out >>> 2) + 4));
  }

  /** Throws when anything is wrong with any map or with the arena. */
  check(): void {
    for (const { handle } of this.host.registry.all()) {
      const code = this.verify(handle);
      if (code !== 0) throw new Error(this.problem(code));
    }
    const code = this.verifyArena();
    if (code !== 0) throw new Error(this.problem(code));
  }

  /** The same operations, with a check after every `every`-th and the last one. */
  *checked(operations: Iterable<Operation>, every: number): Generator<Operation> {
    let done = 0;
    for (const operation of operations) {
      yield operation;
      if (++done % every === 0) this.check();
    }
    this.check();
  }

  word(address: number): number {
    return this.host.u32[address >>> 2]!;
  }

  setWord(address: number, value: number): void {
    this.host.u32[address >>> 2] = value;
  }
}
