// Programs that the verifier proves something about, for each thing that it can prove: they are mutated.
import type { Code } from "../../../src/ebpf/isa/decode.ts";
import type { ProgramToVerify, VerifiedMap } from "../../../src/ebpf/verify/program.ts";
import { lookup, mapLike, packet, programOf } from "../support/verified.ts";

export interface Subject {
  readonly name: string;
  readonly program: ProgramToVerify;
  readonly maps: readonly VerifiedMap[];
  /** Lengths of packets that it compares with. */
  readonly lengths: readonly number[];
}

const HASH = mapLike({ name: "hash" });
const ARRAY = mapLike({ name: "array", type: "array", valueSize: 64 });
const OUTER = mapLike({ name: "outer", type: "hash_of_maps", valueSize: 4, inner: HASH });
const LOCKED = mapLike({ name: "locked", lockOffset: 4, valueSize: 24 });
const RING = mapLike({ name: "ring", type: "ringbuf", keySize: 0, valueSize: 0 });
const QUEUE = mapLike({ name: "queue", type: "queue", keySize: 0, valueSize: 24 });
const RODATA = mapLike({
  name: ".rodata",
  type: "array",
  valueSize: 32,
  writable: false,
  frozen: Uint8Array.from({ length: 32 }, (_, k) => k & 7),
});
const MAPS = [HASH, ARRAY, OUTER, LOCKED, RING, QUEUE, RODATA];
const [H, A, O, L, R, Q, D] = MAPS.keys();

function subject(
  name: string,
  type: ProgramToVerify["type"],
  text: string,
  lengths: readonly number[] = [0],
): Subject {
  return {
    name,
    maps: MAPS,
    lengths,
    program: programOf(text, { type, maps: MAPS, contextSize: type === "raw" ? 192 : 0, limit: 20_000 }),
  };
}

const out = "out:\nr0 = 0\nexit";

export const SUBJECTS: readonly Subject[] = [
  subject(
    "parser",
    "xdp",
    `${packet}
    r2 = r7\nr2 += 14\nif r2 > r8 goto out
    r3 = *(u16 *)(r7 +12)\nif w3 != 8 goto untagged
    r4 = r7\nr4 += 18\nif r8 < r4 goto out\nr7 += 4
    untagged:
    r2 = r7\nr2 += 34\nif r2 > r8 goto out
    r3 = *(u8 *)(r7 +14)\nr3 &= 15\nif r3 < 5 goto out\nr3 <<= 2
    r7 += 14\nr7 += r3
    r4 = r7\nr4 += 4\nif r4 > r8 goto out
    r5 = *(u32 *)(r7 +0)\n*(u32 *)(r7 +0) = r5
    r5 = r7\nr5 += 7\nif r5 >= r8 goto out
    r0 = *(u64 *)(r7 +0)\n${out}`,
    [13, 14, 17, 18, 33, 34, 37, 38, 42, 58, 90],
  ),
  subject(
    "options",
    "xdp",
    `${packet}
    r6 = 0
    loop:
    r2 = r7\nr2 += 2\nif r2 > r8 goto out
    r3 = *(u8 *)(r7 +1)\nr3 &= 7\nr3 += 2\nr7 += r3
    r6 += 1\nif r6 < 6 goto loop
    r2 = r7\nr2 += 1\nif r8 < r2 goto out\nr0 = *(u8 *)(r7 +0)\n${out}`,
    [1, 2, 3, 9, 20, 60],
  ),
  subject(
    "metadata",
    "xdp",
    `r6 = *(u32 *)(r1 +8)\nr7 = *(u32 *)(r1 +0)\nr2 = r6\nr2 += 4\nif r2 > r7 goto out\nr3 = *(u32 *)(r6 +0)\n*(u32 *)(r6 +0) = r3\n${out}`,
    [8],
  ),
  subject(
    "moves",
    "xdp",
    `r9 = r1\n${packet}\nr2 = r7\nr2 += 8\nif r2 > r8 goto out\n*(u64 *)(r10 -8) = r7
    r6 = *(u64 *)(r7 +0)\nr1 = r9\nr2 = 4\ncall bpf_xdp_adjust_head
    r7 = *(u32 *)(r9 +0)\nr8 = *(u32 *)(r9 +4)\nr2 = r7\nr2 += 8\nif r2 > r8 goto out\n*(u64 *)(r7 +0) = r6\n${out}`,
    [7, 8, 9, 16],
  ),
  subject(
    "pull",
    "tc",
    `r9 = r1\nr7 = *(u32 *)(r1 +76)\nr8 = *(u32 *)(r1 +80)\nr2 = r7\nr2 += 8\nif r2 > r8 goto out\nr6 = *(u64 *)(r7 +0)\nr1 = r9\nr2 = 40\ncall bpf_skb_pull_data\nr7 = *(u32 *)(r9 +76)\nr8 = *(u32 *)(r9 +80)\nr2 = r7\nr2 += 40\nif r2 > r8 goto out
    r0 = *(u64 *)(r7 +32)\n*(u32 *)(r9 +8) = r0\n*(u32 *)(r9 +48) = r0\n${out}`,
    [8, 39, 40, 41],
  ),
  subject(
    "index",
    "xdp",
    `r6 = *(u32 *)(r1 +12)\nr9 = r6${lookup(A)}\nif r0 == 0 goto out
    if r6 > 7 goto second\nr1 = r6\nr1 <<= 3\nr2 = r0\nr2 += r1\nr3 = *(u64 *)(r2 +0)\nr3 += 1\n*(u64 *)(r2 +0) = r3
    second:
    r6 = r9\nif w6 s< 0 goto out\nif w6 s> 60 goto third\nr2 = r0\nr2 += r6\nr3 = *(u32 *)(r2 +0)
    third:
    r9 &= 31\nr0 += r9\nr3 = *(u32 *)(r0 +28)\n${out}`,
  ),
  subject(
    "counter",
    "xdp",
    `${lookup(H)}\nif r0 == 0 goto fresh\nr1 = 1\nlock *(u64 *)(r0 +8) += r1\nr2 = *(u64 *)(r0 +0)\ngoto out
    fresh:\n*(u64 *)(r10 -24) = 1\n*(u64 *)(r10 -16) = 2\nr1 = map[fd:${H}]\nr2 = r10\nr2 += -4\nr3 = r10\nr3 += -24\nr4 = 0\ncall bpf_map_update_elem\n${out}`,
  ),
  subject(
    "either",
    "xdp",
    `r6 = *(u32 *)(r1 +12)\nr7 = 0\nif r6 & 1 goto test${lookup(H)}\nr7 = r0\ntest:
    *(u64 *)(r10 -16) = r7\nr8 = r7\nif r8 == 0 goto out\nr1 = *(u64 *)(r10 -16)\nr0 = *(u64 *)(r1 +8)\n*(u32 *)(r7 +12) = r0\n${out}`,
  ),
  subject(
    "inner",
    "xdp",
    `${lookup(O)}\nif r0 == 0 goto out\nr1 = r0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nif r0 == 0 goto out\nr1 = *(u64 *)(r0 +8)\n*(u64 *)(r0 +0) = r1\n${out}`,
  ),
  subject(
    "lock",
    "tc",
    `${lookup(L)}\nif r0 == 0 goto out\nr6 = r0\nr1 = r0\nr1 += 4\ncall bpf_spin_lock
    r2 = *(u64 *)(r6 +8)\nr2 += 1\n*(u64 *)(r6 +8) = r2\n*(u32 *)(r6 +0) = 1\nr1 = r6\nr1 += 4\ncall bpf_spin_unlock\nr0 = *(u64 *)(r6 +16)\n${out}`,
  ),
  subject(
    "record",
    "xdp",
    `r6 = *(u32 *)(r1 +12)\nr1 = map[fd:${R}]\nr2 = 24\nr3 = 0\ncall bpf_ringbuf_reserve\nif r0 == 0 goto out\nr7 = r0
    *(u64 *)(r7 +0) = 1\n*(u64 *)(r7 +16) = r6\nr6 &= 7\nr1 = r7\nr1 += r6\n*(u64 *)(r1 +8) = 5\nr1 = r7\nr2 = 0\nif r6 > 3 goto drop\ncall bpf_ringbuf_submit\ngoto out\ndrop:\ncall bpf_ringbuf_discard\n${out}`,
  ),
  subject(
    "sizes",
    "tc",
    `r9 = r1\nr6 = *(u32 *)(r1 +0)\n*(u64 *)(r10 -64) = r1\nif r6 > 24 goto out\nif r6 == 0 goto out
    r1 = r9\nr2 = 0\nr3 = r10\nr3 += -32\nr4 = r6\ncall bpf_skb_load_bytes
    r1 = r10\nr1 += -32\nr2 = r6\ncall bpf_trace_printk
    r1 = *(u64 *)(r10 -64)\nr0 = *(u32 *)(r1 +0)\n${out}`,
  ),
  subject(
    "queue",
    "xdp",
    `r1 = map[fd:${Q}]\nr2 = r10\nr2 += -24\ncall bpf_map_pop_elem\nif r0 != 0 goto out\nr1 = map[fd:${Q}]\nr2 = r10\nr2 += -24\nr3 = 0\ncall bpf_map_push_elem\n${out}`,
  ),
  subject(
    "rodata",
    "xdp",
    `r6 = *(u32 *)(r1 +12)\nr1 = map[fd:${D}][0]+4\nr2 = *(u32 *)(r1 +0)\nr6 &= 7\nr1 += r6\nr3 = *(u8 *)(r1 +0)${lookup(A)}\nif r0 == 0 goto out\nr0 = *(u8 *)(r0 +7)\n${out}`,
  ),
  subject(
    "functions",
    "xdp",
    `r6 = *(u32 *)(r1 +12)\n*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = r1\nr1 = r10\nr1 += -8\nr2 = r6\ncall sum\nr6 = r0${lookup(A)}\nif r0 == 0 goto out
    r0 += r6\nr0 = *(u8 *)(r0 +0)\nr1 = *(u64 *)(r10 -16)\nr0 = *(u32 *)(r1 +0)\n${out}
    sum:\nr3 = *(u64 *)(r1 +0)\nr3 += r2\n*(u64 *)(r1 +0) = r3\n*(u64 *)(r10 -8) = r1\nr0 = r3\nr0 &= 63\nexit`,
  ),
  subject(
    "loop",
    "xdp",
    `*(u64 *)(r10 -8) = 0\n*(u64 *)(r10 -16) = r1\nr1 = 4\nr2 = subprog[step]\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop
    r6 = *(u64 *)(r10 -8)\nr1 = *(u64 *)(r10 -16)\nr1 = *(u32 *)(r1 +12)${lookup(A)}\nif r0 == 0 goto out\nif r6 > 63 goto out\nr0 += r6\nr0 = *(u8 *)(r0 +0)\n${out}
    step:\nr3 = *(u64 *)(r2 +0)\nr3 += r1\n*(u64 *)(r2 +0) = r3\nr0 = 0\nif r3 < 20 goto end\nr0 = 1\nend:\nexit`,
  ),
  subject(
    "elements",
    "xdp",
    `*(u64 *)(r10 -8) = 0\nr1 = map[fd:${H}]\nr2 = subprog[each]\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_for_each_map_elem\n${out}
    each:\nr5 = *(u32 *)(r2 +0)\nr5 = *(u64 *)(r3 +8)\n*(u64 *)(r3 +0) = r5\n*(u64 *)(r4 +0) = r5\nr6 = r1\nr1 = r6\ncall bpf_map_delete_elem\nr0 = 0\nexit`,
  ),
  subject(
    "bytes",
    "xdp",
    `*(u64 *)(r10 -8) = r1\n*(u64 *)(r10 -24) = r1\n*(u8 *)(r10 -9) = 7\n*(u16 *)(r10 -16) = 9\n*(u32 *)(r10 -12) = 4
    r1 = *(u64 *)(r10 -8)\nr2 = *(u64 *)(r10 -24)\nr0 = *(u32 *)(r1 +12)\nr0 = *(u32 *)(r2 +16)\n${out}`,
  ),
  subject(
    "offsets",
    "xdp",
    `r6 = *(u32 *)(r1 +12)\nr6 &= 31\nr7 = r6\nr7 += 8${lookup(A)}\nif r0 == 0 goto out\nr0 += r7\nr1 = *(u8 *)(r0 +24)\nr6 = *(u8 *)(r0 +23)\n${out}`,
  ),
  subject(
    "steps",
    "xdp",
    `*(u64 *)(r10 -8) = 0\nr1 = 4\nr2 = subprog[step]\nr3 = r10\nr3 += -8\nr4 = 0\ncall bpf_loop
    r6 = *(u64 *)(r10 -8)${lookup(A)}\nif r0 == 0 goto out\nr0 += r6\nr1 = *(u32 *)(r0 +0)\nr2 = *(u32 *)(r0 +0)\n${out}
    step:\nr3 = *(u64 *)(r2 +0)\nr3 += 20\nr3 &= 60\n*(u64 *)(r2 +0) = r3\nr0 = 0\nif r3 != 60 goto end\nr0 = 1\nend:\nexit`,
  ),
  subject(
    "rounds",
    "xdp",
    `r6 = 0\nr7 = *(u32 *)(r1 +12)${lookup(A)}\nif r0 == 0 goto out\nr8 = r0
    loop:\nr1 = r8\nr1 += r6\nr2 = *(u8 *)(r1 +0)\nr6 += 1\nif r6 == r7 goto out\nif r6 < 60 goto loop\nr2 = *(u8 *)(r8 +3)\n${out}`,
  ),
  subject(
    "given back",
    "xdp",
    `r1 = map[fd:${R}]\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve\nif r0 == 0 goto out\nr7 = r0\nr5 = r10\n*(u64 *)(r7 +0) = 1\n*(u64 *)(r7 +8) = 2
    r1 = r7\nr2 = 0\ncall bpf_ringbuf_submit\nr5 = r10\nr5 += -32\n*(u64 *)(r5 +0) = 1\n*(u64 *)(r5 +8) = 2\n*(u64 *)(r5 +16) = 3\n*(u64 *)(r5 +24) = 3\n${out}`,
  ),
  subject(
    "raw",
    "raw",
    `r6 = *(u8 *)(r1 +0)\nr3 = r1\nif r6 > 180 goto out\nr3 += r6\nr4 = *(u64 *)(r3 +4)\n*(u64 *)(r1 +184) = r4\nr5 = r10\nr5 += -64\nr6 &= 31\nr5 += r6\n*(u8 *)(r5 +0) = r6\nr0 = *(u8 *)(r5 +1)\n${out}`,
  ),
];

/** The same program with other instructions. */
export const withCode = (program: ProgramToVerify, instructions: Code): ProgramToVerify => ({
  ...program,
  instructions,
});
