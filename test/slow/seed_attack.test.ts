// The large attack on a seed (test/host/seed_attack.test.ts has the small one): 2^28 candidates are tried against the listing of a host with a
// seed, and of one without; then keys that collide under the seed are inserted into both. TEST_ATTACK_BITS=32 tries all there are.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { createHost, type HashMap, type Host, u32 } from "../../src/index.ts";
import { inOrder, mapSeed, positionOf, SHOWN_BITS, secretsFrom } from "../support/core/seed_attack.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("slow/seed_attack.test.ts");
const BITS = Number(process.env.TEST_ATTACK_BITS ?? 28);
const FIRST = BITS === 32 ? 0 : Math.floor(seed / 2 ** BITS) * 2 ** BITS;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const KEYS_AT = 4096;
const FOUND_AT = 65536;
const COLLIDING = 60_000;
/** Of a hash: buckets of a map of so many entries are told apart by fewer. */
const COLLIDING_BITS = 16;

/** In AssemblyScript, on the core's own hash: this is what takes the minutes. */
const SOURCE = `
import { hash4With, initSeeds, reverseBits } from "../../assembly/hash/hash";

const SEEDS: usize = 2048;

function mix(word: u32): u32 {
  word = (word ^ (word >> 16)) * 0x85ebca6b;
  word = (word ^ (word >> 13)) * 0xc2b2ae35;
  return word ^ (word >> 16);
}

@inline function hash(key: u32): u32 {
  return hash4With(key, load<u64>(SEEDS), load<u64>(SEEDS, 8), load<u64>(SEEDS, 16));
}

function isOrder(keys: usize, count: u32, shift: u32): bool {
  let last: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const position = reverseBits(hash(load<u32>(keys + (<usize>i << 2)))) >> shift;
    if (position < last) return false;
    last = position;
  }
  return true;
}

/** Writes the candidates that fit to found; how many. */
export function search(from: u32, candidates: u32, id: u32, keys: usize, count: u32, shift: u32, found: usize): u32 {
  let fits: u32 = 0;
  for (let i: u32 = 0; i < candidates; i++) {
    initSeeds(SEEDS, mix(from + i + id * 0x9e3779b1));
    if (!isOrder(keys, count, shift)) continue;
    store<u32>(found + (<usize>fits << 2), from + i);
    if (++fits == 1000) break;
  }
  return fits;
}

/** Writes the first keys with a hash of which the low bits are 0; how many. */
export function collide(seed: u32, bits: u32, found: usize, room: u32): u32 {
  initSeeds(SEEDS, seed);
  const mask: u32 = (1 << bits) - 1;
  let keys: u32 = 0;
  let key: u32 = 0;
  do {
    if (hash(key) & mask) continue;
    store<u32>(found + (<usize>keys << 2), key);
    if (++keys == room) break;
  } while (++key);
  return keys;
}
`;

interface Attack {
  search(
    from: number,
    candidates: number,
    id: number,
    keys: number,
    count: number,
    shift: number,
    found: number,
  ): number;
  collide(seed: number, bits: number, found: number, room: number): number;
}

const memory = new WebAssembly.Memory({ initial: 8, maximum: 65536 });
const words = new Uint32Array(memory.buffer);
let attack: Attack;

beforeAll(() => {
  const folder = mkdtempSync(join(ROOT, "build/attack-"));
  try {
    writeFileSync(join(folder, "attack.ts"), SOURCE);
    const out = join(folder, "attack.wasm");
    const asc = join(ROOT, "node_modules/assemblyscript/bin/asc.js");
    const args = [
      join(folder, "attack.ts"),
      "--config",
      "asconfig.json",
      "--target",
      "release",
      "--outFile",
      out,
    ];
    execFileSync(process.execPath, [asc, ...args], { cwd: ROOT, stdio: ["ignore", 2, 2] });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(out)), {
      env: { memory },
    });
    attack = exports as unknown as Attack;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

function listing(host: Host): number[] {
  const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1000 });
  for (let key = 0; key < 200; key++) map.set(key, key);
  return inOrder(map).filter((key) => key < 30);
}

/** All candidates for the seed of the host whose first map has this listing. */
function findSeeds(keys: readonly number[]): number[] {
  words.set(keys, KEYS_AT / 4);
  const started = performance.now();
  const found: number[] = [];
  // A count is a u32, and the search of all candidates takes several.
  const step = 2 ** Math.min(BITS, 30);
  for (let from = FIRST; from < FIRST + 2 ** BITS; from += step) {
    const fits = attack.search(from, step, 1, KEYS_AT, keys.length, 32 - SHOWN_BITS, FOUND_AT) >>> 0;
    found.push(...words.subarray(FOUND_AT / 4, FOUND_AT / 4 + fits));
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`2^${BITS} candidates in ${seconds} s: ${found.length} found`);
  return found;
}

test("the module expands and hashes as the attack in JavaScript does", () => {
  const secrets = secretsFrom(mapSeed(seed, 1));
  const found = attack.collide(mapSeed(seed, 1), 8, FOUND_AT, 100);
  expect(found).toBe(100);
  for (const key of words.subarray(FOUND_AT / 4, FOUND_AT / 4 + 100)) {
    expect(positionOf(key, secrets) >>> 24).toBe(0);
  }
});

test("a seed is found", () => {
  expect(findSeeds(listing(createHost({ seed })))).toEqual([seed]);
});

test("there is none to be found on a host without", () => {
  expect(findSeeds(listing(createHost()))).toEqual([]);
});

/** Inserts, and says how long one of the last thousand took. */
function insertAll(map: HashMap<number, number>, keys: Uint32Array): { us: number; overflow: number } {
  const last = keys.length - 1000;
  for (let i = 0; i < last; i++) map.set(keys[i]!, i);
  const started = performance.now();
  for (let i = last; i < keys.length; i++) map.set(keys[i]!, i);
  const us = performance.now() - started; // a thousand in so many ms
  return { us, overflow: map.stats().overflowBlocks };
}

test("keys that collide under the seed make long chains there, and none without it", () => {
  const found = attack.collide(mapSeed(seed, 1), COLLIDING_BITS, FOUND_AT, COLLIDING);
  const keys = words.slice(FOUND_AT / 4, FOUND_AT / 4 + found);
  expect(found).toBeGreaterThan(COLLIDING * 0.9);
  const open = (host: Host) =>
    host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 2 * COLLIDING });
  const known = insertAll(open(createHost({ seed })), keys);
  const drawn = insertAll(open(createHost()), keys);
  const others = insertAll(
    open(createHost({ seed })),
    Uint32Array.from({ length: found }, (_, i) => i),
  );
  const show = ({ us, overflow }: typeof known) => `${us.toFixed(1)} us (${overflow} overflow blocks)`;
  console.log(
    `an insert after ${found} colliding keys: ${show(known)}; without the seed ${show(drawn)}; other keys ${show(others)}`,
  );
  expect(known.overflow).toBeGreaterThan(found / 5);
  expect(drawn.overflow).toBeLessThan(found / 20);
});
