// The physical floor of a batch lookup, as a contender of its row: reads both cache lines of the blocks that the keys of bpfmap's
// map are in, at random, in the same memory, and does nothing else.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { draws, pick, Random, split } from "../data/random.mjs";
import { benchHost } from "./bench_host.mjs";

export const BARE_LINES = "bare-lines";
const BLOCK = 128;
const root = fileURLToPath(new URL("../..", import.meta.url));

let compiled;

function compile() {
  const source = `${root}bench/assembly/lines.ts`;
  const output = `${root}build/lines.wasm`;
  if (!existsSync(output) || statSync(output).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(`${root}build`, { recursive: true });
    // Moved to its place when it is whole: another process may want it at the same time.
    const part = `${root}build/lines.${process.pid}.wasm`;
    const flags = "--runtime stub --importMemory --optimizeLevel 3 --noAssert --outFile".split(" ");
    const asc = `${root}node_modules/assemblyscript/bin/asc.js`;
    execFileSync(process.execPath, [asc, source, ...flags, part], { stdio: ["ignore", 2, 2] });
    renameSync(part, output);
  }
  return new WebAssembly.Module(readFileSync(output));
}

export class BareLines {
  name = BARE_LINES;
  /** Its results are those of no map. */
  floor = true;
  subject = this;
  #ours;
  #keys;
  #seed;
  #readBlocks;
  /** The map that the addresses below are of. */
  #map;
  #batches;

  /**
   * @param {import("../run/entrants.mjs").Entrant} ours
   * @param {Uint32Array} keys those of the full map
   */
  constructor(ours, keys, { seed }) {
    compiled ??= compile();
    const { memory } = benchHost(seed).core;
    this.#readBlocks = new WebAssembly.Instance(compiled, { env: { memory } }).exports.readBlocks;
    this.#ours = ours;
    this.#keys = keys;
    this.#seed = seed;
  }

  /** Addresses for each of the batches, of keys of draws of its own: those of the batches themselves may be in the caches. */
  prepare(batches) {
    const { map } = this.#ours.subject;
    if (map === this.#map) return;
    const size = batches[0].length;
    const keys = pick(
      this.#keys,
      draws(size * batches.length, this.#keys.length, new Random(this.#seed, 101)),
    );
    this.#batches = split(
      keys.map((key) => map.lookup(key) & -BLOCK),
      size,
    );
    this.#map = map;
  }

  lookupMany() {
    const batches = this.#batches;
    // Where a batch of the map has its keys, so that they are copied from and to the same places.
    const { keys } = this.#ours.subject.batch(batches[0].length);
    const target = new Uint32Array(keys.buffer, keys.byteOffset, batches[0].length);
    const readBlocks = this.#readBlocks;
    for (let b = 0; b < batches.length; b++) {
      target.set(batches[b]);
      readBlocks(target.byteOffset, target.length);
    }
  }

  bring() {}

  leave() {}

  close() {}
}
