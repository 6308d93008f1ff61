// The large capture of `npm run bench -- flows`, and the workload on a small one.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { writeLargeCapture } from "../../bench/data/large_capture.mjs";
// @ts-expect-error plain JavaScript
import { run } from "../../bench/workloads/flows.mjs";
import type { Frame } from "../../src/cli/capture/frame.ts";
import { CaptureReader } from "../../src/cli/capture/reader.ts";
import { FlowTable } from "../../src/cli/flows/flow_table.ts";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { inFull } from "../support/size.ts";
import { workloadContext } from "./context.ts";

const RECORDING = fileURLToPath(new URL("../../examples/captures/loopback.pcap", import.meta.url));
const AT_ONCE = 16;

let folder: string;
beforeAll(() => {
  builtRoot();
  folder = mkdtempSync(join(tmpdir(), "bpfmap-large-"));
}, BUILD_MS);
afterAll(() => rmSync(folder, { recursive: true }));

function count(capture: Uint8Array): FlowTable {
  const table = new FlowTable({ interval: 1e6, idle: 5e6 });
  let last = 0;
  let backwards = 0;
  const reader = new CaptureReader((frame: Frame) => {
    const time = frame.seconds * 1e6 + frame.nanoseconds / 1000;
    if (time < last) backwards++;
    last = time;
    table.add(frame);
  });
  reader.push(capture);
  expect(reader.finish()).toBeUndefined();
  table.finish();
  expect(backwards).toBe(0);
  return table;
}

test("a large capture has the packets of the recording for each host, and flows of their own", () => {
  // The beginning of the recording, to the end of a packet.
  const recording = readFileSync(RECORDING);
  let end = 24;
  for (let i = 0; i < 500; i++) end += 16 + recording.readUInt32LE(end + 8);
  const short = join(folder, "short.pcap");
  writeFileSync(short, recording.subarray(0, end));
  const one = count(readFileSync(short));
  // Two rounds: of 16 hosts, and of half of the packets of 16 others.
  const file = join(folder, "large.pcap");
  writeLargeCapture(short, file, 500 * AT_ONCE * 1.5);
  const many = count(readFileSync(file));
  expect(many.totals.packets).toBe(500 * AT_ONCE * 1.5);
  expect(many.totals.unreadable.packets).toBe(0);
  expect(many.flows).toBeGreaterThan(AT_ONCE * one.flows);
  expect(many.flows).toBeLessThan(2 * AT_ONCE * one.flows);
  // The same bytes in every run, and a beginning of it for fewer packets.
  const again = join(folder, "again.pcap");
  writeLargeCapture(short, again, 500 * AT_ONCE);
  expect(readFileSync(file).subarray(0, statSync(again).size).equals(readFileSync(again))).toBe(true);
  const whole = count(readFileSync(again));
  expect(whole.totals.bytes).toBe(AT_ONCE * one.totals.bytes);
  expect(whole.flows).toBe(AT_ONCE * one.flows);
});

inFull(() =>
  test("the workload: each part, and whole programs where there are any", async () => {
    const { context, rounds, skipped } = workloadContext({ sizes: [2000] });
    const { measurements, notes } = await run({ ...context, options: { peerPackets: 2000 } });
    const rows = measurements.map(({ operation, contender }: Record<string, string>) => [
      operation,
      contender,
    ]);
    expect(rows.filter(([operation]: string[]) => operation.startsWith("up to: "))).toHaveLength(5);
    const programs = rows.filter(([operation]: string[]) => operation === "the whole program");
    expect(programs.length + skipped.length).toBe(3);
    expect(programs[0]).toEqual(["the whole program", "bpfmap"]);
    for (const { rounds: numbers } of measurements) expect(numbers).toHaveLength(rounds);
    expect(notes.some((note: string) => note.includes("million packets/s"))).toBe(true);
  }),
);
