/** The two sides of the comparison: something that answers bpf(2) calls over a memory of its own. */
import type { Host } from "../../src/index.ts";
import { E } from "./commands.ts";
import { OUTSIDE, PATTERN } from "./memory.ts";

/** A pointer field of an attribute: its offset there, and where it leads. */
export interface PointerField {
  readonly field: number;
  /** offset in the memory; undefined is NULL; below 0: OUTSIDE[-1 - target] */
  readonly target: number | undefined;
}

export interface Syscalls {
  readonly name: string;
  /**
   * True for a kernel, which may end a batch at the border of a bucket and answer ENOSPC. False for `host.bpf`, which gives
   * as many entries as asked for.
   */
  readonly wholeBuckets: boolean;
  readonly memory: Uint8Array;
  /**
   * One call. `attr` is as long as the size that the caller claims, and the pointer fields in it are still empty.
   * Afterwards it holds what was written back; its pointer fields are unspecified.
   *
   * @returns 0 or more, or -errno
   */
  bpf(cmd: number, attr: Uint8Array, pointers: readonly PointerField[]): number;
  /** What a pointer to there looks like on this side. */
  address(target: PointerField["target"]): bigint;
  close(fd: number): void;
  /** Called when every descriptor is closed: reports what is left over, if anything. */
  leftOver(): string | undefined;
}

/** Writes a 64-bit address into an attribute, as far as the attribute is long enough for it. */
export function writeAddress(attr: Uint8Array, field: number, address: bigint): void {
  let rest = address;
  for (let i = field; i < field + 8 && i < attr.length; i++) {
    attr[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** `host.bpf`: addresses are offsets into the memory. */
export class HostSyscalls implements Syscalls {
  readonly name = "host.bpf";
  readonly wholeBuckets = false;
  readonly memory = PATTERN.slice();
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  bpf(cmd: number, attr: Uint8Array, pointers: readonly PointerField[]): number {
    for (const { field, target } of pointers) {
      writeAddress(attr, field, this.address(target));
    }
    return this.#host.bpf(cmd, attr, this.memory.buffer);
  }

  address(target: PointerField["target"]): bigint {
    if (target === undefined) return 0n;
    return target < 0 ? OUTSIDE[-1 - target]!.host : BigInt(target);
  }

  close(fd: number): void {
    const results = [this.#host.closeFd(fd), this.#host.closeFd(fd)];
    if (results[0] !== 0 || results[1] !== -E.BADF)
      throw new Error(`closeFd(${fd}) twice: ${results.join(", ")}`);
  }

  leftOver(): string | undefined {
    const { bytes } = this.#host.memoryUsage();
    return bytes === 0 ? undefined : `${bytes} bytes in use after the last close`;
  }
}
