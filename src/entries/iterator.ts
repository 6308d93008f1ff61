/// <reference lib="esnext.disposable" preserve="true" />
/**
 * BPF iterators over maps: entries as text or bytes, read in pieces.
 *
 * The rules are those of `bpf_seq_read` (kernel/bpf/bpf_iter.c of Linux): an element whose output does not fit is taken back and
 * shown again by the next read; one that does not fit an empty buffer is E2BIG, and the iterator stays at it; after the last one the
 * program is called once more, without an element.
 *
 * The kernel remembers (bucket, number of elements to skip) between two reads, and repeats and misses elements of a bucket that
 * has changed. Here it is the keys that a scan has fetched and that are still to come, and the cursor of the scan, which is good across
 * resizes (assembly/table/scan/scan.ts). Values are not kept: each is looked up when its turn comes, so that what was deleted is never
 * shown.
 *
 * In host memory, from open to end:
 *
 *   cursor | keys[room], of which `next`..`count` are still to come | value of the element that is being shown
 *
 * @module
 */
import { checkInteger } from "../arguments/integer.ts";
import { checkSlips } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import { noBlock, roundUp64, scanLayout } from "../core/memory/scratch.ts";
import { CURSOR_ENDED, ERRNO_LIMIT } from "../core/wasm/exports.ts";
import { bpfError, ERRNO } from "../errors.ts";
import { subjectOf } from "../ops/failure.ts";
import type { EntryHandle } from "../ops/handle.ts";
import type { LiveEntry, ReadonlyEntry } from "./entry.ts";
import { returnEntry, takeCopy } from "./entry_pool.ts";
import { Seq } from "./seq.ts";

/** Options of {@link EntryMap.iterator}. */
export interface IteratorOptions<E> {
  /**
   * Writes one element to `seq`; it is called for each entry in turn, and at the end once more without one, for a footer. A header
   * belongs to the call with `seq.number === 0`, which of an empty map is the final one.
   *
   * `entry` is a copy, good until `show` returns and not to be written; the map itself may be changed as one likes: an entry that is
   * deleted before its turn is not shown, a value is that of the moment of its turn, and what is inserted may be shown or not.
   *
   * When `show` throws, what it has written is taken back, and the error comes out of the read; the read after that shows the same
   * element again.
   *
   * @returns nothing or 0; or 1 to take back what was written and have the same element shown again by the next read
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an arrow function returns what write() returns
  show(seq: Seq, entry: E | undefined): 0 | 1 | undefined | void;
  /** Most bytes per read, from 1 to 2^30; by default 32 KiB, 8 pages as in the kernel. */
  readonly bufferSize?: number | undefined;
}

declare global {
  // So that the type of stream() is there for a consumer that has no library of TypeScript that declares it: the DOM's, Node's.
  // biome-ignore lint/suspicious/noExplicitAny: all declarations of an interface must have the same parameters
  interface ReadableStream<R = any> {}
}

const DEFAULT_SIZE = 32768;
const SIZE_MAX = 2 ** 30;
/** Keys per scan, and bytes of them. */
const GROUP = 64;
const GROUP_BYTES = 16384;
/** What `show` returns to see the same element again. */
const RETRY = 1;

/** Why an element is not in the output; undefined when it is. */
type Ending = "overflow" | "retry" | { readonly thrown: unknown } | undefined;

/**
 * Reads the output of {@link EntryMap.iterator}, piece by piece: with {@link read}, with `for await`, or as a web
 * {@link ReadableStream}. Nothing is shown before it is asked for.
 *
 * It holds the map, and some host memory, until its end is read: `close()` it if you stop before. Closing the map's handle does not
 * disturb it; closing the host does: EBADF.
 *
 * @example
 * ```ts
 * import { createMap, u32 } from "bpfmap";
 *
 * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
 * map.set(80, 3);
 * const iterator = map.iterator({
 *   show: (seq, entry) => entry && seq.write(`${JSON.stringify({ port: entry.key, hits: entry.value })}\n`),
 * });
 * console.log(new TextDecoder().decode(iterator.read()).trim()); // {"port":80,"hits":3}
 * iterator.close();
 * ```
 */
export class MapIterator implements AsyncIterableIterator<Uint8Array<ArrayBuffer>, undefined, undefined> {
  /** A handle of its own, which holds the map. */
  readonly #map: EntryHandle<unknown, unknown>;
  readonly #show: IteratorOptions<ReadonlyEntry<unknown, unknown>>["show"];
  readonly #size: number;
  readonly #seq: Seq;
  /** The handle that it was made with, which the entries belong to. */
  readonly #source: EntryHandle<unknown, unknown>;
  /** The one that `show` is handed; only during a read. */
  #entry: LiveEntry<unknown, unknown> | undefined;
  /** The block, which begins with the cursor; 0 once the iterator is closed or at its end. */
  #block: number;
  readonly #bytes: number;
  readonly #room: number;
  readonly #keys: number;
  readonly #value: number;
  #count = 0;
  #next = 0;
  /** The scan has no more keys. */
  #scanned = false;
  /** The final call is done. */
  #ended = false;
  /** What `show` threw behind other output: for the next read. */
  #pending: { readonly thrown: unknown } | undefined;

  /** @internal Use {@link EntryMap.iterator}. */
  constructor(map: EntryHandle<unknown, unknown>, options: IteratorOptions<ReadonlyEntry<unknown, unknown>>) {
    const { host, table } = map;
    const subject = subjectOf(map);
    if (typeof options !== "object" || options === null) {
      throw new TypeError(`iterator: ${subject}: expected options { show }, got ${describe(options)}`);
    }
    checkSlips(`iterator: ${subject}`, options, ["show", "bufferSize"]);
    const { show, bufferSize = DEFAULT_SIZE } = options;
    if (typeof show !== "function") {
      throw new TypeError(`iterator: ${subject}: show: expected a function, got ${describe(show)}`);
    }
    this.#size = checkInteger(`iterator: ${subject}: bufferSize`, bufferSize, 1, SIZE_MAX);
    if (map.reading === 0) map.refuse("iterator"); // a getter of the options may have closed it
    this.#show = (seq, element) => show.call(options, seq, element);
    this.#seq = new Seq(map, subject, this.#size);
    this.#source = map;
    let room = Math.max(1, Math.min(GROUP, Math.floor(GROUP_BYTES / table.keySize)));
    const layoutOf = (room: number) => scanLayout(host, table.keySize, 0, room);
    const bytesOf = (room: number) => layoutOf(room).values + roundUp64(table.valueBytes);
    this.#block = host.allocate(bytesOf(room));
    if (this.#block === 0) {
      room = 1;
      this.#block = host.allocate(bytesOf(room));
      if (this.#block === 0) throw noBlock(host, "iterator", subject);
    }
    this.#room = room;
    this.#bytes = bytesOf(room);
    this.#keys = this.#block + layoutOf(room).keys;
    this.#value = this.#block + layoutOf(room).values;
    host.putWord(this.#block, 0);
    host.putWord(this.#block + 4, 0);
    this.#map = map.reopen();
    this.#map.resources.add(this);
  }

  /**
   * The next piece: the output of as many elements as fit whole, at least one byte.
   *
   * An error leaves the iterator where it is, at the element that the next read will show again.
   *
   * @returns bytes of your own; undefined at the end, and ever after
   * @throws BpfError E2BIG for an element that writes more than `bufferSize` bytes; EAGAIN when `show` returned 1 for the first
   *   element of the piece; EBADF when the iterator or its host is closed; EBUSY inside `show`; ENOMEM; what `show` throws, once
   *   the output before it has been read.
   */
  read(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#ended) return undefined;
    if (this.#entry !== undefined)
      this.#fail(ERRNO.EBUSY, "is being read: show() reads the iterator that it shows for");
    if (this.#block === 0) this.#refuse();
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) throw pending.thrown;
    const entry = takeCopy(this.#source);
    this.#entry = entry;
    try {
      this.#fill(entry);
      return this.#seq.take();
    } finally {
      this.#entry = undefined;
      returnEntry(this.#source, entry);
      if (this.#ended) this.close();
    }
  }

  /** The next {@link read}, for `for await`. It closes the iterator at the end of the loop, and when there is an error. */
  async next(): Promise<IteratorResult<Uint8Array<ArrayBuffer>, undefined>> {
    if (this.#block === 0 && !this.#map.host.closed) return { done: true, value: undefined };
    try {
      const value = this.read();
      return value === undefined ? { done: true, value } : { done: false, value };
    } catch (error) {
      // A loop does not call return() then.
      if (this.#entry === undefined) this.close();
      throw error;
    }
  }

  /** Closes the iterator: a `for await` was left early. */
  async return(): Promise<IteratorResult<Uint8Array<ArrayBuffer>, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * The pieces as a web stream, for `new Response(stream)`, `pipeTo` and `pipeThrough`. A piece is made when the consumer asks for it.
   * Cancelling the stream closes the iterator, as do its end and an error.
   *
   * @example
   * ```ts
   * import { createMap, u32 } from "bpfmap";
   *
   * const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 8 });
   * const iterator = map.iterator({ show: (seq, entry) => entry && seq.write(`${entry.key} ${entry.value}\n`) });
   * const response = new Response(iterator.stream());
   * console.log(response.status); // 200
   * ```
   */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          const { done, value } = await this.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: () => this.close(),
      },
      // Nothing is read ahead: what a piece says is of the moment it is asked for.
      { highWaterMark: 0 },
    );
  }

  /** Gives the map and the memory back, wherever the iterator is. Calling it again does nothing. */
  close(): void {
    if (this.#block === 0) return;
    const map = this.#map;
    map.host.release(this.#block, this.#bytes);
    this.#block = 0;
    this.#pending = undefined;
    this.#seq.release();
    map.resources.delete(this);
    map.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Shows elements until one does not fit, or the end. Throws only when it has nothing to give. */
  #fill(entry: LiveEntry<unknown, unknown>): void {
    const seq = this.#seq;
    while (true) {
      const kept = seq.count;
      const element = this.#find(entry, kept > 0);
      if (element === null) return;
      const ending = this.#run(element);
      if (ending === undefined && this.#block !== 0) {
        if (element === undefined) {
          this.#ended = true;
          return;
        }
        this.#next++;
        seq.keep();
        continue;
      }
      seq.discard(kept);
      if (kept > 0 && this.#block !== 0) {
        if (typeof ending === "object") this.#pending = ending;
        return;
      }
      if (typeof ending === "object") throw ending.thrown;
      if (this.#block === 0) this.#refuse();
      this.#refuseElement(element, ending);
    }
  }

  /** Has `show` write an element. */
  #run(element: ReadonlyEntry<unknown, unknown> | undefined): Ending {
    const seq = this.#seq;
    try {
      seq.begin();
      const result: unknown = this.#show(seq, element);
      if (result !== undefined && result !== 0) {
        if (result === RETRY) return "retry";
        const expected = "show: expected nothing, 0 or 1 to be returned";
        throw new TypeError(`iterator.read: ${subjectOf(this.#map)}: ${expected}, got ${describe(result)}`);
      }
    } catch (error) {
      return { thrown: error };
    } finally {
      seq.end();
    }
    return seq.overflowed ? "overflow" : undefined;
  }

  /** The element whose turn it is, as it is now; undefined behind the last one, null when it could not be had and may wait. */
  #find(
    entry: LiveEntry<unknown, unknown>,
    mayWait: boolean,
  ): LiveEntry<unknown, unknown> | undefined | null {
    const map = this.#map;
    const { host, table } = map;
    try {
      while (true) {
        while (this.#next < this.#count) {
          const key = this.#keys + this.#next * table.keySize;
          const address = map.find(map.reading, key);
          if (address >= ERRNO_LIMIT) {
            host.copy(this.#value, address, table.valueBytes);
            return entry.at(key, this.#value);
          }
          if (address !== 0) map.fail("iterator.read", address);
          this.#next++; // it was deleted
        }
        if (this.#scanned) break;
        this.#fetch();
      }
    } catch (error) {
      if (mayWait) return null;
      throw error;
    }
    entry.leave();
    return undefined;
  }

  /** Fetches the next keys. */
  #fetch(): void {
    const map = this.#map;
    const count = map.scan(this.#block, this.#keys, 0, this.#room);
    map.checkScan("iterator.read", count);
    this.#count = count;
    this.#next = 0;
    this.#scanned = map.host.word(this.#block + 4) === CURSOR_ENDED;
  }

  #refuseElement(element: unknown, ending: Ending): never {
    const which = element === undefined ? "the final call" : `element ${this.#seq.number}`;
    if (ending === "retry") this.#fail(ERRNO.EAGAIN, `is to show ${which} again, as show() has returned`);
    const cause = `cannot show ${which}: it writes more than bufferSize = ${this.#size} bytes`;
    this.#fail(ERRNO.E2BIG, cause, "give it a larger one");
  }

  #refuse(): never {
    this.#fail(ERRNO.EBADF, this.#map.host.closed ? "is closed, with its host" : "is closed");
  }

  #fail(errno: number, cause: string, remedy?: string): never {
    throw bpfError(errno, "iterator.read", `an iterator of ${subjectOf(this.#map)}`, cause, remedy);
  }
}
