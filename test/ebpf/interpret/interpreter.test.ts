// What the interpreter does beside arithmetic: frames, fuel, helpers, callbacks, tail calls, packets, and checks of accesses.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Call } from "../../../src/ebpf/interpret/interpreter.ts";
import { Interpreter } from "../../../src/ebpf/interpret/interpreter.ts";
import { type Checks, prepare, type Reach } from "../../../src/ebpf/interpret/prepare.ts";
import { assemble } from "../../../src/ebpf/isa/assemble.ts";
import { decode } from "../../../src/ebpf/isa/decode.ts";
import {
  EBPF_ENDED,
  EBPF_FAULT,
  EBPF_GO_ON,
  EBPF_NO_FUEL,
  EBPF_NO_OPCODE,
  EBPF_RETURNED,
  EBPF_STOP,
  EBPF_TAIL_CALL,
  EBPF_TOO_DEEP,
} from "../../../src/generated/abi.js";
import { createHost, type Host } from "../../../src/index.ts";
import { allChecked, type InterpretedOptions, interpreted } from "../support/interpreted.ts";

let host: Host;
beforeEach(() => {
  host = createHost({ seed: 1 });
});
afterEach(() => {
  expect(host.verify()).toEqual([]);
  expect(host.memoryUsage().bytes).toBe(0);
  host.close();
});

const ran = (text: string, options?: InterpretedOptions) => interpreted(host, assemble(text), options);

describe("calls", () => {
  it("give each function a frame of its own, and keep r6 to r9", () => {
    const { outcome, registers } = ran(`
      r6 = 6
      r7 = r10
      *(u64 *)(r10 -8) = 1
      r1 = 5
      call f
      r7 -= r0
      r0 = r7
      r1 = *(u64 *)(r10 -8)
      r2 = r6
      r3 = r8
      exit
      f:
      r6 = 0
      r8 = 99
      *(u64 *)(r10 -8) = 2
      r0 = r10
      exit`);
    expect(outcome).toBe(EBPF_RETURNED);
    expect(registers.slice(0, 4)).toEqual([512n, 1n, 6n, 0n]);
  });

  it("nest eight deep and no deeper", () => {
    const nested = (depth: number) =>
      `${Array.from({ length: depth - 1 }, (_, i) => `f${i}:\ncall f${i + 1}\nr0 += 1\nexit\n`).join("")}f${depth - 1}:\nr0 = 1\nexit`;
    const fits = ran(nested(8));
    expect([fits.outcome, fits.registers[0]]).toEqual([EBPF_RETURNED, 8n]);
    expect(ran(nested(9))).toMatchObject({ outcome: EBPF_TOO_DEEP, endedAt: 21 });
  });
});

describe("fuel", () => {
  const loop = "r1 = 0\nloop:\nr1 += 1\nif r1 < 10 goto loop\nexit";

  it("is taken by jumps back and by calls, not by jumps forward", () => {
    expect(ran(loop, { fuel: 9 })).toMatchObject({ outcome: EBPF_RETURNED, fuel: 0 });
    expect(ran("goto next\nnext:\nexit", { fuel: 0 })).toMatchObject({ outcome: EBPF_RETURNED });
    expect(ran("call f\nexit\nf:\nexit", { fuel: 1 })).toMatchObject({ outcome: EBPF_RETURNED, fuel: 0 });
  });

  it("ends what needs more", () => {
    expect(ran(loop, { fuel: 8 })).toMatchObject({ outcome: EBPF_NO_FUEL, endedAt: 2 });
    expect(ran("call f\nexit\nf:\nexit", { fuel: 0 })).toMatchObject({ outcome: EBPF_NO_FUEL, endedAt: 0 });
    expect(ran("loop:\ngotol loop", { fuel: 5 })).toMatchObject({ outcome: EBPF_NO_FUEL, endedAt: 0 });
  });

  it("may_goto leaves its loop by itself", () => {
    const { outcome, registers } = ran("r0 = 0\nloop:\nmay_goto end\nr0 += 1\ngoto loop\nend:\nexit", {
      fuel: 1e8,
    });
    expect([outcome, registers[0]]).toEqual([EBPF_RETURNED, 8388608n]);
  });
});

describe("helpers", () => {
  it("find r1 to r5, and set r0", () => {
    const calls: unknown[] = [];
    const call: Call = (run, number, kind) => {
      calls.push([number, kind, [1, 2, 3, 4, 5].map((register) => run.register(register))]);
      run.setRegister(0, -2n);
      return EBPF_GO_ON;
    };
    const { registers } = ran(
      "r1 = 1\nr2 = -2\nr3 = 3\nr4 = 4\nr5 = 0x500000005\ncall 7#7\nexit".replace("7#7", "#7"),
      { call },
    );
    expect(calls).toEqual([[7, 0, [1n, (1n << 64n) - 2n, 3n, 4n, 0x500000005n]]]);
    expect(registers[0]).toBe((1n << 64n) - 2n);
  });

  it("are told of kfuncs", () => {
    const kinds: number[][] = [];
    const call: Call = (_, number, kind) => {
      kinds.push([number, kind]);
      return EBPF_GO_ON;
    };
    ran("call kernel-function#77\nexit", { call });
    expect(kinds).toEqual([[77, 2]]);
  });

  it("may end the run, with an outcome of their own", () => {
    const call: Call = (run) => {
      run.outcome = 100;
      return EBPF_STOP;
    };
    expect(ran("r0 = 0\ncall #1\nexit", { call })).toMatchObject({ outcome: 100, endedAt: 1 });
  });

  it("may throw, and the next run is as ever", () => {
    const call: Call = () => {
      throw new Error("no");
    };
    expect(() => ran("call #1\nexit", { call })).toThrow("no");
    expect(ran("r0 = 3\nexit").registers[0]).toBe(3n);
  });

  it("may grow the memory", () => {
    const call: Call = () => {
      const block = host.allocate(1 << 20);
      host.release(block, 1 << 20);
      return EBPF_GO_ON;
    };
    const { registers } = ran("r6 = 6\ncall #1\nr0 = r6\nexit", { call });
    expect(registers[0]).toBe(6n);
  });

  it("run callbacks on the same fuel, in frames on top", () => {
    const prepared = prepare(
      decode(
        assemble(
          "r2 = subprog[f]\n*(u64 *)(r10 -8) = 40\nr3 = r10\nr3 += -8\ncall #181\nr0 = *(u64 *)(r10 -8)\nexit\nf:\nr1 += r2\nr0 = r1\nexit",
        ),
      ),
      new Map(),
    );
    const interpreter = new Interpreter(host);
    const code = interpreter.load(prepared)!;
    const run = interpreter.open((run) => {
      const [slot, context] = [run.word(2), run.word(3)];
      expect([slot, run.depth]).toEqual([8, 1]);
      for (let i = 0; i < 3; i++) {
        run.setWord(1, i);
        run.setWord(2, context);
        if (interpreter.run(run, slot) !== EBPF_RETURNED) return EBPF_ENDED;
        expect(run.register(0)).toBe(BigInt(context + i));
      }
      return EBPF_GO_ON;
    })!;
    run.begin(code, 10);
    expect([interpreter.run(run, 0), run.register(0), run.depth]).toEqual([EBPF_RETURNED, 40n, 0]);
    interpreter.close(run);
    interpreter.unload(code);
  });

  it("a callback that ends the run ends it as a whole", () => {
    const text = "r0 = 0\ncall #181\nexit\nf:\nloop:\ngoto loop";
    const interpreter = new Interpreter(host);
    const code = interpreter.load(prepare(decode(assemble(text)), new Map()))!;
    const run = interpreter.open((run) =>
      interpreter.run(run, 3) === EBPF_RETURNED ? EBPF_GO_ON : EBPF_ENDED,
    )!;
    run.begin(code, 10);
    expect([interpreter.run(run, 0), run.endedAt]).toEqual([EBPF_NO_FUEL, 3]);
    interpreter.close(run);
    interpreter.unload(code);
  });

  it("may go on with another program: a tail call", () => {
    const interpreter = new Interpreter(host);
    const load = (text: string) => interpreter.load(prepare(decode(assemble(text)), new Map()))!;
    const first = load("call f\nr0 += 1\ncall #99\nexit\nf:\nr6 = 7\ncall #12\nr0 = 0\nexit");
    const second = load("r0 = r6\nr0 += 35\nexit");
    const run = interpreter.open((run, number) => {
      if (number === 99) return EBPF_STOP;
      run.setCode(second);
      return EBPF_TAIL_CALL;
    })!;
    run.begin(first, 10);
    run.outcome = 55;
    expect(interpreter.run(run, 0)).toBe(55);
    expect([run.register(0), run.endedAt]).toEqual([43n, 2]);
    interpreter.close(run);
    interpreter.unload(first);
    interpreter.unload(second);
  });
});

describe("classic loads", () => {
  const packet = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const loaded = (text: string) =>
    ran(`${text}\nexit`, {
      memory: packet,
      set: (run, memory) => run.setWindow(0, memory, packet.length),
    }).registers[0];

  it("read the packet in network order", () => {
    expect(loaded("r0 = *(u8 *)skb[5]")).toBe(6n);
    expect(loaded("r0 = *(u16 *)skb[1]")).toBe(0x0203n);
    expect(loaded("r0 = *(u32 *)skb[2]")).toBe(0x03040506n);
    expect(loaded("r7 = 3\nr0 = *(u16 *)skb[r7 + -1]")).toBe(0x0304n);
  });

  it("return 0 outside of it", () => {
    for (const text of [
      "r0 = *(u8 *)skb[6]",
      "r0 = *(u32 *)skb[3]",
      "r0 = *(u16 *)skb[-1]",
      "r7 = -2\nr0 = *(u8 *)skb[r7 + 1]",
    ]) {
      expect(loaded(`r0 = 9\n${text}\nr0 = 8`)).toBe(0n);
    }
  });
});

describe("checks", () => {
  const reaching = (text: string, reaches: [number, Reach][], options: InterpretedOptions = {}) =>
    ran(text, { checks: allChecked(decode(assemble(text)), new Map(reaches)), ...options });
  const memory = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

  it.each([
    ["r0 = *(u64 *)(r1 +0)", true],
    ["r0 = *(u8 *)(r1 +7)", true],
    ["r0 = *(u8 *)(r1 +8)", false],
    ["r0 = *(u32 *)(r1 +5)", false],
    ["r0 = *(u8 *)(r1 -1)", false],
    ["*(u16 *)(r1 +6) = 1", true],
    ["*(u16 *)(r1 +7) = 1", false],
    ["lock *(u32 *)(r1 +4) += r2", true],
    ["lock *(u64 *)(r1 +8) += r2", false],
    ["r0 = load_acquire((u32 *)(r1 +4))", true],
    ["r0 = load_acquire((u32 *)(r1 +8))", false],
    ["*(u64 *)(r10 -512) = 1", true],
    ["*(u64 *)(r10 -520) = 1", false],
    ["*(u8 *)(r10 +0) = 1", false],
    ["r0 = *(u8 *)(r2 +0)", false],
    ["r3 = r1\nr3 += 7\nr0 = *(u8 *)(r3 +0)", true],
    ["r3 = r1\nr3 += 8\nr0 = *(u8 *)(r3 +0)", false],
    ["*(u64 *)(r10 -8) = r1\nr4 = *(u64 *)(r10 -8)\nr0 = *(u8 *)(r4 +7)", true],
    ["*(u64 *)(r10 -8) = r1\nr4 = *(u64 *)(r10 -16)\nr0 = *(u8 *)(r4 +7)", false],
    ["*(u64 *)(r10 -8) = r1\n*(u64 *)(r10 -8) = r2\nr4 = *(u64 *)(r10 -8)\nr0 = *(u8 *)(r4 +7)", false],
    ["r1 <<= 32\nr1 >>= 32\nr0 = *(u8 *)(r1 +0)", true],
  ])("%s: %s", (text, allowed) => {
    const { outcome } = reaching(`${text}\nexit`, [], { memory });
    expect(outcome).toBe(allowed ? EBPF_RETURNED : EBPF_FAULT);
  });

  it("give nothing to an access before it is made", () => {
    const run = reaching("*(u32 *)(r1 +0) = 0\n*(u32 *)(r1 +6) = 0\nexit", [], { memory });
    expect(run).toMatchObject({ outcome: EBPF_FAULT, endedAt: 1 });
    expect([...run.memory]).toEqual([0, 0, 0, 0, 5, 6, 7, 8]);
  });

  it("know what helpers return: a value, or nothing", () => {
    const values: number[] = [];
    const call: Call = (run) => {
      run.setWord(0, values.shift()!);
      return EBPF_GO_ON;
    };
    const text = "call #1\nr0 = *(u32 *)(r0 +4)\nexit";
    const value = host.allocate(64);
    host.u8.fill(7, value, value + 8);
    const reaches: [number, Reach][] = [[0, { kind: "result", bytes: 8 }]];
    values.push(value);
    expect(reaching(text, reaches, { call }).registers[0]).toBe(0x07070707n);
    values.push(0);
    expect(reaching(text, reaches, { call })).toMatchObject({ outcome: EBPF_FAULT, endedAt: 1 });
    values.push(value + 1);
    expect(reaching(text.replace("+4", "+5"), reaches, { call }).outcome).toBe(EBPF_FAULT);
    host.release(value, 64);
  });

  it("know the windows of a run, and pointers that are added to numbers", () => {
    const text =
      "r2 = 0x0\nr3 = 2\nr3 += r2\nr0 = *(u16 *)(r3 +0)\nr0 = *(u16 *)(r3 +4)\nr0 = *(u16 *)(r3 +6)\nexit";
    const block = host.allocate(64);
    const checks: Checks = allChecked(
      decode(assemble(text)),
      new Map<number, Reach>([
        [0, { kind: "window", window: 3 }],
        [3, { kind: "source" }],
      ]),
    );
    const run = ran(text, {
      checks,
      values: new Map([[0, block]]),
      set: (run) => run.setWindow(3, block, 8),
    });
    expect(run).toMatchObject({ outcome: EBPF_FAULT, endedAt: 6 });
    host.release(block, 64);
  });

  it.each([
    [{ register: 1, bytes: 8 }, 0, true],
    [{ register: 1, bytes: 9 }, 0, false],
    [{ register: 4, bytes: 1 }, 0, false],
    [{ register: 1, bytes: { register: 3 } }, 8, true],
    [{ register: 1, bytes: { register: 3 } }, 9, false],
    [{ register: 1, bytes: { register: 3 } }, 2 ** 32, false],
    [{ register: 4, bytes: { register: 3 } }, 0, true],
  ])("look at arguments of helpers before the call: %j, %d", (range, size, allowed) => {
    let calls = 0;
    const call: Call = () => {
      calls++;
      return EBPF_GO_ON;
    };
    const text = `r3 = ${size} ll\ncall #1\nexit`;
    const { accesses, reaches } = allChecked([]);
    const checks: Checks = { accesses, reaches, arguments: new Map([[2, [range]]]) };
    const { outcome } = ran(text, { memory, checks, call });
    expect([outcome, calls]).toEqual(allowed ? [EBPF_RETURNED, 1] : [EBPF_FAULT, 0]);
  });

  it("follow a pointer into a callback", () => {
    const text =
      "r2 = subprog[f]\nr3 = r1\ncall #181\nexit\nf:\nr0 = *(u8 *)(r2 +7)\nr0 = *(u8 *)(r2 +8)\nexit";
    const code = decode(assemble(text));
    const interpreter = new Interpreter(host);
    const loaded = interpreter.load(prepare(code, new Map(), allChecked(code)))!;
    const block = host.allocate(64);
    const run = interpreter.open((run) => {
      run.copyReach(2, 3);
      run.setWord(2, run.word(3));
      return interpreter.run(run, 5) === EBPF_RETURNED ? EBPF_GO_ON : EBPF_ENDED;
    })!;
    run.begin(loaded, 10);
    run.setWord(1, block);
    run.setReach(1, block, 8);
    expect([interpreter.run(run, 0), run.endedAt]).toEqual([EBPF_FAULT, 6]);
    interpreter.close(run);
    interpreter.unload(loaded);
    host.release(block, 64);
  });

  it("leave programs without unproven accesses as they are", () => {
    const bytecode = assemble("r1 = r10\nr0 = *(u64 *)(r1 -8)\nexit");
    expect(prepare(decode(bytecode), new Map()).bytes).toEqual(bytecode);
  });
});

it("refuses what is no instruction, its own among them", () => {
  expect(interpreted(host, Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0))).toMatchObject({
    outcome: EBPF_NO_OPCODE,
    endedAt: 0,
  });
});
