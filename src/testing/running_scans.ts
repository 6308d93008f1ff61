/** The scans, drains and iterations that a replay has under way, each with its checker. */

import { ERRNO } from "../errors.ts";
import type { AddressBook } from "./address_book.ts";
import { expectEqual, Mismatch } from "./divergence.ts";
import type { Evictions } from "./evictions.ts";
import type { ReferenceMap } from "./model.ts";
import { ScanChecker } from "./scan_checker.ts";
import type { ScanStep, Subject, SubjectScan } from "./subject.ts";

interface Running<T> {
  readonly source: T;
  readonly checker: ScanChecker;
}

/** How many ran from their start to their end. */
export interface CompleteScans {
  readonly scans: number;
  readonly drains: number;
  readonly iterations: number;
}

/** One scan, one drain and one iteration per slot; each begins when it is first stepped. */
export class RunningScans {
  readonly #subject: Subject;
  readonly #model: ReferenceMap;
  readonly #addresses: AddressBook;
  readonly #evictions: Evictions;
  readonly #scans = new Map<number, Running<SubjectScan>>();
  readonly #drains = new Map<number, Running<SubjectScan>>();
  readonly #iterations = new Map<number, Running<Iterator<readonly [Uint8Array, Uint8Array]>>>();
  readonly complete = { scans: 0, drains: 0, iterations: 0 };

  constructor(subject: Subject, model: ReferenceMap, addresses: AddressBook, evictions: Evictions) {
    this.#subject = subject;
    this.#model = model;
    this.#addresses = addresses;
    this.#evictions = evictions;
  }

  scan(slot: number, room: number): void {
    const running = this.#begin(this.#scans, slot, () => this.#subject.scan());
    const step = running.source.step(room);
    if (typeof step === "number") throw new Mismatch("a step of the scan", `errno ${step}`);
    expectProgress(step, room);
    step.keys.forEach((key, i) => {
      running.checker.returned(key, step.values[i]!);
    });
    if (!step.ended) return;
    this.#ended(running);
    this.#scans.delete(slot);
    this.complete.scans++;
  }

  drain(slot: number, room: number): void {
    const running = this.#begin(this.#drains, slot, () => this.#subject.drain());
    const step = running.source.step(room);
    const errno = this.#model.drainErrno;
    if (typeof step === "number") {
      expectEqual("errno", errno, step);
      return;
    }
    if (errno !== 0) throw new Mismatch(`errno ${errno}`, `${step.keys.length} entries`);
    expectProgress(step, room);
    this.#drained(step, running.checker);
    if (!step.ended) return;
    this.#ended(running);
    this.#drains.delete(slot);
    this.complete.drains++;
  }

  /** Takes everything at once. */
  drainAll(room: number): void {
    if (this.#model.drainErrno !== 0) return;
    this.#evictions.settleAll();
    this.#drained(this.#subject.drainAll(room), new ScanChecker(this.#model));
    expectEqual("entries behind a drain:", 0, this.#model.size);
    this.#model.clear();
    expectEqual("size behind a drain", 0, this.#subject.size);
  }

  #drained({ keys, values }: ScanStep, checker: ScanChecker): void {
    keys.forEach((key, i) => {
      checker.returned(key, values[i]!);
      this.#addresses.deleted(key, this.#model.lookup(key)!);
      this.#model.delete(key);
    });
  }

  /** Runs a filter over everything, which deletes the entries whose value begins with a byte below `remove`. */
  process(remove: number): void {
    if (this.#model.frozen || this.#model.type === "array") return;
    this.#evictions.settleAll();
    const checker = new ScanChecker(this.#model);
    const seen = this.#subject.process(remove);
    if (seen === ERRNO.EOPNOTSUPP) return;
    if (typeof seen === "number") throw new Mismatch("a run", `errno ${seen}`);
    const { keys, values } = seen;
    keys.forEach((key, i) => {
      checker.returned(key, values[i]!);
    });
    checker.ended();
    keys.forEach((key, i) => {
      if (values[i]![0]! >= remove) return;
      this.#addresses.deleted(key, values[i]!);
      this.#model.delete(key);
    });
    this.#model.swept();
  }

  iterate(slot: number, room: number): void {
    const running = this.#begin(this.#iterations, slot, () => this.#subject.entries());
    for (let i = 0; i < room; i++) {
      const next = running.source.next();
      if (next.done) {
        this.#ended(running);
        this.#iterations.delete(slot);
        this.complete.iterations++;
        return;
      }
      running.checker.returned(next.value[0], next.value[1]);
    }
  }

  #ended({ checker }: Running<unknown>): void {
    this.#evictions.settleAll();
    checker.ended();
  }

  /** The scan of the slot, if any, begins anew. */
  rewind(slot: number): void {
    const running = this.#scans.get(slot);
    if (running === undefined) return;
    running.source.rewind();
    this.#scans.set(slot, { source: running.source, checker: new ScanChecker(this.#model) });
  }

  #begin<T>(slots: Map<number, Running<T>>, slot: number, open: () => T): Running<T> {
    let running = slots.get(slot);
    if (running === undefined) {
      running = { source: open(), checker: new ScanChecker(this.#model) };
      slots.set(slot, running);
    }
    return running;
  }
}

/** A step gives at least one entry or the end: never neither, never more than asked for. */
function expectProgress(step: ScanStep, room: number): void {
  const count = step.keys.length;
  if (count > room) throw new Mismatch(`at most ${room} entries`, `${count} entries`);
  if (count === 0 && !step.ended) throw new Mismatch("an entry or the end", "neither");
}
