/**
 * Host memory that calls use on their way into the core: room for one key, one key that comes back and one value, and a
 * larger stage for calls that move many entries. Both are allocated when the first map needs them and released with the
 * last map, so that a host without maps uses no byte.
 *
 * @module
 */

import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { READ_AHEAD, SLOT_COPY, STATS_BYTES } from "../../generated/abi.js";
import { Columns } from "./columns.ts";
import type { CoreMemory } from "./core_memory.ts";
import type { ExpiryClock } from "./expiry_clock.ts";
import { lockTimeout, slotErrno } from "./shared_core.ts";
import { slotAddress } from "./shared_memory.ts";

/** Rounds up to a multiple of the allocator's alignment. */
export function roundUp64(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Where cursor, keys and values of a scan stand in its block: offsets from the cursor, and the size of it all. */
export function scanLayout(
  host: CoreMemory,
  keySize: number,
  valueSize: number,
  room: number,
): { keys: number; values: number; bytes: number } {
  const keys = roundUp64(host.layout.cursorBytes + keySize + READ_AHEAD);
  const values = keys + roundUp64(room * keySize + READ_AHEAD);
  return { keys, values, bytes: values + roundUp64(room * valueSize + READ_AHEAD) };
}

/** A memory with the room for calls in it. */
export interface ScratchMemory extends CoreMemory {
  readonly scratch: Scratch;
  /** What expiry goes by. */
  readonly expiry: ExpiryClock;
}

export class Scratch {
  /** Address of the key that a call passes in. */
  key = 0;
  /** Address of a key that a call gives back. */
  out = 0;
  /** Address of a value. At least 64 bytes. */
  value = 0;
  /** Shared hosts: where the core puts the copy of a value that it has looked up. A room of its own, since a getter of a value
   *  that is being encoded may look another one up. */
  copy = 0;
  /**
   * Counts up with every use. The caller's objects are read while they are encoded, and a getter of theirs may call the
   * library: whoever encodes compares the turn before and after, since the scratch holds something else when it differs.
   */
  turn = 0;
  /** The string that the key was encoded from, and the codec that did. That is so while {@link textTurn} is the turn. */
  text = "";
  textCodec: unknown;
  textTurn = -1;
  /** For iterators. */
  readonly columns: Columns;
  #host: CoreMemory;
  #keyBytes = 0;
  #valueBytes = 0;
  #stage = 0;
  #stageBytes = 0;

  constructor(host: CoreMemory) {
    this.#host = host;
    this.columns = new Columns(host);
  }

  /** Makes room for keys and values of a size; false when there is no memory for it. */
  reserve(keySize: number, valueSize: number): boolean {
    // A stage for one entry, so that a map can be iterated over however full the host is.
    if (this.stage(scanLayout(this.#host, keySize, valueSize, 1).bytes) === 0) return false;
    const keyBytes = Math.max(this.#keyBytes, roundUp64(keySize + READ_AHEAD));
    const valueBytes = Math.max(this.#valueBytes, roundUp64(Math.max(valueSize, STATS_BYTES) + READ_AHEAD));
    if (keyBytes === this.#keyBytes && valueBytes === this.#valueBytes) return true;
    const address = this.#host.allocate(this.#roomBytes(keyBytes, valueBytes));
    if (address === 0) return false;
    this.#releaseRooms();
    this.#keyBytes = keyBytes;
    this.#valueBytes = valueBytes;
    this.key = address;
    this.out = address + keyBytes;
    this.value = address + 2 * keyBytes;
    if (this.#host.shared) this.#placeCopy(this.value + valueBytes);
    return true;
  }

  /** Writes four words where a key goes; of a shorter key, some go behind it, which there is room for (READ_AHEAD). Where. */
  putKey(first: number, second: number, third: number, fourth: number): number {
    this.turn++;
    const { u32 } = this.#host;
    const at = this.key >>> 2;
    u32[at] = first;
    u32[at + 1] = second;
    u32[at + 2] = third;
    u32[at + 3] = fourth;
    return this.key;
  }

  /** Runs `run` with the rooms there, on a host that may have no map open. */
  borrow<T>(operation: Operation, run: () => T): T {
    if (this.value !== 0) return run();
    if (!this.reserve(1, 1)) throw noBlock(this.#host, operation, "the host");
    try {
      return run();
    } finally {
      this.release();
    }
  }

  /**
   * The stage, at least `bytes` long, or 0 when there is no memory for it. Valid until the next call of the library. The one
   * there is goes only when there is a larger one: a full arena cannot give the same size again, since what a block left of a
   * power of two may have been given away, and of a shared host another thread may be faster.
   */
  stage(bytes: number): number {
    this.turn++;
    if (bytes <= this.#stageBytes) return this.#stage;
    const wanted = roundUp64(bytes);
    const address = this.#host.allocate(wanted);
    if (address === 0) return 0;
    this.#releaseStage();
    this.#stage = address;
    this.#stageBytes = wanted;
    return address;
  }

  release(): void {
    this.turn++;
    this.#releaseRooms();
    this.#releaseStage();
    this.columns.close();
  }

  #roomBytes(keyBytes: number, valueBytes: number): number {
    return 2 * keyBytes + (this.#host.shared ? 2 : 1) * valueBytes;
  }

  #placeCopy(address: number): void {
    this.copy = address;
    this.#host.u32[(slotAddress(this.#host.cpu) + SLOT_COPY) >>> 2] = address;
  }

  #releaseRooms(): void {
    if (this.key !== 0) {
      this.#host.release(this.key, this.#roomBytes(this.#keyBytes, this.#valueBytes));
      if (this.#host.shared) this.#placeCopy(0);
    }
    this.key = this.out = this.value = this.#keyBytes = this.#valueBytes = 0;
  }

  #releaseStage(): void {
    // At once: no code of the caller's runs while somebody writes to the stage.
    if (this.#stage !== 0) this.#host.core.release(this.#stage, this.#stageBytes);
    this.#stage = this.#stageBytes = 0;
  }
}

/** The error where {@link Host.allocate} gave 0: there is no memory, or another thread has the lock of the allocator. */
export function noBlock(host: CoreMemory, operation: Operation, subject: string): Error {
  if (host.shared && slotErrno(host) === ERRNO.ETIMEDOUT) return lockTimeout(host, operation, subject);
  return noMemory(host, operation, subject);
}

/** ENOMEM, with how much of the limit is in use. */
export function noMemory(host: CoreMemory, operation: Operation, subject: string): Error {
  const used = host.core.bytesInUse() >>> 0;
  return bpfError(
    ERRNO.ENOMEM,
    operation,
    subject,
    `could not get memory: the host uses ${used} of ${host.limit} bytes`,
    "delete entries, close maps or create the host with a larger maxMemory",
  );
}
