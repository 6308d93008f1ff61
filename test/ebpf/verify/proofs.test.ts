// What the verifier proves, what it leaves to checks at run time, and what it forgets in order to come to an end.
import { describe, expect, it } from "vitest";
import {
  ARRAY,
  checksOf,
  HASH,
  lookup,
  mapLike,
  type Options,
  packet,
  refused,
  verified,
} from "../support/verified.ts";

const OUTER = mapLike({ name: "outer", type: "hash_of_maps", valueSize: 4, inner: HASH });
const RING = mapLike({ name: "ring", type: "ringbuf", keySize: 0, valueSize: 0 });
const LOCKED = mapLike({ name: "locked", lockOffset: 0 });

type Case = readonly [name: string, text: string, options?: Options];
type CheckedCase = readonly [name: string, text: string, checks: number, options?: Options];

/** Everything is proven, also as strictly as a kernel wants it. */
const proven: Case[] = [
  [
    "a value behind a NULL test",
    `${lookup()}\nif r0 == 0 goto out\nr1 = *(u64 *)(r0 +8)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a NULL test of a copy",
    `${lookup()}\nr6 = r0\nif r6 == 0 goto out\nr1 = *(u64 *)(r0 +8)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a NULL test of a spilled pointer",
    `${lookup()}\n*(u64 *)(r10 -16) = r0\nr1 = *(u64 *)(r10 -16)\nif r1 == 0 goto out\nr1 = *(u64 *)(r0 +8)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a pointer that is NULL on one path",
    `r6 = *(u32 *)(r1 +12)\nr0 = 0\nif r6 == 0 goto test${lookup()}\ntest:\nif r0 == 0 goto out\nr0 = *(u32 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "an index behind a comparison of 64 bits",
    `r6 = *(u32 *)(r1 +12)${lookup(1)}\nif r0 == 0 goto out\nif r6 > 63 goto out\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "one of 32 bits",
    `r6 = *(u32 *)(r1 +12)${lookup(1)}\nif r0 == 0 goto out\nif w6 > 15 goto out\nr6 <<= 2\nr0 += r6\nr0 = *(u32 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a signed one of 32 bits",
    `r6 = *(u32 *)(r1 +12)${lookup(1)}\nif r0 == 0 goto out\nif w6 s> 15 goto out\nif w6 s< 0 goto out\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a masked index",
    `r6 = *(u32 *)(r1 +12)${lookup(1)}\nif r0 == 0 goto out\nr6 &= 63\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a copy that was compared",
    `r6 = *(u32 *)(r1 +12)\nr7 = r6${lookup(1)}\nif r0 == 0 goto out\nif r6 > 63 goto out\nr0 += r7\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a spilled copy that was compared",
    `r6 = *(u32 *)(r1 +12)\n*(u64 *)(r10 -16) = r6${lookup(1)}\nif r0 == 0 goto out\nif r6 > 63 goto out\nr7 = *(u64 *)(r10 -16)\nr0 += r7\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a copy spilled in 32 bits",
    `r6 = *(u32 *)(r1 +12)\n*(u32 *)(r10 -16) = r6${lookup(1)}\nif r0 == 0 goto out\nif r6 > 63 goto out\nr7 = *(u32 *)(r10 -16)\nr0 += r7\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "sign extension by shifts",
    `r6 = *(u32 *)(r1 +12)${lookup(1)}\nif r0 == 0 goto out\nif r6 > 60 goto out\nr6 <<= 32\nr6 s>>= 32\nr0 += r6\nr0 = *(u8 *)(r0 +3)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a packet behind >",
    `${packet}\nr2 = r7\nr2 += 14\nif r2 > r8 goto out\nr0 = *(u16 *)(r7 +12)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a packet with its end on the left",
    `${packet}\nr2 = r7\nr2 += 14\nif r8 < r2 goto out\nr0 = *(u16 *)(r7 +12)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a packet behind <, one byte more",
    `${packet}\nr2 = r7\nr2 += 13\nif r2 >= r8 goto out\nr0 = *(u16 *)(r7 +12)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a packet behind a variable header",
    `${packet}\nr2 = r7\nr2 += 20\nif r2 > r8 goto out\nr3 = *(u8 *)(r7 +0)\nr3 &= 15\nr3 <<= 2\nr7 += r3\nr4 = r7\nr5 = r7\nr5 += 4\nif r5 > r8 goto out\nr0 = *(u32 *)(r4 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "the metadata before a packet",
    "r6 = *(u32 *)(r1 +8)\nr7 = *(u32 *)(r1 +0)\nr2 = r6\nr2 += 4\nif r2 > r7 goto out\nr0 = *(u32 *)(r6 +0)\nout:\nr0 = 0\nexit",
  ],
  [
    "a byte of the metadata at a variable offset",
    "r9 = *(u32 *)(r1 +12)\nr9 &= 7\nr6 = *(u32 *)(r1 +8)\nr7 = *(u32 *)(r1 +0)\nr6 += r9\nr2 = r6\nr2 += 1\nif r2 > r7 goto out\nr0 = *(u8 *)(r6 +0)\nout:\nr0 = 0\nexit",
  ],
  [
    "the distance of pointers",
    `${packet}\nr6 = r8\nr6 -= r7${lookup(1)}\nif r0 == 0 goto out\nif r6 > 63 goto out\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
  ],
  [
    "a map in a map",
    `${lookup()}\nif r0 == 0 goto out\nr2 = r10\nr2 += -4\nr1 = r0\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nr0 = *(u64 *)(r0 +8)\nout:\nr0 = 0\nexit`,
    { maps: [OUTER] },
  ],
  [
    "a helper's memory in a frame",
    "r6 = *(u32 *)(r1 +12)\nr6 &= 7\nr6 += 1\n*(u64 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = r6\ncall bpf_trace_printk\nexit",
  ],
  [
    "a locked value",
    `${lookup()}\nif r0 == 0 goto out\nr6 = r0\nr1 = r0\ncall bpf_spin_lock\nr2 = 1\n*(u64 *)(r6 +8) = r2\nr1 = r6\ncall bpf_spin_unlock\nout:\nr0 = 0\nexit`,
    { maps: [LOCKED] },
  ],
  [
    "a record that is reserved, and given back or not there",
    "r1 = map[fd:0]\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve\nif r0 == 0 goto out\n*(u64 *)(r0 +8) = 1\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_submit\nout:\nr0 = 0\nexit",
    { maps: [RING] },
  ],
  [
    "an argument and a result of a function",
    `r1 = *(u32 *)(r1 +12)\ncall f\nr6 = r0${lookup(1)}\nif r0 == 0 goto out\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit\nf:\nr0 = r1\nr0 &= 63\nexit`,
  ],
  [
    "a caller's frame",
    "*(u64 *)(r10 -8) = 5\nr1 = r10\nr1 += -8\ncall f\nr0 = *(u64 *)(r10 -8)\nexit\nf:\n*(u64 *)(r1 +0) = 7\nr0 = 0\nexit",
  ],
  [
    "atomic instructions",
    `${lookup(1)}\nif r0 == 0 goto out\nr1 = 1\nlock *(u64 *)(r0 +8) += r1\nr2 = atomic64_fetch_add((u64 *)(r0 +0), r2)\nout:\nr0 = 0\nexit`.replace(
      "r2 = atomic64_fetch_add((u64 *)(r0 +0), r2)\n",
      "",
    ),
  ],
  [
    "a callback",
    `*(u64 *)(r10 -8) = 0\nr1 = map[fd:0]\nr2 = subprog[f]\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_for_each_map_elem\nr0 = 0\nexit\nf:\nr5 = *(u32 *)(r2 +0)\nr5 = *(u64 *)(r3 +8)\n*(u64 *)(r4 +0) = r5\nr0 = 0\nexit`,
  ],
  [
    "a context of a callback",
    "r0 = *(u64 *)(r3 +8)\nr1 = *(u32 *)(r2 +0)\nr0 = *(u64 *)(r4 +0)\nexit",
    { type: "callback", map: HASH, contextSize: 8 },
  ],
  [
    "the memory of a raw program",
    "r0 = *(u64 *)(r1 +8)\nr1 += r2\nr0 = *(u8 *)(r1 -1)\nexit",
    { type: "raw", contextSize: 16 },
  ],
  [
    "an iterator",
    "r6 = *(u64 *)(r1 +0)\nr6 = *(u64 *)(r6 +0)\nr7 = *(u64 *)(r1 +16)\nif r7 == 0 goto out\nr1 = r6\nr2 = r7\nr3 = 4\ncall bpf_seq_write\nout:\nr0 = 0\nexit",
    { type: "iter", map: HASH },
  ],
];

it.each(proven.map((one) => [one[0], one] as const))("%s is proven", (_, [, text, options = {}]) => {
  const result = verified(text, { ...options, mode: "strict" });
  expect(checksOf(result)).toEqual([]);
  expect(result.checked).toBe(0);
});

/** What is checked when it runs: the instructions that are. A kernel refuses these. */
const checked: CheckedCase[] = [
  ["a value that may be NULL", `${lookup()}\nr0 = *(u64 *)(r0 +8)\nexit`, 1],
  ["a packet that may be shorter", `${packet}\nr0 = *(u8 *)(r7 +3)\nexit`, 1],
  [
    "a packet compared the wrong way round",
    `${packet}\nr2 = r7\nr2 += 14\nif r2 < r8 goto out\nr0 = *(u16 *)(r7 +12)\nout:\nr0 = 0\nexit`,
    1,
  ],
  [
    "one byte too many behind >",
    `${packet}\nr2 = r7\nr2 += 14\nif r2 > r8 goto out\nr0 = *(u16 *)(r7 +13)\nout:\nr0 = 0\nexit`,
    1,
  ],
  [
    "an index without a bound",
    `r6 = *(u32 *)(r1 +12)${lookup(1)}\nif r0 == 0 goto out\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
    1,
  ],
  [
    "an index with a bound one too high",
    `r6 = *(u32 *)(r1 +12)${lookup(1)}\nif r0 == 0 goto out\nif r6 > 64 goto out\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
    1,
  ],
  [
    "a number that only looked like the index",
    `r6 = *(u32 *)(r1 +12)\nr7 = r6\nr7 += 1${lookup(1)}\nif r0 == 0 goto out\nif r6 > 63 goto out\nr0 += r7\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
    1,
  ],
  [
    "a frame or a value",
    `r6 = *(u32 *)(r1 +12)\n*(u64 *)(r10 -16) = 0${lookup()}\nif r0 == 0 goto out\nif r6 > 5 goto use\nr0 = r10\nr0 += -16\nuse:\nr1 = *(u64 *)(r0 +0)\nout:\nr0 = 0\nexit`,
    0,
  ],
  [
    "a variable place in a frame",
    "r6 = *(u32 *)(r1 +12)\nr2 = r10\nr2 += -8\nr2 += r6\nr0 = *(u8 *)(r2 +0)\nexit",
    1,
  ],
  [
    "a key whose place is not certain",
    `r6 = *(u32 *)(r1 +12)${lookup(1)}\nif r0 == 0 goto out\nr0 += r6\nr2 = r0\nr1 = map[fd:0]\ncall bpf_map_lookup_elem\nout:\nr0 = 0\nexit`,
    1,
  ],
  ["a key in a packet", `${packet}\nr2 = r7\nr1 = map[fd:0]\ncall bpf_map_lookup_elem\nr0 = 0\nexit`, 1],
  [
    "an element of an iterator whose map is not known",
    "r7 = *(u64 *)(r1 +16)\nif r7 == 0 goto out\nr0 = *(u32 *)(r7 +0)\nout:\nr0 = 0\nexit",
    1,
    { type: "iter" },
  ],
];

it.each(checked.map((one) => [one[0], one] as const))(
  "%s is left to a check",
  (_, [, text, checks, options = {}]) => {
    expect(checksOf(verified(text, options))).toHaveLength(checks);
    if (checks > 0) expect(refused(text, { ...options, mode: "strict" }).code).toBe("EACCES");
  },
);

describe("constants of .rodata", () => {
  const frozen = new Uint8Array(16);
  frozen[4] = 1;
  const maps = [mapLike({ name: ".rodata", type: "array", writable: false, frozen })];
  const text = (offset: number) =>
    `r1 = map[fd:0][0]+${offset}\nr1 = *(u32 *)(r1 +0)\nif r1 == 0 goto out\nr0 = *(u8 *)(r1 +0)\nout:\nr0 = 0\nexit`;

  it("decide branches", () => {
    expect(verified(text(0), { maps }).visited).toBe(5);
    expect(refused(text(4), { maps }).message).toContain("R1 invalid mem access 'scalar'");
  });
});

describe("pointers into the packet", () => {
  it.each([
    ["xdp", "bpf_xdp_adjust_head", "r2 = 4"],
    ["xdp", "bpf_xdp_adjust_tail", "r2 = 4"],
    ["xdp", "bpf_xdp_adjust_meta", "r2 = 4"],
    ["tc", "bpf_skb_pull_data", "r2 = 4"],
    ["tc", "bpf_skb_change_tail", "r2 = 4\nr3 = 0"],
    ["tc", "bpf_skb_vlan_pop", ""],
    ["tc", "bpf_l4_csum_replace", "r2 = 4\nr3 = 0\nr4 = 0\nr5 = 0"],
  ] as const)("of %s die in %s, copies and spilled ones, too", (type, name, given) => {
    const [data, end] = type === "xdp" ? [0, 4] : [76, 80];
    const text = (use: string) => `
      r9 = r1\nr6 = *(u32 *)(r1 +${data})\nr8 = *(u32 *)(r1 +${end})\nr2 = r6\nr2 += 8\nif r2 > r8 goto out
      *(u64 *)(r10 -8) = r6\nr1 = r9\n${given}\ncall ${name}\n${use}\nout:\nr0 = 0\nexit`;
    expect(refused(text("r0 = *(u8 *)(r6 +0)"), { type }).message).toContain(
      "R6 invalid mem access 'scalar'",
    );
    expect(refused(text("r1 = *(u64 *)(r10 -8)\nr0 = *(u8 *)(r1 +0)"), { type }).message).toContain(
      "R1 invalid mem access 'scalar'",
    );
    expect(() => verified(text(`r6 = *(u32 *)(r9 +${data})\nr0 = *(u8 *)(r6 +0)`), { type })).not.toThrow();
  });

  it("die in a tail call that a function makes", () => {
    const tails = mapLike({ name: "tails", type: "prog_array", valueSize: 4 });
    const text = `${packet}\nr2 = r7\nr2 += 8\nif r2 > r8 goto out\ncall f\nr0 = *(u8 *)(r7 +0)\nout:\nr0 = 0\nexit\nf:\nr2 = map[fd:0]\nr3 = 0\ncall bpf_tail_call\nr0 = 0\nexit`;
    expect(refused(text, { maps: [tails] }).message).toContain("R7 invalid mem access 'scalar'");
  });

  it("keep their distance where paths of different lengths meet", () => {
    // Two or no tags of four bytes behind a header, often enough for states to be joined, then what is behind them.
    const tag = (k: number) =>
      `r3 = *(u16 *)(r7 +12)\nif r3 != ${k} goto t${k}\nr2 = r7\nr2 += 18\nif r2 > r8 goto out\nr7 += 4\nt${k}:\n`;
    const tags = Array.from({ length: 12 }, (_, k) => tag(k)).join("");
    const text = `${packet}\nr2 = r7\nr2 += 14\nif r2 > r8 goto out\n${tags}r0 = *(u16 *)(r7 +12)\nout:\nr0 = 0\nexit`;
    expect(checksOf(verified(text))).toEqual([]);
  });
});

describe("it comes to an end", () => {
  const counts = (bound: string, step: string) =>
    `r6 = 0\nr9 = *(u32 *)(r1 +12)\nloop:\n${step}\n${bound}\nr0 = 0\nexit`;
  it.each([
    ["a loop of a constant number of rounds", counts("if r6 < 1000000 goto loop", "r6 += 1")],
    ["a loop that ends nobody knows when", counts("if r6 != r9 goto loop", "r6 += 1")],
    ["a loop that never ends", "r6 = 0\nloop:\nr6 += 3\ngoto loop"],
    [
      "a loop of several counters",
      counts("if r6 != r9 goto loop", "r6 += 1\nr7 = r6\nr7 *= 3\nr8 = r7\nr8 ^= r6"),
    ],
    [
      "loops in loops",
      "r6 = 0\na:\nr7 = 0\nb:\nr8 = 0\nc:\nr8 += 1\nif r8 < 100 goto c\nr7 += 1\nif r7 < 100 goto b\nr6 += 1\nif r6 < 100 goto a\nr0 = 0\nexit",
    ],
    [
      "a pointer that moves in a loop",
      `${packet}\nloop:\nr2 = r7\nr2 += 8\nif r2 > r8 goto out\nr3 = *(u8 *)(r7 +1)\nr3 += 1\nr3 <<= 3\nr7 += r3\ngoto loop\nout:\nr0 = 0\nexit`,
    ],
    [
      "a pointer that moves by a constant",
      `${packet}\nloop:\nr2 = r7\nr2 += 4\nif r2 > r8 goto out\nr3 = *(u32 *)(r7 +0)\nr7 += 4\ngoto loop\nout:\nr0 = 0\nexit`,
    ],
    [
      "a callback without a jump",
      "*(u64 *)(r10 -8) = 0\nr1 = 1000\nr2 = subprog[f]\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\nf:\nr3 = *(u64 *)(r2 +0)\nr3 += 1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nexit",
    ],
    [
      "callbacks of callbacks",
      "r1 = 10\nr2 = subprog[f]\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\nf:\nr1 = 10\nr2 = subprog[g]\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\ng:\nr0 = r1\nr0 &= 1\nexit",
    ],
    [
      "lookups in a loop",
      `r6 = 0\nloop:${lookup()}\nif r0 == 0 goto next\nr1 = *(u64 *)(r0 +0)\nr6 += r1\nnext:\nif r6 < 5000 goto loop\nr0 = 0\nexit`,
    ],
  ])("%s", (_, text) => {
    const { visited, checked } = verified(text);
    expect(visited).toBeLessThan(5_000);
    expect(checked).toBe(0);
  });

  it("after 2^20 paths, which meet where what sets them apart is not needed", () => {
    const flips = Array.from(
      { length: 20 },
      (_, k) => `if r6 & ${2 ** k} goto t${k}\nr7 += ${2 ** k}\nt${k}:\n`,
    ).join("");
    const text = `r6 = *(u32 *)(r1 +12)\nr7 = 0\n${flips}${lookup()}\nif r0 == 0 goto out\n*(u64 *)(r0 +0) = r7\nout:\nr0 = 0\nexit`;
    expect(verified(text).visited).toBeLessThan(3_000);
  });

  it("also when a frame is full of what nobody reads again", () => {
    const flips = Array.from(
      { length: 20 },
      (_, k) => `if r6 & ${2 ** k} goto t${k}\n*(u64 *)(r10 -${64 + 8 * k}) = ${k}\nt${k}:\n`,
    ).join("");
    expect(verified(`r6 = *(u32 *)(r1 +12)\n${flips}r0 = 0\nexit`).visited).toBeLessThan(1_500);
  });
});

describe("what a compiler needs to know", () => {
  it("of accesses: what they touch, where in the frame, which pointer of the context they give", () => {
    const { accesses } = verified(
      `${packet}\n*(u64 *)(r10 -16) = r7\nr2 = r10\nr2 += -16\nr3 = *(u64 *)(r2 +0)\nr0 = *(u8 *)(r3 +9)\nexit`,
    );
    expect(accesses.get(0)).toMatchObject({ kind: "context", bytes: 4, proven: true, gives: "packet" });
    expect(accesses.get(1)).toMatchObject({ gives: "packet_end" });
    expect(accesses.get(2)).toMatchObject({ kind: "stack", bytes: 8, frameOffset: -16 });
    expect(accesses.get(5)).toMatchObject({ kind: "stack", frameOffset: -16 });
    expect(accesses.get(6)).toMatchObject({
      kind: "packet",
      proven: false,
      reason: "invalid access to packet, off=9 size=1, R3(id=0,off=0,r=0)",
    });
  });

  it("of calls: the map, constant arguments, the callback, checks of arguments", () => {
    const { calls } = verified(
      `${lookup(1)}\nr2 = r0\nr1 = map[fd:0]\ncall bpf_map_lookup_elem\nr1 = 3\nr2 = subprog[f]\nr3 = 0\nr4 = 0\ncall bpf_loop\nexit\nf:\nr0 = 0\nexit`,
    );
    const [first, second, loop] = [...calls.values()];
    expect(first).toMatchObject({ helper: 1, map: ARRAY, checks: [] });
    expect(second).toMatchObject({ helper: 1, map: HASH, checks: [{ register: 2, bytes: 4 }] });
    expect(loop).toMatchObject({
      helper: 181,
      callback: 17,
      constants: new Map([
        [1, 3],
        [3, 0],
        [4, 0],
      ]),
    });
  });

  it("of a map that differs between paths: what it is like", () => {
    const maps = [HASH, mapLike({ name: "other" })];
    const text =
      "r6 = *(u32 *)(r1 +12)\n*(u32 *)(r10 -4) = 1\nr1 = map[fd:0]\nif r6 == 0 goto use\nr1 = map[fd:1]\nuse:\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nr0 = 0\nexit";
    const [call] = verified(text, { maps }).calls.values();
    expect(call.map).toBeUndefined();
    expect(call.mapLike).toMatchObject({ type: "hash", keySize: 4 });
  });

  it("which operand of an addition is the pointer", () => {
    const { pointerSources } = verified(`${packet}\nr3 = 4\nr3 += r7\nr7 += 5\nr0 = 0\nexit`);
    expect([...pointerSources]).toEqual([3]);
  });

  it("whether a program is pure", () => {
    expect(verified("call bpf_ktime_get_ns\nr0 &= 1\nexit").pure).toBe(true);
    expect(verified(`${lookup()}\nr0 = 0\nexit`).pure).toBe(false);
    expect(verified(`${packet}\nr0 = *(u8 *)(r7 +3)\nexit`).pure).toBe(false);
    expect(verified("r0 = 10\nloop:\nr0 += -1\nif r0 != 0 goto loop\nexit").pure).toBe(false);
  });

  it("whether frames must be zero, and how deep they are", () => {
    expect(verified("r0 = *(u64 *)(r10 -8)\nexit").zeroFrame).toBe(true);
    const written = verified("*(u64 *)(r10 -24) = 0\nr0 = *(u64 *)(r10 -24)\nexit");
    expect(written.zeroFrame).toBe(false);
    expect(written.stackDepths).toEqual(new Map([[0, 24]]));
    expect(
      verified("*(u32 *)(r10 -8) = 0\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_trace_printk\nexit").zeroFrame,
    ).toBe(true);
  });
});

describe("a window that generated code does not have", () => {
  it("is missed where a pointer comes from a caller's frame", () => {
    const text = (use: string) =>
      `${packet}\n*(u64 *)(r10 -8) = r7\nr1 = r10\nr1 += -8\ncall f\nexit\nf:\nr2 = *(u64 *)(r1 +0)\n${use}\nexit`;
    expect(refused(text("r0 = *(u8 *)(r2 +0)")).message).toContain(
      "R2 came through memory, so it cannot be checked when the program runs",
    );
    expect(() => verified(text("r0 = 0"))).not.toThrow();
  });

  it("is there in a slot of the own frame, and in arguments of functions", () => {
    expect(
      checksOf(
        verified(`${packet}\n*(u64 *)(r10 -8) = r7\nr2 = *(u64 *)(r10 -8)\nr0 = *(u8 *)(r2 +0)\nexit`),
      ),
    ).toEqual([4]);
    expect(checksOf(verified(`${packet}\nr1 = r7\ncall f\nexit\nf:\nr0 = *(u8 *)(r1 +0)\nexit`))).toEqual([
      5,
    ]);
  });
});

describe("the function of a timer", () => {
  const timed = mapLike({ name: "timed", valueSize: 32, timerOffset: 8 });
  const text = (body: string) => `${lookup()}
    if r0 == 0 goto out\nr6 = r0\nr1 = r0\nr1 += 8\nr2 = map[fd:0]\nr3 = 0\ncall bpf_timer_init
    r1 = r6\nr1 += 8\nr2 = subprog[f]\ncall bpf_timer_set_callback\nout:\nr0 = 0\nexit\nf:\n${body}\nexit`;

  it("gets the map, the key and the value, in a run of its own", () => {
    const { calls, checked } = verified(text("r1 = *(u32 *)(r2 +0)\nr1 = *(u64 *)(r3 +24)\nr0 = 0"), {
      maps: [timed],
    });
    expect(checked).toBe(0);
    expect([...calls.values()].at(-1)!.callback).toBe(21);
  });

  it.each([
    ["r0 = 1", "At async callback return the register R0 has smin=1 smax=1 should have been in [0, 0]"],
    ["r0 = *(u8 *)(r4 +0)", "R4 !read_ok"],
    ["r0 = *(u64 *)(r3 +8)", "bpf_timer cannot be accessed directly by load/store"],
  ])("is verified, too: %s", (body, message) => {
    expect(refused(text(body), { maps: [timed] }).message).toContain(message);
  });
});

describe("more kinds of programs", () => {
  it("a program of a control group returns 0 to 3", () => {
    expect(refused("r0 = 4\nexit", { type: "cgroup_skb" }).code).toBe("EINVAL");
    expect(() => verified("r0 = 3\nexit", { type: "cgroup_skb" })).not.toThrow();
  });

  it("old loads of packet bytes need the context in r6", () => {
    const load = "r0 = *(u8 *)skb[9]\nexit";
    expect(() => verified(`r6 = r1\n${load}`, { type: "socket_filter" })).not.toThrow();
    expect(refused(`r6 = 0\n${load}`, { type: "socket_filter" }).message).toContain("R6 != pointer to skb");
    expect(refused(`r6 = r1\n${load}`).message).toContain("instructions not allowed for this program type");
  });

  it("helpers that the caller brings take anything and give a number", () => {
    const text = "r1 = 1\ncall bpf_fib_lookup\nexit";
    expect(() => verified(text, { helpers: new Set([69]) })).not.toThrow();
  });
});
