/**
 * What the package takes from Node, without importing `node:` modules: it runs where there are none.
 *
 * @module
 */

interface NodeGlobal {
  readonly process?: { getBuiltinModule?(id: string): unknown };
}

/** A module of Node, or undefined where there is none: browsers have no `process`. */
export function builtinModule<T>(id: string): T | undefined {
  try {
    return (globalThis as NodeGlobal).process?.getBuiltinModule?.(id) as T | undefined;
  } catch {
    // The edge runtime of Next.js has the function, and throws from it.
    return undefined;
  }
}

// What follows is what `#core`, `#core_shared` and `#random` of package.json mean to Node itself. To everything else, bundlers for Node
// among them, they are modules that run anywhere: src/generated/core.js, src/generated/core_shared.js and src/random.ts.

interface Files {
  readFileSync(file: URL): Uint8Array<ArrayBuffer>;
  openSync(file: string): number;
  fstatSync(file: number): { isCharacterDevice(): boolean };
  readSync(file: number, bytes: Uint8Array): number;
  closeSync(file: number): void;
}

const files = () => builtinModule("node:fs") as Files;

/** The core: a file beside this one in the package. Nothing is left to decode, and a core that is not used is not read. */
export function coreSource(): Uint8Array<ArrayBuffer> {
  return files().readFileSync(new URL("./core.wasm", import.meta.url));
}

/** The core for shared memory. */
export function sharedCoreSource(): Uint8Array<ArrayBuffer> {
  return files().readFileSync(new URL("./core.shared.wasm", import.meta.url));
}

/** Random bytes are drawn so many at a time. */
const POOL_BYTES = 2048;

let pool = new Uint8Array(0);

/** Fills bytes with random numbers of the system, as `crypto` does. */
export function drawBytes(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.length > pool.length) pool = fromDevice(new Uint8Array(Math.max(POOL_BYTES, bytes.length)));
  bytes.set(pool.subarray(0, bytes.length));
  // Who reads this memory later finds no secret of a map in it.
  pool.fill(0, 0, bytes.length);
  pool = pool.subarray(bytes.length);
  return bytes;
}

/**
 * From the device of Unix systems: the first use of `crypto` loads modules of Node for 3 to 6 ms of a core, half of what a host costs
 * then. The device is seeded: Node has waited for that when it started.
 */
function fromDevice(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { openSync, fstatSync, readSync, closeSync } = files();
  try {
    const file = openSync("/dev/urandom");
    try {
      // On Windows anybody may have made a file of that name.
      if (fstatSync(file).isCharacterDevice() && readSync(file, bytes) === bytes.length) return bytes;
    } finally {
      closeSync(file);
    }
  } catch {
    // There is none, or it may not be read.
  }
  return crypto.getRandomValues(bytes);
}
