// bpf(2) of the running kernel, called from this process through koffi: maps, and programs that run only when asked to
// (BPF_PROG_TEST_RUN). Nothing is attached to anything. Commands and attributes: include/uapi/linux/bpf.h.
import { existsSync, readFileSync } from "node:fs";
import { assemble, exit, move, r0 } from "./assembler.mjs";

/** Number of bpf(2), by `process.arch`: asm/unistd_64.h and asm-generic/unistd.h. */
const SYS_BPF = { x64: 321, arm64: 280 };
const COMMAND = { mapCreate: 0, mapLookup: 1, mapUpdate: 2, progLoad: 5, progTestRun: 10, none: 9999 };
const [MAP_TYPE_HASH, MAP_TYPE_ARRAY, MAP_TYPE_LRU_HASH] = [1, 2, 9];
const F_NO_PREALLOC = 1;
/** A type that BPF_PROG_TEST_RUN has a packet for. Unlike a socket filter it takes root on any kernel, and loops take root, too. */
const PROG_TYPE_SCHED_CLS = 3;
const LICENSE = new TextEncoder().encode("Apache-2.0\0").buffer;
const PACKET_BYTES = 64;
const LOG_BYTES = 1 << 16;
const ATTRIBUTE_BYTES = 128;
/** The part of an attribute that commands on one element take. */
const ELEMENT_BYTES = 32;
const [EPERM, EAGAIN] = [1, 11];
/** As many as libbpf makes. */
const ATTEMPTS = 5;
const JIT = "/proc/sys/net/core/bpf_jit_enable";

/** Throws an Error that says why this process cannot measure the kernel. */
export async function openBpf() {
  const number = process.platform === "linux" ? SYS_BPF[process.arch] : undefined;
  if (number === undefined)
    throw new Error(`needs Linux on x64 or arm64, this is ${process.platform} on ${process.arch}`);
  let koffi;
  try {
    koffi = (await import("koffi")).default;
  } catch (error) {
    throw new Error(`needs the package koffi: ${error.message.split("\n")[0]}`);
  }
  const bpf = new Bpf(koffi, number);
  bpf.close(bpf.createArray(8));
  bpf.close(bpf.loadProgram(assemble([move(r0, 0), exit()])));
  if (existsSync(JIT) && readFileSync(JIT, "utf8").trim() === "0")
    throw new Error("the kernel interprets BPF programs here: sysctl net.core.bpf_jit_enable=1");
  return bpf;
}

function refusal(command, errno) {
  return `bpf(${command}) is refused with errno ${errno}${errno === EPERM ? ": it needs root" : ""}`;
}

/** Buffers are ArrayBuffers: their bytes do not move, and whoever passes one keeps it until the call returns. */
class Bpf {
  #libc;
  #number;
  #attribute = new DataView(new ArrayBuffer(ATTRIBUTE_BYTES));
  #attributeAddress;
  #packet = new ArrayBuffer(PACKET_BYTES);

  constructor(koffi, number) {
    const libc = koffi.load(null);
    this.#libc = {
      syscall: libc.func("int syscall(long number, int cmd, void *attr, uint size)"),
      close: libc.func("int close(int fd)"),
      errno: () => koffi.errno(),
      address: (buffer) => koffi.address(buffer),
    };
    this.#number = number;
    this.#attributeAddress = koffi.address(this.#attribute.buffer);
  }

  /**
   * @param {number} keySize
   * @param {number} maxEntries
   * @param {{ preallocated?: boolean, lru?: boolean }} options
   * @returns {number} file descriptor of a BPF_MAP_TYPE_HASH or BPF_MAP_TYPE_LRU_HASH with values of 8 bytes
   */
  createHash(keySize, maxEntries, { preallocated = true, lru = false }) {
    const type = lru ? MAP_TYPE_LRU_HASH : MAP_TYPE_HASH;
    return this.#createMap(type, keySize, 8, maxEntries, preallocated ? 0 : F_NO_PREALLOC);
  }

  /** A BPF_MAP_TYPE_ARRAY of one element: memory that programs and this process can both reach. */
  createArray(bytes) {
    return this.#createMap(MAP_TYPE_ARRAY, 4, bytes, 1, 0);
  }

  #createMap(...fields) {
    this.#newAttribute();
    fields.forEach((field, i) => {
      this.#setWord(4 * i, field);
    });
    const fd = this.#call(COMMAND.mapCreate);
    if (fd < 0) throw new Error(refusal("BPF_MAP_CREATE", -fd));
    return fd;
  }

  /**
   * @param {Uint8Array} instructions what bench/kernel/assembler.mjs gave
   * @returns {number} file descriptor
   */
  loadProgram(instructions) {
    let fd = -EAGAIN;
    // A signal ends the verifier's work before its time.
    for (let i = 0; i < ATTEMPTS && fd === -EAGAIN; i++) fd = this.#loadProgram(instructions);
    if (fd >= 0) return fd;
    const log = new ArrayBuffer(LOG_BYTES);
    const again = this.#loadProgram(instructions, log);
    if (again >= 0) this.close(again);
    const lines = new TextDecoder().decode(log).replace(/\0.*/s, "").trim().split("\n");
    throw new Error([refusal("BPF_PROG_LOAD", -fd), ...lines.slice(-5)].join("\n").trim());
  }

  #loadProgram(instructions, log) {
    this.#newAttribute();
    this.#setWord(0, PROG_TYPE_SCHED_CLS);
    this.#setWord(4, instructions.byteLength / 8);
    this.#setAddress(8, instructions.buffer);
    this.#setAddress(16, LICENSE);
    if (log !== undefined) {
      this.#setWord(24, 1); // level
      this.#setWord(28, log.byteLength);
      this.#setAddress(32, log);
    }
    return this.#call(COMMAND.progLoad);
  }

  /** Runs a program once, over a packet of zeros. @returns nanoseconds, as the kernel measured them */
  testRun(program) {
    this.#newAttribute();
    this.#setWord(0, program);
    this.#setWord(8, PACKET_BYTES);
    this.#setAddress(16, this.#packet);
    this.#setWord(32, 1); // repeat: a signal would end several runs before their time
    const result = this.#call(COMMAND.progTestRun);
    if (result < 0) throw new Error(`bpf(BPF_PROG_TEST_RUN): errno ${-result}`);
    return this.#attribute.getUint32(36, true); // duration
  }

  /** @returns 0 or -errno */
  update(map, key, value) {
    return this.#element(COMMAND.mapUpdate, map, key, value);
  }

  /** Copies the value to `value`. @returns 0 or -errno */
  lookup(map, key, value) {
    return this.#element(COMMAND.mapLookup, map, key, value);
  }

  #element(command, map, key, value) {
    this.#newAttribute();
    this.#setWord(0, map);
    this.#setAddress(8, key);
    this.#setAddress(16, value);
    return this.#call(command);
  }

  /** A call that the kernel refuses at once. */
  refused() {
    this.#libc.syscall(this.#number, COMMAND.none, this.#attributeAddress, ELEMENT_BYTES);
  }

  /** Bytes that the kernel accounts to a map. */
  mapBytes(map) {
    const [, bytes] = /^memlock:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${map}`, "utf8"));
    return Number(bytes);
  }

  close(fd) {
    if (this.#libc.close(fd) !== 0) throw new Error(`close(${fd}): errno ${this.#libc.errno()}`);
  }

  #newAttribute() {
    new Uint8Array(this.#attribute.buffer).fill(0);
  }

  #setWord(offset, word) {
    this.#attribute.setUint32(offset, word, true);
  }

  #setAddress(offset, buffer) {
    this.#attribute.setBigUint64(offset, this.#libc.address(buffer), true);
  }

  /** @returns 0 or more, or -errno */
  #call(command) {
    const result = this.#libc.syscall(this.#number, command, this.#attributeAddress, ATTRIBUTE_BYTES);
    return result < 0 ? -this.#libc.errno() : result;
  }
}
