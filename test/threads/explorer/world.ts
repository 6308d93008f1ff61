/**
 * A shared memory with three CPU slots or more, and an instance of the stepped core for each. All instances here belong to the calling
 * thread; a test of interleavings has one more in a worker (explorer.ts). The memory can be set back to what it was, since a core
 * keeps all its state in there.
 */

import { slotAddress } from "../../../src/core/memory/shared_memory.ts";
import {
  ENOENT,
  HOST_CPUS,
  HOST_TIMEOUT,
  KIND_EVICTS,
  KIND_GROWABLE,
  KIND_TEXTS,
  KIND_TIMED,
  META_ID,
  PAGE,
  SLOT_COPY,
  SLOT_DEPTH,
  TABLE_META,
} from "../../../src/generated/abi.js";
import { type Call, type Exports, makeCalls } from "./calls.mjs";
import { CPUS, ORIGIN, type Shape, storedBytes, TTL } from "./programs/shapes.ts";

const PAGES = 16;
const SCRATCH_BYTES = 40960;
const COPY_BYTES = 6016;
/** Of the map that a test is about, and of one that is made by an operation. */
const PATH = "t";
export const NEW_PATH = "new";
/** No test waits for so long: the clock goes on with every look at it. */
const NEVER_MS = 2 ** 30;
/** More than memory that was retired must rest (assembly/table/resize/retire.ts). */
const TICK_MS = 3;

/** Who does what in a world. `third` has been there all the time, and is who looks at the end. */
export const [FIRST, SECOND, THIRD, FOURTH] = [0, 1, 2, 3] as const;

/** Memory that the calls of one slot may use: keys, values and results. */
export class Scratch {
  readonly #start: number;
  #next: number;

  constructor(start: number) {
    this.#start = start;
    this.#next = start;
  }

  take(bytes: number): number {
    const at = this.#next;
    this.#next += (bytes + 15) & ~15;
    if (this.#next > this.#start + SCRATCH_BYTES) throw new Error("the scratch memory is full");
    return at;
  }

  clear(): void {
    this.#next = this.#start;
  }
}

export class World {
  readonly memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true });
  readonly bytes = new Uint8Array(this.memory.buffer);
  readonly words = new Uint32Array(this.memory.buffer);
  readonly cores: readonly Exports[];
  readonly scratch: readonly Scratch[];
  /** Is told each step that an instance of this thread makes. */
  onStep: (cpu: number, point: number) => void = () => {};
  /** Slots whose threads are known to be gone, whoever asks (`isGone` of assembly/sync/slot.ts). */
  readonly gone = new Set<number>();
  readonly module: WebAssembly.Module;
  readonly #emptyBytes: number;
  #saved = new Uint8Array(0);
  #time = 0;
  clock: () => number = () => {
    this.#time += TICK_MS;
    return this.#time;
  };

  constructor(module: WebAssembly.Module, cpus = CPUS) {
    this.module = module;
    this.words[HOST_CPUS >>> 2] = cpus;
    this.words[HOST_TIMEOUT >>> 2] = NEVER_MS;
    this.cores = Array.from({ length: cpus }, (_, cpu) => this.instantiate(cpu));
    this.cores[FIRST].initHost(PAGES * PAGE, 1);
    this.#emptyBytes = this.cores[FIRST].bytesInUse();
    const buffers = this.cores.map((core, cpu) => {
      this.words[slotAddress(cpu) >>> 2] = 1;
      core.attach(1, cpu + 1);
      const at = core.allocate(SCRATCH_BYTES + COPY_BYTES);
      this.words[(slotAddress(cpu) + SLOT_COPY) >>> 2] = at + SCRATCH_BYTES;
      return at;
    });
    this.scratch = buffers.map((at) => new Scratch(at));
  }

  instantiate(cpu: number): Exports {
    const slot = new WebAssembly.Global({ value: "i32", mutable: false }, slotAddress(cpu));
    const env = {
      memory: this.memory,
      slot,
      now: () => this.clock(),
      isGone: (cpu: number) => this.gone.has(cpu),
      step: (point: number) => this.onStep(cpu, point),
      // Only builds with assertions import it.
      abort: (_message: number, _file: number, line: number, column: number) => {
        throw new Error(`assertion at ${line}:${column}`);
      },
    };
    return new WebAssembly.Instance(this.module, { env }).exports as unknown as Exports;
  }

  /** Makes calls in the name of a slot. Their results. */
  run(cpu: number, calls: readonly Call[]): number[] {
    const results: number[] = [];
    makeCalls(this.cores[cpu], this.memory, calls, results);
    return results;
  }

  /** A map that lives as long as its path. */
  createMap(shape: Shape): number {
    const path = this.scratch[THIRD].take(PATH.length);
    const results = this.run(THIRD, [
      ...createCalls(shape),
      { name: "pinTable", args: [{ resultOf: 1 }, this.writePath(path), PATH.length] },
      { name: "dropTable", args: [{ resultOf: 1 }] },
    ]);
    this.scratch[THIRD].clear();
    if (results.slice(2).some((errno) => errno !== 0)) throw new Error(`no map: ${results}`);
    return results[1];
  }

  writePath(at: number, path = PATH): number {
    return this.write(at, new TextEncoder().encode(path));
  }

  /** Writes bytes; their address. */
  write(at: number, bytes: Uint8Array): number {
    this.bytes.set(bytes, at);
    return at;
  }

  save(): void {
    this.#saved = this.bytes.slice();
  }

  restore(): void {
    this.bytes.set(this.#saved);
    this.#time = 0;
    this.gone.clear();
  }

  inSection(cpu: number): boolean {
    return this.words[(slotAddress(cpu) + SLOT_DEPTH) >>> 2] !== 0;
  }

  isFree(cpu: number): boolean {
    return this.words[slotAddress(cpu) >>> 2] === 0;
  }

  /** Takes the paths of maps away, and then all slots. Throws when a byte of memory stays taken. */
  checkNothingLeft(): void {
    for (const path of [PATH, NEW_PATH]) {
      const at = this.scratch[THIRD].take(path.length);
      const errno = this.cores[THIRD].unpinTable(this.writePath(at, path), path.length);
      if (errno !== 0 && errno !== ENOENT) throw new Error(`a path cannot be taken away: errno ${errno}`);
    }
    this.cores[THIRD].sweepTables();
    for (const cpu of this.cores.keys()) {
      if (cpu !== THIRD && !this.isFree(cpu)) this.cores[THIRD].reap(cpu);
    }
    const errno = this.cores[THIRD].detach();
    if (errno !== 0) throw new Error(`the last slot cannot leave: errno ${errno}`);
    const left = this.cores[THIRD].bytesInUse() - this.#emptyBytes;
    if (left !== 0) throw new Error(`${left} bytes are still in use when everything is closed`);
  }
}

/** Makes a map known and holds it: its handle is the second result. */
export function createCalls(shape: Shape): Call[] {
  const table = { resultOf: 1 };
  const { growable, keySize, valueSize, maxEntries, prealloc, lockOffset, texts } = shape;
  const kind =
    (growable ? KIND_GROWABLE : 0) |
    (texts ? KIND_TEXTS : 0) |
    (shape.evicts ? KIND_EVICTS : 0) |
    (shape.expires ? KIND_TIMED : 0);
  return [
    { name: "takeMapId", args: [] },
    shape.array
      ? { name: "createArray", args: [valueSize, maxEntries] }
      : {
          name: "createTable",
          args: [
            kind,
            keySize,
            storedBytes(shape),
            maxEntries,
            +prealloc,
            0,
            777,
            Number(shape.perCpu ?? false),
          ],
        },
    ...(shape.expires
      ? [
          { name: "setExpiry", args: [table, 1, TTL, valueSize, 0] },
          { name: "openClock", args: [ORIGIN] },
        ]
      : []),
    { name: "setLockOffset", args: [table, lockOffset ?? 0xffffffff] },
    { name: "storeWord", args: [{ resultOf: 1, plus: TABLE_META + META_ID }, { resultOf: 0 }] },
    { name: "registerTable", args: [table] },
  ];
}
