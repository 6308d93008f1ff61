// What the verifier refuses: each with the errno and the text of the kernel, where it has one.
import { describe, expect, it } from "vitest";
import { ARRAY, HASH, lookup, mapLike, type Options, packet, refused } from "../support/verified.ts";

type Refusal = readonly [
  name: string,
  text: string,
  code: "EACCES" | "EINVAL" | "E2BIG",
  message: string,
  options?: Options,
];

const LOCKED = mapLike({ name: "locked", lockOffset: 0 });
const TIMED = mapLike({ name: "timed", valueSize: 32, timerOffset: 8 });
const RING = mapLike({ name: "ring", type: "ringbuf", keySize: 0, valueSize: 0 });
const TAILS = mapLike({ name: "tails", type: "prog_array", valueSize: 4 });
const RODATA = mapLike({ name: ".rodata", type: "array", writable: false });
const OUTER = mapLike({ name: "outer", type: "hash_of_maps", valueSize: 4, inner: HASH });

const registers: Refusal[] = [
  ["a register that was never written", "r0 = r2\nexit", "EACCES", "R2 !read_ok"],
  ["no result", "exit", "EACCES", "R0 !read_ok"],
  [
    "a register that a helper has used up",
    "r1 = 1\ncall bpf_ktime_get_ns\nr0 = r1\nexit",
    "EACCES",
    "R1 !read_ok",
  ],
  ["memory at a number", "r1 = 5\nr0 = *(u8 *)(r1 +0)\nexit", "EACCES", "R1 invalid mem access 'scalar'"],
  [
    "memory at a map",
    "r1 = map[fd:0]\nr0 = *(u8 *)(r1 +0)\nexit",
    "EACCES",
    "R1 invalid mem access 'map_ptr'",
  ],
  [
    "memory behind the packet's end",
    `${packet}\nr0 = *(u8 *)(r8 +0)\nexit`,
    "EACCES",
    "R8 invalid mem access 'pkt_end'",
  ],
  [
    "arithmetic on what may be NULL",
    `${lookup()}\nr0 += 8\nr0 = 0\nexit`,
    "EACCES",
    "R0 pointer arithmetic on map_value_or_null prohibited, null-check it first",
  ],
  [
    "arithmetic on a map",
    "r1 = map[fd:0]\nr1 += 8\nr0 = 0\nexit",
    "EACCES",
    "R1 pointer arithmetic on map_ptr prohibited",
  ],
];

const frames: Refusal[] = [
  [
    "a load below the frame",
    "r0 = *(u64 *)(r10 -520)\nexit",
    "EACCES",
    "invalid read from stack R10 off=-520 size=8",
  ],
  [
    "a store above the frame",
    "*(u64 *)(r10 -4) = 0\nr0 = 0\nexit",
    "EACCES",
    "invalid write to stack R10 off=-4 size=8",
  ],
  [
    "a helper's memory above the frame",
    "r1 = r10\nr1 += -4\nr2 = 8\ncall bpf_trace_printk\nexit",
    "EACCES",
    "invalid read from stack R1 off=-4 size=8",
  ],
  [
    "an address of a frame that is gone",
    "call f\nexit\nf:\nr0 = r10\nexit",
    "EINVAL",
    "cannot return stack pointer to the caller",
  ],
  [
    "the same through the caller's frame",
    "r1 = r10\nr1 += -8\ncall f\nr0 = 0\nexit\nf:\n*(u64 *)(r1 +0) = r10\nr0 = 0\nexit",
    "EINVAL",
    "cannot spill pointers to stack into stack frame of the caller",
  ],
  [
    "nine frames",
    `${"call f1\nexit\n"}${[1, 2, 3, 4, 5, 6, 7].map((k) => `f${k}:\ncall f${k + 1}\nexit\n`).join("")}f8:\nr0 = 0\nexit`,
    "EACCES",
    "the call stack of 9 frames is too deep",
  ],
  ["recursion", "call f\nexit\nf:\ncall f\nexit", "EACCES", "the call stack of 9 frames is too deep"],
];

const contexts: Refusal[] = [
  [
    "a field that is not there",
    "r0 = *(u32 *)(r1 +24)\nexit",
    "EACCES",
    "invalid bpf_context access off=24 size=4",
  ],
  ["half a field", "r0 = *(u16 *)(r1 +12)\nexit", "EACCES", "invalid bpf_context access off=12 size=2"],
  [
    "a store to it",
    "*(u32 *)(r1 +12) = 1\nr0 = 0\nexit",
    "EACCES",
    "invalid bpf_context access off=12 size=4",
  ],
  [
    "a moved context",
    "r1 += 4\nr0 = *(u32 *)(r1 +0)\nexit",
    "EACCES",
    "dereference of modified ctx ptr R1 off=4 disallowed",
  ],
  [
    "a variable offset",
    "r2 = *(u32 *)(r1 +12)\nr1 += r2\nr0 = *(u32 *)(r1 +0)\nexit",
    "EACCES",
    "variable ctx access R1",
  ],
  [
    "an atomic in it",
    "r2 = 1\nlock *(u32 *)(r1 +12) += r2\nr0 = 0\nexit",
    "EACCES",
    "BPF_ATOMIC stores into R1 ctx is not allowed",
  ],
  [
    "the packet of a socket filter",
    "r0 = *(u32 *)(r1 +76)\nexit",
    "EACCES",
    "invalid bpf_context access off=76 size=4",
    { type: "socket_filter" },
  ],
];

const values: Refusal[] = [
  [
    "a constant offset beyond a value",
    `${lookup()}\nif r0 == 0 goto out\nr0 = *(u64 *)(r0 +16)\nout:\nr0 = 0\nexit`,
    "EACCES",
    "invalid access to map value, value_size=16 off=16 size=8",
  ],
  [
    "one before it",
    `${lookup()}\nif r0 == 0 goto out\nr0 = *(u8 *)(r0 -1)\nout:\nr0 = 0\nexit`,
    "EACCES",
    "invalid access to map value, value_size=16 off=-1 size=1",
  ],
  [
    "a store into .rodata",
    "r1 = map[fd:0][0]+0\n*(u32 *)(r1 +0) = 1\nr0 = 0\nexit",
    "EACCES",
    "write into map forbidden, value_size=16 off=0 size=4",
    { maps: [RODATA] },
  ],
  [
    "a value that programs may not read",
    `${lookup()}\nif r0 == 0 goto out\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
    "EACCES",
    "read from map forbidden, value_size=16 off=0 size=1",
    { maps: [mapLike({ readable: false })] },
  ],
  [
    "an atomic that is not aligned",
    `${lookup()}\nif r0 == 0 goto out\nr1 = 1\nlock *(u64 *)(r0 +4) += r1\nout:\nr0 = 0\nexit`,
    "EACCES",
    "misaligned value access off 4 size 8",
  ],
  [
    "one of 64 bits in a value of 12 bytes",
    `${lookup()}\nif r0 == 0 goto out\nr1 = 1\nlock *(u64 *)(r0 +0) += r1\nout:\nr0 = 0\nexit`,
    "EACCES",
    "misaligned value access off 0 size 8",
    { maps: [mapLike({ valueSize: 12 })] },
  ],
  [
    "data beyond its section",
    "r1 = map[fd:0][0]+16\nr0 = 0\nexit",
    "EINVAL",
    "invalid access to map value pointer, value_size=16 off=16",
  ],
];

const packets: Refusal[] = [
  [
    "a store of a cgroup program",
    "r7 = *(u32 *)(r1 +76)\nr8 = *(u32 *)(r1 +80)\nr2 = r7\nr2 += 1\nif r2 > r8 goto out\n*(u8 *)(r7 +0) = 1\nout:\nr0 = 0\nexit",
    "EACCES",
    "cannot write into packet",
    { type: "cgroup_skb" },
  ],
  [
    "an atomic in it",
    `${packet}\nr2 = r7\nr2 += 8\nif r2 > r8 goto out\nlock *(u64 *)(r7 +0) += r2\nout:\nr0 = 0\nexit`,
    "EACCES",
    "BPF_ATOMIC stores into R7 pkt is not allowed",
  ],
];

const calls: Refusal[] = [
  ["a helper that is none", "call unknown#9999\nexit", "EINVAL", "invalid func unknown#9999"],
  ["a helper that is not here", "call bpf_fib_lookup\nexit", "EINVAL", "unknown func bpf_fib_lookup#69"],
  [
    "a helper of other programs",
    "r2 = 0\ncall bpf_xdp_adjust_head\nexit",
    "EINVAL",
    "program of this type cannot use helper bpf_xdp_adjust_head#44",
    { type: "tc" },
  ],
  [
    "no map",
    "r1 = 0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nexit",
    "EACCES",
    "R1 type=scalar expected=map_ptr",
  ],
  [
    "a map that may be NULL",
    `${lookup()}\nr1 = r0\nr2 = r10\nr2 += -4\ncall bpf_map_lookup_elem\nr0 = 0\nexit`,
    "EACCES",
    "R1 type=map_ptr_or_null expected=map_ptr",
    { maps: [OUTER] },
  ],
  [
    "a map without keys",
    `${lookup()}\nr0 = 0\nexit`,
    "EINVAL",
    "cannot pass map_type ringbuf into func bpf_map_lookup_elem#1",
    { maps: [RING] },
  ],
  [
    "a key that is a number",
    "r1 = map[fd:0]\nr2 = 7\ncall bpf_map_lookup_elem\nexit",
    "EACCES",
    "R2 type=scalar expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem",
  ],
  [
    "a negative size",
    `r6 = *(u32 *)(r1 +12)\nr1 = r10\nr1 += -8\nr2 = r6\nr2 += -5\ncall bpf_trace_printk\nr0 = 0\nexit`,
    "EACCES",
    "R2 min value is negative, either use unsigned or 'var &= const'",
  ],
  [
    "a size without a bound",
    "r1 = r10\nr1 += -8\nr2 = *(u64 *)(r10 -16)\nr2 >>= 1\ncall bpf_trace_printk\nr0 = 0\nexit",
    "EACCES",
    "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'",
  ],
  [
    "nothing to read",
    "r1 = r10\nr1 += -8\nr2 = 0\ncall bpf_trace_printk\nr0 = 0\nexit",
    "EACCES",
    "R2 invalid zero-sized read: u64=[0,0]",
  ],
  ["no context", "r1 = 0\nr2 = 0\ncall bpf_xdp_adjust_head\nexit", "EACCES", "R1 type=scalar expected=ctx"],
  [
    "a number that is called",
    "r1 = 5\nr2 = 1\nr3 = 0\nr4 = 0\ncall bpf_loop\nexit",
    "EACCES",
    "R2 type=scalar expected=func",
  ],
  [
    "a kernel function",
    "call kernel-function#7\nexit",
    "EINVAL",
    "calling kernel function #7 is not allowed",
  ],
  [
    "a map that nobody has",
    "r1 = map[fd:7]\nr0 = 0\nexit",
    "EINVAL",
    "fd 7 is not pointing to valid bpf_map",
    { maps: [] },
  ],
  [
    "a callback that may return 2",
    "r1 = 5\nr2 = subprog[f]\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\nf:\nr0 = 2\nexit",
    "EINVAL",
    "At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]",
  ],
  [
    "an iterator that returns 2",
    "r0 = 2\nexit",
    "EINVAL",
    "At program exit the register R0 has smin=2 smax=2 should have been in [0, 1]",
    { type: "iter" },
  ],
];

/** r6 is the value of a locked map. */
const locked = `${lookup()}\nif r0 == 0 goto out\nr6 = r0\nr1 = r0\ncall bpf_spin_lock`;
const unlock = "r1 = r6\ncall bpf_spin_unlock\nout:\nr0 = 0\nexit";
const withLock: Options = { maps: [LOCKED] };

const locks: Refusal[] = [
  [
    "the end while one is held",
    `${locked}\nout:\nr0 = 0\nexit`,
    "EINVAL",
    "bpf_spin_unlock is missing",
    withLock,
  ],
  [
    "a second one",
    `${locked}\nr1 = r6\ncall bpf_spin_lock\n${unlock}`,
    "EINVAL",
    "Locking two bpf_spin_locks are not allowed",
    withLock,
  ],
  [
    "a helper between",
    `${locked}\ncall bpf_ktime_get_ns\n${unlock}`,
    "EINVAL",
    "function calls are not allowed while holding a lock",
    withLock,
  ],
  [
    "a function between",
    `${locked}\ncall f\n${unlock}\nf:\nr0 = 0\nexit`,
    "EINVAL",
    "function calls are not allowed while holding a lock",
    withLock,
  ],
  [
    "one that is not held",
    `${lookup()}\nif r0 == 0 goto out\nr6 = r0\n${unlock}`,
    "EINVAL",
    "bpf_spin_unlock without taking a lock",
    withLock,
  ],
  [
    "another one",
    `${lookup()}\nif r0 == 0 goto out\nr7 = r0${lookup()}\nif r0 == 0 goto out\nr6 = r0\nr1 = r7\ncall bpf_spin_lock\n${unlock}`,
    "EINVAL",
    "bpf_spin_unlock of different lock",
    withLock,
  ],
  [
    "a map without one",
    `${lookup()}\nif r0 == 0 goto out\nr1 = r0\ncall bpf_spin_lock\nout:\nr0 = 0\nexit`,
    "EINVAL",
    "map 'hash' has no valid bpf_spin_lock",
  ],
  [
    "beside it",
    `${lookup()}\nif r0 == 0 goto out\nr1 = r0\nr1 += 4\ncall bpf_spin_lock\nout:\nr0 = 0\nexit`,
    "EINVAL",
    "off 4 doesn't point to 'struct bpf_spin_lock' that is at 0",
    withLock,
  ],
  [
    "a store to it",
    `${lookup()}\nif r0 == 0 goto out\n*(u32 *)(r0 +0) = 1\nout:\nr0 = 0\nexit`,
    "EACCES",
    "bpf_spin_lock cannot be accessed directly by load/store",
    withLock,
  ],
  [
    "a variable offset that may meet it",
    `r7 = *(u32 *)(r1 +12)${lookup()}\nif r0 == 0 goto out\nr7 &= 7\nr0 += r7\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
    "EACCES",
    "bpf_spin_lock cannot be accessed directly by load/store",
    withLock,
  ],
  [
    "a helper that writes it",
    `${lookup()}\nif r0 == 0 goto out\nr1 = r0\nr2 = 8\nr3 = 0\ncall bpf_probe_read_kernel\nout:\nr0 = 0\nexit`,
    "EACCES",
    "bpf_spin_lock cannot be accessed directly by load/store",
    withLock,
  ],
  [
    "in a socket filter",
    `${locked}\n${unlock}`,
    "EINVAL",
    "socket filter progs cannot use bpf_spin_lock yet",
    { ...withLock, type: "socket_filter" },
  ],
  [
    "a timer that is read",
    `${lookup()}\nif r0 == 0 goto out\nr0 = *(u64 *)(r0 +16)\nout:\nr0 = 0\nexit`,
    "EACCES",
    "bpf_timer cannot be accessed directly by load/store",
    { maps: [TIMED] },
  ],
  [
    "a timer of another map",
    `${lookup()}\nif r0 == 0 goto out\nr1 = r0\nr1 += 8\nr2 = map[fd:1]\nr3 = 0\ncall bpf_timer_init\nout:\nr0 = 0\nexit`,
    "EINVAL",
    "bpf_timer pointer in R1 doesn't match map pointer in R2",
    { maps: [TIMED, HASH] },
  ],
];

const reserve = "r1 = map[fd:0]\nr2 = 16\nr3 = 0\ncall bpf_ringbuf_reserve";
const rings: Options = { maps: [RING] };

const records: Refusal[] = [
  ["one that is kept", `${reserve}\nr0 = 0\nexit`, "EINVAL", "Unreleased reference id=1 alloc_insn=4", rings],
  [
    "one that is used afterwards",
    `${reserve}\nif r0 == 0 goto out\nr6 = r0\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_submit\nr0 = *(u8 *)(r6 +0)\nout:\nr0 = 0\nexit`,
    "EACCES",
    "R6 invalid mem access 'scalar'",
    rings,
  ],
  [
    "one that is given back twice",
    `${reserve}\nif r0 == 0 goto out\nr6 = r0\nr1 = r0\nr2 = 0\ncall bpf_ringbuf_submit\nr1 = r6\nr2 = 0\ncall bpf_ringbuf_discard\nout:\nr0 = 0\nexit`,
    "EACCES",
    "R1 type=scalar expected=ringbuf_mem",
    rings,
  ],
  [
    "one that is moved",
    `${reserve}\nif r0 == 0 goto out\nr1 = r0\nr1 += 8\nr2 = 0\ncall bpf_ringbuf_submit\nout:\nr0 = 0\nexit`,
    "EINVAL",
    "R1 must have zero offset when passed to release func",
    rings,
  ],
  [
    "beyond its size",
    `${reserve}\nif r0 == 0 goto out\n*(u64 *)(r0 +12) = 1\nout:\nr0 = 0\nexit`,
    "EACCES",
    "invalid access to memory, mem_size=16 off=12 size=8",
    rings,
  ],
  [
    "a size that is not constant",
    "r2 = *(u32 *)(r1 +12)\nr1 = map[fd:0]\nr3 = 0\ncall bpf_ringbuf_reserve\nexit",
    "EACCES",
    "R2 is not a known constant",
    rings,
  ],
  [
    "a tail call with one",
    `r6 = r1\n${reserve}\nif r0 == 0 goto out\nr1 = r6\nr2 = map[fd:1]\nr3 = 0\ncall bpf_tail_call\nout:\nr0 = 0\nexit`,
    "EINVAL",
    "tail_call would lead to reference leak",
    { maps: [RING, TAILS] },
  ],
];

const large: Refusal[] = [
  [
    "more visits than the limit",
    "r0 = 0\nr0 += 1\nr0 += 1\nexit",
    "E2BIG",
    "BPF program is too large. Processed 3 insn",
    { limit: 2 },
  ],
];

describe.each([
  ["registers", registers],
  ["frames", frames],
  ["contexts", contexts],
  ["values", values],
  ["packets", packets],
  ["calls", calls],
  ["locks and timers", locks],
  ["ring buffer records", records],
  ["size", large],
])("%s", (_, refusals) => {
  it.each(refusals.map((one) => [one[0], one] as const))(
    "%s",
    (_name, [, text, code, message, options = {}]) => {
      const error = refused(text, options);
      expect({ code: error.code, text: error.message }).toEqual({
        code,
        text: `program: insn ${error.instruction}: ${message}`,
      });
    },
  );
});

describe("strict", () => {
  const strict = { mode: "strict" } as const;
  const length = "r6 = *(u32 *)(r1 +12)";
  it.each([
    [
      "what may be NULL",
      `${lookup()}\nr0 = *(u8 *)(r0 +0)\nexit`,
      "R0 invalid mem access 'map_value_or_null'",
    ],
    [
      "a packet that may be shorter",
      `${packet}\nr0 = *(u8 *)(r7 +3)\nexit`,
      "invalid access to packet, off=3 size=1, R7(id=0,off=0,r=0)",
    ],
    [
      "an index that may be negative",
      `${length}${lookup(1)}\nif r0 == 0 goto out\nr6 <<= 32\nr6 s>>= 40\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
      "R0 min value is negative, either use unsigned index or do a if (index >=0) check (invalid access to map value, value_size=64)",
    ],
    [
      "an index that may be too large",
      `${length}${lookup(1)}\nif r0 == 0 goto out\nr6 &= 127\nr0 += r6\nr0 = *(u8 *)(r0 +0)\nout:\nr0 = 0\nexit`,
      "invalid access to map value, value_size=64 off=127 size=1: R0 max value is outside of the allowed memory range",
    ],
    ["a pointer as a number", "r0 = r1\nr0 *= 3\nexit", "R0 pointer arithmetic with *= operator prohibited"],
    ["bits of one", "r0 = r1\nr0 &= 3\nexit", "R0 bitwise operator &= on pointer prohibited"],
    ["32 bits of one", "w0 = w1\nexit", "R1 partial copy of pointer"],
    [
      "a large constant",
      `${packet}\nr7 += 1000000000\nr0 = 0\nexit`,
      "math between pkt pointer and 1000000000 is not allowed",
    ],
    [
      "no bound at all",
      `${packet}\nr6 = *(u64 *)(r10 -8)\nr7 += r6\nr0 = 0\nexit`,
      "math between pkt pointer and register with unbounded min value is not allowed",
    ],
    [
      "more stack than the kernel has",
      "*(u64 *)(r10 -400) = 0\ncall f\nexit\nf:\n*(u64 *)(r10 -200) = 0\nr0 = 0\nexit",
      "combined stack size of 2 calls is 640. Too large",
    ],
  ])("refuses %s", (_, text, message) => {
    const error = refused(text, { ...strict, maps: [HASH, ARRAY] });
    expect(error.message).toBe(`program: insn ${error.instruction}: ${message}`);
  });
});

describe("an error", () => {
  it("names the program, the line of the source, and has a log", () => {
    const line = { file: "counters.bpf.c", line: 24, text: "  v->bytes += len;" };
    const error = refused("r0 = r2\nexit", { name: "limit", lineOf: () => line, logLevel: 1 });
    expect(error.message).toBe("limit: insn 0: R2 !read_ok (counters.bpf.c:24: v->bytes += len;)");
    expect(error.line).toBe(line);
    expect(error.log).toContain("0: (bf) r0 = r2\nR2 !read_ok\n");
    expect(error.syscall).toBe("prog_load");
  });

  it("has the path to it in its log, with the registers where it branches", () => {
    const { log } = refused("r0 = *(u32 *)(r1 +12)\nif r0 == 3 goto out\nr0 = r5\nout:\nexit", {
      logLevel: 2,
    });
    expect(log).toContain("from 0 to 0: R1=ctx() R10=fp0\n");
    expect(log).toContain("R0=scalar(smin=0,smax=4294967295,umax=4294967295)");
    expect(log).toContain("2: (bf) r0 = r5\nR5 !read_ok\n");
  });
});
