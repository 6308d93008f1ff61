// The attack on the hash's secrets that a listing of keys allows: it finds a seed, and nothing on a host that was given none. Here
// the candidates are few, and the true seed is one of them; test/slow/seed_attack.test.ts tries all there are.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  attachHost,
  BPF_F_ZERO_SEED,
  createHost,
  type Host,
  type HostOptions,
  u32,
} from "../../src/index.ts";
import { CoreConstants } from "../support/core/constants.ts";
import {
  findSeeds,
  inOrder,
  isOrder,
  mapSeed,
  type Secrets,
  secretsFrom,
} from "../support/core/seed_attack.ts";
import { testSeed } from "../support/seed.ts";

const seed = testSeed("host/seed_attack.test.ts");

const CANDIDATES = 1 << 13;
const FIRST = (seed & ~(CANDIDATES - 1)) >>> 0;
/** The attacker's own keys. Of 30 in 16 buckets some 10^25 orders can be told apart: of 2^32 candidates one remains. */
const KEYS = 30;
/** So many that there are 16 buckets. */
const ENTRIES = 200;

const MAX_MEMORY = 1 << 24;
const open = (options: HostOptions = {}) => createHost({ maxMemory: MAX_MEMORY, cpus: 2, ...options });

/** What an attacker sees: keys that are his own, in the order of a map. */
function listing(host: Host, flags = 0): number[] {
  const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1000, flags });
  for (let key = 0; key < ENTRIES; key++) map.set(key, key);
  return inOrder(map).filter((key) => key < KEYS);
}

/** S0, S1 and S2 of all maps of a host, as they stand in their headers. */
function secretsOf(host: Host, shared = false): Secrets[] {
  const offset = new CoreConstants(shared).header("SEEDS");
  return [...host.registry.all()].map(({ handle }) => {
    const at = (word: number) => host.view.getBigUint64(handle + offset + 8 * word, true);
    return [at(0), at(1), at(2)];
  });
}

/** All bytes that were drawn from the system, call by call. */
const drawn: Uint8Array[] = [];

/** Random numbers with a flaw that is the attacker's luck: the first 32 bits of each draw are one of his candidates. */
beforeEach(() => {
  drawn.length = 0;
  const draw = crypto.getRandomValues.bind(crypto);
  vi.spyOn(crypto, "getRandomValues").mockImplementation((array) => {
    draw(array);
    const { buffer, byteOffset, byteLength } = array as Uint8Array;
    const words = new DataView(buffer, byteOffset, byteLength);
    if (byteLength >= 4) words.setUint32(0, FIRST + (words.getUint32(0, true) % CANDIDATES), true);
    drawn.push(new Uint8Array(buffer, byteOffset, byteLength).slice());
    return array;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the attack", () => {
  it("finds the seed of a host that was given one, and with it the order of every map", () => {
    const host = open({ seed });
    const first = listing(host);
    expect(findSeeds(first, 1, FIRST, CANDIDATES)).toEqual([seed]);
    const second = listing(host);
    expect(second).not.toEqual(first);
    expect(isOrder(second, secretsFrom(mapSeed(seed, 2)))).toBe(true);
    expect(secretsOf(host)).toEqual([1, 2].map((id) => secretsFrom(mapSeed(seed, id))));
  });

  it.each([false, true])("finds nothing on a host without a seed, shared: %s", (shared) => {
    const host = open({ shared });
    expect(findSeeds(listing(host), 1, FIRST, CANDIDATES)).toEqual([]);
    if (shared) expect(findSeeds(listing(attachHost(host.share())), 2, FIRST, CANDIDATES)).toEqual([]);
  });
});

describe("secrets of a host without a seed", () => {
  it.each([false, true])("are drawn to the last bit, for each map by itself; shared: %s", (shared) => {
    const constants = new CoreConstants(shared);
    const host = open({ shared });
    const other = shared ? attachHost(host.share()) : host;
    expect(drawn.map((bytes) => bytes.length)).toEqual([512]);
    expect(host.u8.slice(constants.region("SECRETS"), constants.region("SECRETS") + 512)).toEqual(drawn[0]);
    for (const maker of [host, other, host]) {
      maker.createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 });
      maker.createMap({ type: "array", key: u32, value: u32, maxEntries: 10 });
    }
    expect(drawn.map((bytes) => bytes.length)).toEqual([512, 24, 24, 24]);
    const keyed = secretsOf(host, shared).filter(([s0]) => s0 !== 0n);
    expect(keyed).toEqual(
      drawn.slice(1).map((bytes) => {
        const view = new DataView(bytes.buffer);
        return [
          view.getBigUint64(0, true),
          view.getBigUint64(8, true) | 1n,
          view.getBigUint64(16, true) | 1n,
        ];
      }),
    );
  });

  it("are not drawn with a seed, also where another thread makes the map", () => {
    const host = open({ seed, shared: true });
    const other = attachHost(host.share());
    listing(host);
    listing(other);
    expect(drawn).toEqual([]);
    expect(secretsOf(host, true)).toEqual([1, 2].map((id) => secretsFrom(mapSeed(seed, id))));
  });

  it("of a map with BPF_F_ZERO_SEED are those of the number 0", () => {
    for (const options of [{}, { seed }, { shared: true }]) {
      const order = listing(open(options), BPF_F_ZERO_SEED);
      expect(isOrder(order, secretsFrom(0))).toBe(true);
    }
  });
});
