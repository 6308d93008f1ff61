// One flip of a bit: a host is made, a bit of its memory is turned over, and a workload says what comes of it.
import { createHash } from "node:crypto";
import * as abi from "../../../src/generated/abi.js";
import { bucketAddress } from "../core/bucket_address.mjs";
import { Endless, mixed, PLAIN_SCENES, placesOf, SCENES } from "./scenes.mjs";

const CPUS = 4;
const MAX_MEMORY = 8 * 1024 * 1024;
/** ms; a flipped bit of a lock is nobody's lock, which is waited for. */
const LOCK_TIMEOUT = 5;
const ORDERS = abi.LAST_ORDER + 1;

/** Xorshift32 (Marsaglia 2003). */
export function randomOf(seed) {
  let state = seed | 1;
  return {
    next() {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    },
    below(n) {
      return this.next() % n;
    },
  };
}

function makeScene(api, name, shared) {
  const host = api.createHost({
    seed: 11,
    cpus: CPUS,
    shared,
    maxMemory: MAX_MEMORY,
    clock: () => 0,
    ...(shared ? { lockTimeout: LOCK_TIMEOUT } : {}),
  });
  const other = host.createMap({ type: "rhash", key: api.u32, value: api.u32, maxEntries: 100 });
  const others = Array.from({ length: 40 }, (_, n) => mixed(n + 1000));
  for (const [n, key] of others.entries()) other.set(key, n);
  const scene = (SCENES[name] ?? PLAIN_SCENES[name])(api, host);
  // Free blocks of several sizes.
  const parts = [1, 2, 3, 4].map((n) =>
    host.createMap({ type: "array", key: api.u32, value: api.u32, maxEntries: 20 * n }),
  );
  parts[0].close();
  parts[2].close();
  return {
    host,
    other,
    others,
    scene,
    values: [...scene.values, ...placesOf(host, other, others)],
    keys: new Set([...others, ...(scene.keys ?? [])]),
  };
}

/** Blocks of the free lists. */
function freeBlocks({ u32 }) {
  const blocks = [];
  for (let order = 0; order < ORDERS; order++) {
    for (let block = u32[(abi.ARENA_HEADS >>> 2) + order]; block !== 0; block = u32[block >>> 2]) {
      blocks.push([block, block + 2 ** (6 + order)]);
    }
  }
  return blocks.sort(([a], [b]) => a - b);
}

/** Where bits are turned over: how often, and the addresses to choose from. */
function targets(host, map, shared) {
  const free = freeBlocks(host);
  const start = heapStart(host, shared);
  const used = [];
  let at = start;
  for (const [from, to] of free) {
    if (from > at) used.push([at, from]);
    at = to;
  }
  const { handle } = map.table;
  const header = shared ? abi.SHARED_HEADER_BYTES : abi.PLAIN_HEADER_BYTES;
  return [
    [30, [[handle, handle + header]]],
    [12, directories(host, handle)],
    [36, used],
    [5, free.map(([from]) => [from, from + 12])],
    [6, [[abi.ARENA, abi.ARENA_HEADS + 4 * ORDERS]]],
    [3, bitmap(shared, start)],
    [
      3,
      shared
        ? [
            [abi.SECTION_DEPTH, abi.LOW_WATER_PASS + 4],
            [abi.HOST_CPUS, abi.ARENA_LOCK + 16],
            [abi.REGISTRY, abi.SECTION_DEBT + 4],
          ]
        : [[abi.SECTION_DEPTH, abi.LOW_WATER_PASS + 4]],
    ],
    [
      2,
      [
        [abi.SECRETS, abi.SECRETS + 528],
        [abi.ZEROS, abi.ZEROS + abi.ZEROS_BYTES],
      ],
    ],
    [3, shared ? [[abi.SLOTS, abi.SLOTS + 2 * abi.SLOT_BYTES]] : [[abi.ARENA, abi.ARENA_HEADS]]],
  ];
}

function heapStart({ u32 }, shared) {
  const most = u32[abi.ARENA_MOST >>> 2];
  if (shared)
    return (
      (u32[abi.HOST_LOGS >>> 2] + ((u32[abi.HOST_CPUS >>> 2] * abi.LOG_ENTRIES) << 3) + abi.PAGE) & -abi.PAGE
    );
  return (abi.PLAIN_BITMAP + (most >>> 9) + abi.PAGE) & -abi.PAGE;
}

function bitmap(shared, start) {
  const from = (shared ? abi.SHARED_BITMAP : abi.PLAIN_BITMAP) + (start >>> 9);
  return [[from, from + 64]];
}

function directories({ u32, shared }, handle) {
  const found = [];
  const book = shared ? 0 : u32[(handle + abi.PLAIN_TABLE_BOOK) >>> 2];
  if (book > 65536) found.push([book, book + 64]);
  for (const array of [8, 128]) {
    const address = u32[(handle + array) >>> 2];
    const room = u32[(handle + array + 8) >>> 2];
    if (room > 0 && room < 4096 && address > 65536) found.push([address, address + 4 * room]);
  }
  return found.length > 0 ? found : [[handle, handle + 216]];
}

function choose(random, targets) {
  const total = targets.reduce((sum, [weight]) => sum + weight, 0);
  let left = random.below(total);
  const [, ranges] = targets.find(([weight]) => {
    left -= weight;
    return left < 0;
  });
  const bytes = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  let at = random.below(bytes);
  for (const [from, to] of ranges) {
    if (at < to - from) return from + at;
    at -= to - from;
  }
  throw new Error("no address");
}

/** Whether an error is one that the API promises: with an errno, or of a codec that cannot read what is in memory. */
const isTyped = (api, error) =>
  error instanceof api.BpfError || (error instanceof RangeError && / in memory \(/.test(error.message));

/** Runs a workload: what came of it, and the first error that is none of the API's. */
function run(api, { host, other, scene }) {
  const results = [];
  const errors = [];
  const step = (what, call) => {
    let result;
    try {
      result = call();
    } catch (error) {
      if (error instanceof Endless) throw error;
      errors.push({ what, error, typed: isTyped(api, error) });
      result = error instanceof Error ? error.name : "?";
    }
    results.push([what, digest(result)]);
  };
  scene.workload(step);
  step("another map", () => [
    [...other.entries()].length,
    other.get(3),
    other.get(39),
    other.set(41, 1).size,
  ]);
  step("a new map", () => {
    const map = host.createMap({ type: "rhash", key: api.u32, value: api.u32, maxEntries: 500 });
    for (let n = 0; n < 200; n++) map.set(n, n);
    const sum = Array.from({ length: 200 }, (_, n) => map.get(n)).reduce((a, b) => a + b, 0);
    map.close();
    return sum;
  });
  step("memoryUsage", () => host.memoryUsage().bytes);
  step("close", () => scene.map.close());
  step("close host", () => host.close());
  return { results, errors };
}

const digest = (value) =>
  createHash("sha1")
    .update(
      JSON.stringify(value, (_, v) =>
        typeof v === "bigint" ? `${v}n` : v instanceof Uint8Array ? [...v] : v,
      ) ?? "undefined",
    )
    .digest("base64");

const sound = new Map();

/** What the workload gives without damage. */
function expected(api, name, shared) {
  const id = `${name} ${shared}`;
  if (!sound.has(id)) {
    const made = makeScene(api, name, shared);
    const problems = made.host.verify();
    if (problems.length > 0) throw new Error(`${id}: ${problems}`);
    const { results, errors } = run(api, made);
    if (errors.length > 0) throw errors[0].error;
    sound.set(id, results);
  }
  return sound.get(id);
}

/** All scenes on the builds that have them, by number. */
const CASES = [
  ...[false, true].flatMap((shared) => Object.keys(SCENES).map((name) => ({ name, shared }))),
  ...Object.keys(PLAIN_SCENES).map((name) => ({ name, shared: false })),
];

/** @typedef {import("./flips.d.mts").Outcome} Outcome */

/**
 * Turns the bit over that number `flip` of a seed says.
 *
 * @param {(outcome: Outcome) => void} started is told what is about to be done
 * @returns {Outcome}
 */
export function flipOne(api, seed, flip, started) {
  const random = randomOf(Math.imul(seed ^ 0x9e3779b9, 2 * flip + 1) ^ flip);
  for (let i = 0; i < 4; i++) random.next();
  const { name, shared } = CASES[random.below(CASES.length)];
  const made = makeScene(api, name, shared);
  const address = choose(random, targets(made.host, made.scene.map, shared));
  return flipAt(api, made, { name, shared, address, bit: random.below(8) }, started);
}

/** Turns one bit of a scene over. @returns {Outcome} */
function flipAt(api, made, { name, shared, address, bit }, started) {
  const wanted = expected(api, name, shared);
  const { host } = made;
  const outcome = { ...outcomeAt(made, name, shared, address), bit };
  started(outcome);
  const isKey = made.keys.has(host.u32[address >>> 2]);
  host.u8[address] ^= 1 << bit;
  const result = whatComesOfIt(api, made, wanted, outcome);
  // Another key of the same bucket is as good as the one that was there.
  return isKey && result.kind === "wrong" && !result.seen ? { ...result, kind: "value" } : result;
}

/** Bits of sizes that made an endless loop of a scan. */
export const SIZES = [
  { name: "percpu", shared: true, offset: abi.TABLE_VALUE_SIZE, bit: 12 },
  { name: "fixedRefs", shared: true, offset: abi.TABLE_KEY_SIZE, bit: 14 },
];

/** @returns {Outcome} */
export function size(api, number, started) {
  const { name, shared, offset, bit } = SIZES[number];
  const made = makeScene(api, name, shared);
  const address = made.scene.map.table.handle + offset + (bit >>> 3);
  return flipAt(api, made, { name, shared, address, bit: bit & 7 }, started);
}

/** Tables whose buckets have chains, and where their blocks have the link to the next one. */
const LINKS = {
  keys: [abi.PLAIN_KEYS_LINK, abi.KEYS_OVERFLOW_LINK],
  tags: [abi.TAGS_LINK, abi.TAGS_LINK],
  refs: [abi.REFS_LINK, abi.REFS_LINK],
};
const SHARED_LINKS = { ...LINKS, keys: [abi.SHARED_KEYS_LINK, abi.KEYS_OVERFLOW_LINK] };

export const CIRCLES = [false, true].flatMap((shared) =>
  Object.keys(LINKS).map((name) => ({ name, shared })),
);

/**
 * Makes a circle of a chain, as a flipped bit of a link can: the first overflow block of the table leads to itself.
 *
 * @returns {Outcome}
 */
export function circle(api, number, started) {
  const { name, shared } = CIRCLES[number];
  const wanted = expected(api, name, shared);
  const made = makeScene(api, name, shared);
  const { host, scene } = made;
  const { u32 } = host;
  const { handle } = scene.map.table;
  const [link, overflowLink] = (shared ? SHARED_LINKS : LINKS)[name];
  const field = (offset) => u32[(handle + offset) >>> 2];
  const chained = [];
  for (let index = 0; index < field(abi.TABLE_BUCKETS); index++) {
    const bucket = bucketAddress((at) => u32[at >>> 2], handle, index, shared);
    const block = u32[(bucket + link) >>> 2] & (shared ? ~abi.WIDTH_BITS : -1);
    if (block !== 0) chained.push(block >>> 0);
  }
  if (chained.length === 0) throw new Error(`${name} has no chain`);
  const outcome = outcomeAt(made, name, shared, chained[0] + overflowLink);
  started(outcome);
  u32[(chained[0] + overflowLink) >>> 2] = chained[0];
  return whatComesOfIt(api, made, wanted, outcome);
}

/** @returns {Outcome} */
function outcomeAt({ scene }, name, shared, address) {
  const { handle } = scene.map.table;
  return {
    scene: `${name}${shared ? ", shared" : ""}`,
    where:
      address >= handle && address < handle + abi.SHARED_HEADER_BYTES
        ? `header ${address - handle}`
        : `0x${address.toString(16)}`,
    address,
    bit: 0,
    kind: "harmless",
    seen: false,
    detail: "",
  };
}

/** Checks the damaged memory and runs the workload. @returns {Outcome} */
function whatComesOfIt(api, made, wanted, given) {
  const { host } = made;
  const { address } = given;
  const outcome = { ...given };
  try {
    const problems = host.verify();
    outcome.seen = problems.length > 0;
    outcome.detail = problems[0] ?? "";
  } catch (error) {
    if (!isTyped(api, error)) return { ...outcome, kind: "trap", detail: `verify: ${error.stack}` };
    outcome.seen = true;
    outcome.detail = error.message;
  }
  let ran;
  try {
    ran = run(api, made);
  } catch (error) {
    return { ...outcome, kind: "loop", detail: String(error.stack) };
  }
  const raw = ran.errors.find(({ typed }) => !typed);
  const typed = ran.errors.find(({ typed }) => typed);
  const wrong = ran.results.find(([what, result], i) => result !== wanted[i][1] && what !== undefined);
  const ofUser = made.values.some(([from, to]) => address >= from && address < to);
  if (raw !== undefined) return { ...outcome, kind: "trap", detail: `${raw.what}: ${raw.error.stack}` };
  if (typed !== undefined)
    return {
      ...outcome,
      kind: ofUser && typed.error instanceof RangeError ? "value" : "typed",
      detail: `${typed.what}: ${typed.error.message}`,
    };
  if (wrong !== undefined) {
    return { ...outcome, kind: ofUser ? "value" : "wrong", detail: `${wrong[0]}; ${outcome.detail}` };
  }
  return outcome;
}
