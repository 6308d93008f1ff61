/** bpf(2) of the kernel that runs this test, called through koffi. */
import { release } from "node:os";
import { CMD } from "./commands.ts";
import { MEMORY_BYTES, OUTSIDE, PATTERN } from "./memory.ts";
import { type PointerField, type Syscalls, writeAddress } from "./syscalls.ts";

/** Number of bpf(2), by `process.arch`. From asm/unistd_64.h and asm-generic/unistd.h. */
const SYS_BPF: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };
/** The rules that are compared, sizes of structures included, are those of this series. */
const SERIES = "6.18.";

const [PROT_NONE, PROT_READ_WRITE] = [0, 3];
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** Address space after the memory that stays unmapped: longer than any buffer. */
const GUARD_BYTES = 16 << 20;
/** Longest attribute that a test passes, and room after it: the kernel writes results back wherever they belong. */
const ATTR_BYTES = 8192;

interface Libc {
  /** an int, never an object: nothing may be allocated between the call and the read of errno */
  syscall(number: number, cmd: number, attr: bigint, size: number): number;
  close(fd: number): number;
  mmap(address: null, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  mprotect(address: bigint, length: number, protection: number): number;
  errno(): number;
  view(address: bigint, length: number): ArrayBuffer;
}

async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import("koffi");
  const libc = koffi.load(null);
  return {
    syscall: libc.func("int syscall(long number, int cmd, void *attr, uint size)"),
    close: libc.func("int close(int fd)"),
    mmap: libc.func(
      "void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset)",
    ),
    mprotect: libc.func("int mprotect(void *address, size_t length, int protection)"),
    errno: () => koffi.errno(),
    view: koffi.view,
  };
}

class LiveKernel implements Syscalls {
  readonly name = "kernel";
  readonly wholeBuckets = true;
  readonly memory: Uint8Array;
  readonly #libc: Libc;
  readonly #number: number;
  readonly #base: bigint;
  readonly #attrAddress: bigint;
  readonly #attr: Uint8Array;

  constructor(libc: Libc, number: number) {
    this.#libc = libc;
    this.#number = number;
    this.#attrAddress = this.#map(ATTR_BYTES, ATTR_BYTES);
    this.#attr = new Uint8Array(libc.view(this.#attrAddress, ATTR_BYTES));
    this.#base = this.#map(MEMORY_BYTES, MEMORY_BYTES + GUARD_BYTES);
    this.memory = new Uint8Array(libc.view(this.#base, MEMORY_BYTES));
    this.memory.set(PATTERN);
  }

  /** Reserves address space of which the first `usable` bytes are memory. It is kept until the process ends. */
  #map(usable: number, reserved: number): bigint {
    const libc = this.#libc;
    const address = libc.mmap(null, reserved, PROT_NONE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    if (libc.mprotect(address, usable, PROT_READ_WRITE) !== 0)
      throw new Error(`mprotect: errno ${libc.errno()}`);
    return address;
  }

  bpf(cmd: number, attr: Uint8Array, pointers: readonly PointerField[]): number {
    const own = this.#attr;
    const { length } = attr;
    for (const { field, target } of pointers) writeAddress(attr, field, this.address(target));
    own.set(attr);
    const result = this.#libc.syscall(this.#number, cmd, this.#attrAddress, length);
    const errno = result < 0 ? this.#libc.errno() : 0;
    attr.set(own.subarray(0, length));
    return result < 0 ? -errno : result;
  }

  address(target: PointerField["target"]): bigint {
    if (target === undefined) return 0n;
    return target < 0 ? OUTSIDE[-1 - target]!.kernel : this.#base + BigInt(target);
  }

  close(fd: number): void {
    if (this.#libc.close(fd) !== 0) throw new Error(`close(${fd}): errno ${this.#libc.errno()}`);
  }

  leftOver(): undefined {
    return undefined;
  }
}

/** Opens new sides that talk to the running kernel. */
export type OpenKernel = () => Syscalls;

/** The running kernel, or one line that says why it cannot be compared with. */
export async function findKernel(): Promise<OpenKernel | string> {
  const number = process.platform === "linux" ? SYS_BPF[process.arch] : undefined;
  if (number === undefined)
    return `needs Linux on x64 or arm64, this is ${process.platform} on ${process.arch}`;
  if (!release().startsWith(SERIES)) return `needs Linux ${SERIES}x, this is ${release()}`;
  let libc: Libc;
  try {
    libc = await loadLibc();
  } catch (error) {
    return `needs the package koffi: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
  }
  const kernel = new LiveKernel(libc, number);
  const attr = new Uint8Array(20);
  const words = new Uint32Array(attr.buffer);
  words.set([2, 4, 4, 1]); // an array of one element
  const fd = kernel.bpf(CMD.MAP_CREATE, attr, []);
  if (fd < 0) return `bpf(2) is refused with errno ${-fd}: it needs root`;
  kernel.close(fd);
  return () => new LiveKernel(libc, number);
}
