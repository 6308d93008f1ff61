/**
 * The entries that a run has unlinked, from there to the dumper.
 *
 * @module
 */
import { checkNoPromise } from "../arguments/functions.ts";
import type { RunRecord } from "../core/memory/run_record.ts";
import { noBlock } from "../core/memory/scratch.ts";
import { lockTimeout, sharedCore } from "../core/memory/shared_core.ts";
import type { LiveEntry } from "../entries/entry.ts";
import { returnEntry, takeEntry } from "../entries/entry_pool.ts";
import { bpfError, ERRNO } from "../errors.ts";
import { putBack } from "../ops/batch/put_back.ts";
import { subjectOf } from "../ops/failure.ts";
import type { EntryHandle } from "../ops/handle.ts";
import { packedValue } from "../ops/percpu.ts";
import type { Program } from "../programs/program.ts";
import { entryFunction } from "./entry_function.ts";
import type { Dumper } from "./process_types.ts";

export class Victims<K, V> {
  readonly #map: EntryHandle<K, V>;
  readonly #record: RunRecord;
  readonly #dumper: ((entry: LiveEntry<K, V>) => unknown) | undefined;
  /** Apart from the filter's, which may still be looking at its own when the dumper comes in between. */
  readonly #entry: LiveEntry<K, V>;

  constructor(map: EntryHandle<K, V>, record: RunRecord, dumper: Dumper<K, V> | Program<K, V> | undefined) {
    this.#map = map;
    this.#record = record;
    this.#dumper = dumper && entryFunction<unknown, K, V>(dumper);
    this.#entry = takeEntry(map);
  }

  close(): void {
    returnEntry(this.#map, this.#entry);
  }

  /** Whether there is no room to note one more. */
  get isFull(): boolean {
    return this.#dumper !== undefined && !this.#record.hasVictimRoom;
  }

  /** Makes room for `room` in all, or at least for one more. Whether the dumper had to come first, for want of memory. */
  makeRoom(room = 0): boolean {
    if (this.#record.growVictims(room)) return false;
    if (this.#record.victimCount === 0) throw noBlock(this.#map.host, "process", subjectOf(this.#map));
    return this.dump();
  }

  /**
   * Waits for the grace period and calls the dumper for each. When that is not possible, or it throws, those that it has not seen
   * go back into the map, except where their key is there again. True, for entries may have changed since it was called.
   */
  dump(): boolean {
    const record = this.#record;
    const { host } = this.#map;
    const count = record.victimCount;
    if (this.#dumper === undefined || count === 0) return true;
    let done = 0;
    try {
      this.#awaitReaders();
      while (done < count) {
        const row = record.victims + 8 * done;
        done++;
        const result = this.#dumper(this.#entry.at(host.word(row), host.word(row + 4)));
        if (host.closed) {
          throw bpfError(
            ERRNO.EBADF,
            "process",
            subjectOf(this.#map),
            "is closed, with its host, by the dumper",
          );
        }
        if (typeof result === "object") checkNoPromise(`process: ${subjectOf(this.#map)}: dumper`, result);
      }
    } catch (error) {
      if (!host.closed) this.#putBack(done, count);
      throw error;
    } finally {
      if (!host.closed) record.victimCount = 0;
    }
    return true;
  }

  /** The grace period: until every section of another thread that is open now has ended (synchronize_rcu). */
  #awaitReaders(): void {
    const { host } = this.#map;
    if (host.shared && sharedCore(host).synchronizeOthers() !== 0)
      throw lockTimeout(host, "process", "a section");
  }

  /** What a low-water hook throws meanwhile gives way to the error that made them go back. */
  #putBack(from: number, to: number): void {
    const { host } = this.#map;
    const { errno, lost } = putBack(this.#map, "process", from, to, (i) => {
      const row = this.#record.victims + 8 * i;
      return [host.word(row), packedValue(this.#map as never, host.word(row + 4))];
    });
    if (lost === 0) return;
    const cause = `did not take back ${lost} deleted entries that the dumper has not seen; they are lost`;
    throw bpfError(errno, "process", subjectOf(this.#map), cause);
  }
}
