// What programs print, and what they find where a kernel has memory of its own.
import { expect, test } from "vitest";
import type { Execution } from "../../../src/ebpf/helpers/execution.ts";
import { tracePrintk } from "../../../src/ebpf/helpers/trace.ts";
import { assemble, loadObject, loadProgram } from "../../../src/ebpf/index.ts";
import { bytes, createHost, u32 } from "../../../src/index.ts";
import { objectBytes } from "../support/objects.ts";

/** The line that a format gives with three arguments; the answer of the helper when it gives none. */
function printed(format: string, ...values: bigint[]): string | number {
  const host = createHost();
  const map = host.createMap({ type: "array", key: u32, value: bytes(128), maxEntries: 1 });
  const text = new TextEncoder().encode(`${format}\0`);
  map.set(
    0,
    Uint8Array.from({ length: 128 }, (_, i) => text[i] ?? 0),
  );
  const at = map.lookup(0);
  const lines: string[] = [];
  const words = [0, at, text.length];
  const run = {
    host,
    word: (register: number) => words[register] ?? Number(BigInt.asUintN(32, values[register - 3])),
    state: {
      register: (register: number) => BigInt.asUintN(64, values[register - 3]),
      stack: { address: 0, bytes: 0 },
    },
    surroundings: {
      maps: new Map([[1, { table: map.table, valueSize: 128 }]]),
      trace: (line: string) => lines.push(line),
    },
  } as unknown as Execution;
  const answer = tracePrintk(run) as number;
  const place = lines[0];
  host.close();
  return place ?? answer;
}

test.each([
  ["plain\n", [], "plain"],
  ["%d of %u, %x", [-1n, -1n, 255n], "-1 of 4294967295, ff"],
  ["%lld %llu %llx", [-1n, -1n, -1n], "-1 18446744073709551615 ffffffffffffffff"],
  ["%5d|%-5d|%05d", [42n, 42n, 42n], "   42|42   |00042"],
  ["100%% %c %#x", [65n, 16n], "100% A 0x10"],
  ["%p", [1n], "0000000000000001"],
  ["%s", [8n], "(fault)"],
])("%j", (format, values, line) => {
  expect(printed(format, ...values)).toBe(line);
});

test.each(["%d %d %d %d", "%q", "ends with %"])("%j is refused", (format) => {
  expect(printed(format, 1n, 2n, 3n)).toBe(-22);
});

test("a program prints to who listens, strings of its stack too", () => {
  const host = createHost();
  const program = loadProgram(
    host,
    assemble(`
      *(u32 *)(r10 -8) = ${0x00_73_25_3d} // "=%s"
      *(u32 *)(r10 -4) = ${0x00_00_69_68} // "hi"
      r1 = r10
      r1 += -8
      r2 = 4
      r3 = r10
      r3 += -4
      call bpf_trace_printk
      exit`),
    { type: "raw" },
  );
  expect(program.run().retval).toBe(3);
  host.close();
});

test("memory of a kernel reads as zeros, with EFAULT", () => {
  const host = createHost();
  const program = loadProgram(
    host,
    assemble(`
      *(u64 *)(r10 -8) = -1
      r1 = r10
      r1 += -8
      r2 = 4
      r3 = 4096
      call bpf_probe_read_kernel
      if r0 == -14 goto good
      exit
    good:
      r0 = *(u64 *)(r10 -8)
      exit`),
    { type: "raw" },
  );
  expect(program.run().r0).toBe(0xffff_ffff_0000_0000n);
  host.close();
});

test("a listener is a function, and the last one that was given", () => {
  const host = createHost();
  using object = loadObject(host, objectBytes("counters"));
  expect(() => object.onTrace("a" as never)).toThrow("onTrace: expected a function");
  expect(object.onTrace(() => {})).toBeUndefined();
});
