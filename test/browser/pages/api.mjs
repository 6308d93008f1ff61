// The typed API, as a page uses it.
import {
  array,
  BPF_NOEXIST,
  BpfError,
  bytes,
  createHost,
  createMap,
  cstring,
  f32,
  f64,
  i8,
  i16,
  i32,
  i64,
  SK_DROP,
  SK_PASS,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "bpfmap";
import { Random } from "bpfmap/testing";
import { check, equal, ready, test, thrown } from "./define.mjs";

test("every codec, through a map and back", (seed) => {
  const random = new Random(seed);
  const flow = struct({
    flags: u8,
    delta: i8,
    port: u16,
    offset: i16,
    count: u32,
    signed: i32,
    ratio: f32,
    mean: f64,
    packets: u53,
    bytes: u64,
    balance: i64,
    name: cstring(12),
    address: bytes(16),
    history: array(struct({ at: u32, by: u8 }), 3),
  });
  const map = createHost({ seed }).createMap({ type: "rhash", key: u32, value: flow, maxEntries: 500 });
  const u64Value = () => (BigInt(random.next()) << 32n) | BigInt(random.next());
  const make = () => ({
    flags: random.below(256),
    delta: random.between(-128, 127),
    port: random.below(2 ** 16),
    offset: random.between(-(2 ** 15), 2 ** 15 - 1),
    count: random.next(),
    signed: random.next() | 0,
    ratio: Math.fround(random.next() / 7),
    mean: random.next() / 3,
    packets: random.below(2 ** 21) * 2 ** 32 + random.next(),
    bytes: u64Value(),
    balance: BigInt.asIntN(64, u64Value()),
    name: ["", "a", "größe", "κόσμε", "eleven byte"][random.below(5)],
    address: Uint8Array.from({ length: 16 }, () => random.below(256)),
    history: Array.from({ length: 3 }, () => ({ at: random.next(), by: random.below(256) })),
  });
  const model = new Map();
  for (let key = 0; key < 500; key++) model.set(key, make());
  for (const [key, value] of model) map.set(key, value);
  for (const [key, value] of model) equal(`value ${key}`, value, map.get(key));
  equal("entries", 500, [...map].length);
  for (const [key, value] of map) equal(`entry ${key}`, model.get(key), value);
  check(
    "a RangeError for 256 as u8",
    thrown(() => map.set(1, { ...make(), flags: 256 })) instanceof RangeError,
  );
  equal("value 1 after the refused write", model.get(1), map.get(1));
});

test("errors carry the kernel's numbers", () => {
  const map = createMap({ type: "hash", name: "small", key: u32, value: u32, maxEntries: 1 });
  map.set(1, 10);
  const full = thrown(() => map.set(2, 20));
  check("a BpfError", full instanceof BpfError);
  equal("full", ["E2BIG", 7], [full.code, full.errno]);
  check("the map's name in the message", full.message.includes("small"));
  equal("code", "EEXIST", thrown(() => map.update(1, 11, BPF_NOEXIST)).code);
  equal("size", 1, map.size);
});

/** Keys that stay; what the churn inserts and deletes lies above them. */
const STABLE = 3000;

/**
 * One pass over a map that holds the keys 0 to STABLE - 1 all the time, `next` giving the next keys, undefined at the end.
 * Between two steps the map grows by `growth` entries, or loses them again.
 */
function exactlyOnce(map, seed, next) {
  const random = new Random(seed);
  const extra = [];
  let fresh = STABLE;
  const seen = new Uint32Array(STABLE);
  for (let step = 0; ; step++) {
    const keys = next();
    if (keys === undefined) break;
    for (const key of keys) if (key < STABLE) seen[key]++;
    if (step % 40 < 20) {
      for (let i = 0; i < 400; i++) extra.push(fresh++);
      for (const key of extra.slice(-400)) map.set(key, 1);
    } else {
      for (let i = 0; i < 400; i++) map.delete(extra.splice(random.below(extra.length), 1)[0]);
    }
  }
  const wrong = [...seen].findIndex((times) => times !== 1);
  if (wrong !== -1) throw new Error(`key ${wrong} came ${seen[wrong]} times`);
  check("a resize during the scan", map.stats().splits > 0);
}

function filled(seed) {
  const map = createHost({ seed }).createMap({ type: "rhash", key: u32, value: u32, maxEntries: 100_000 });
  for (let key = 0; key < STABLE; key++) map.set(key, key);
  return map;
}

for (const count of [1, 7, 64]) {
  test(`a batch scan returns each entry exactly once while the map is resized: count ${count}`, (seed) => {
    const map = filled(seed);
    const batch = map.createBatch(count);
    let more = true;
    exactlyOnce(map, seed, () => {
      if (!more) return undefined;
      more = map.lookupBatch(batch);
      return Array.from({ length: batch.count }, (_, i) => batch.key(i));
    });
  });
}

test("an iteration returns each entry exactly once while the map is resized", (seed) => {
  const map = filled(seed);
  const keys = map.keys();
  exactlyOnce(map, seed, () => {
    const { done, value } = keys.next();
    return done ? undefined : [value];
  });
});

test("drains take each entry exactly once", (seed) => {
  const map = filled(seed);
  const batch = map.createBatch(50);
  const seen = new Set();
  let more = true;
  while (more) {
    more = map.lookupAndDeleteBatch(batch);
    for (const [key, value] of batch.entries()) {
      check(`key ${key} for the first time, with its value`, !seen.has(key) && key === value);
      seen.add(key);
    }
  }
  equal("taken and left", [STABLE, 0], [seen.size, map.size]);
});

test("sockets leave maps when they close, and get what is redirected to them", async () => {
  const host = createHost();
  const map = host.createMap({ type: "sockhash", key: cstring(8), maxEntries: 8 });
  const { port1, port2 } = new MessageChannel();
  const target = new EventTarget();
  map.set("port", port1).set("again", port1).set("target", target);
  const message = new Promise((resolve) => {
    port2.onmessage = ({ data }) => resolve(data);
  });
  equal("verdicts", [SK_PASS, SK_DROP], [map.redirect("port", { a: 1 }), map.redirect("nobody", 1)]);
  equal("message", { a: 1 }, await message);
  target.dispatchEvent(new Event("close"));
  equal("left", ["again", "port"], [...map.keys()].sort());
  const error = thrown(() => map.set("closed", Object.assign(new EventTarget(), { readyState: "closed" })));
  check("a closed socket is refused", error instanceof BpfError && error.code === "EINVAL");
  map.close();
  equal("bytes", 0, host.memoryUsage().bytes);
  port1.close();
});

ready();
