import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CaptureReader } from "../../src/cli/capture/reader.ts";
import { FlowTable } from "../../src/cli/flows/flow_table.ts";
import { summarize } from "../../src/cli/flows/summary.ts";

const root = new URL("../../", import.meta.url);
/** What capinfos and tshark say about the recorded capture: see the "commands" in that file. */
const expected = JSON.parse(readFileSync(new URL("test/data/loopback.totals.json", root), "utf8"));
const capture = readFileSync(new URL(expected.file, root));

function flowsOf(file: Uint8Array, seconds: { interval: number; idle: number }, maxFlows?: number) {
  const times = { interval: seconds.interval * 1e6, idle: seconds.idle * 1e6 };
  const table = new FlowTable(maxFlows === undefined ? times : { ...times, maxFlows });
  const reader = new CaptureReader((frame) => table.add(frame));
  for (let at = 0; at < file.length; at += 100_000) reader.push(file.subarray(at, at + 100_000));
  reader.finish();
  table.finish();
  return summarize(reader, table, { file: "loopback.pcap", ...seconds, top: 10, elapsed: 1 });
}

describe("the recorded capture", () => {
  test("is of the size that was asked for", () => {
    expect(capture.length).toBeLessThanOrEqual(4e6);
    expect(expected.packets).toBeGreaterThanOrEqual(20_000);
    expect(expected.tcp.conversations + expected.udp.conversations).toBeGreaterThanOrEqual(2_000);
  });

  test.each([
    { interval: 1, idle: 5 },
    { interval: 0.001, idle: 0 },
    { interval: 0.01, idle: 0.05 },
    { interval: 0.1, idle: 0 },
    { interval: 0.5, idle: 1 },
    { interval: 3, idle: 0.5 },
    { interval: 1000, idle: 0 },
    { interval: 1, idle: 1000 },
  ])("has the totals that capinfos and tshark report: %j", (seconds) => {
    const { totals, top, capture: read } = flowsOf(capture, seconds);
    expect(read.defect).toBeNull();
    expect(totals).toMatchObject({ packets: expected.packets, bytes: expected.bytes, flows: expected.flows });
    expect(totals.tcp.packets).toBe(expected.tcp.packets);
    expect(totals.udp.packets).toBe(expected.udp.packets);
    expect(totals.other.packets).toBe(expected.packets - expected.tcp.packets - expected.udp.packets);
    expect(totals.unreadable.packets).toBe(0);
    expect(totals.untracked.packets).toBe(0);
    expect(totals.duration.toFixed(6)).toBe(expected.duration);
    expect([totals.first, totals.last]).toEqual([`${expected.first}000`, `${expected.last}000`]);
    const shape = ({ bytes, packets }: { bytes: number; packets: number }) =>
      `${bytes} bytes in ${packets} packets`;
    expect(top.map(shape)).toEqual(expected.top.map(shape));
    const { protocol, ...first } = expected.top[0];
    expect(top[0]).toMatchObject({ ...first, protocol: protocol === 6 ? "tcp" : "udp" });
  });

  test("idle flows leave the table of active flows, and its memory follows", () => {
    const { table } = flowsOf(capture, { interval: 0.25, idle: 0.5 });
    expect(table.evicted).toBeGreaterThan(4_000);
    expect(table.peakEntries).toBeLessThan(expected.flows * 0.6);
    const entries = table.growth.map((sample) => sample.entries);
    expect(Math.min(...entries)).toBeLessThan(table.peakEntries / 10);
    const small = table.growth.find((sample) => sample.entries === Math.min(...entries))!;
    expect(small.bytes).toBeLessThan(table.peakTableBytes / 3);
    for (const { entries: before, kept, finished } of table.growth) expect(kept + finished).toBe(before);
  });

  test("too small a table loses no packet", () => {
    const { totals } = flowsOf(capture, { interval: 1, idle: 5 }, 100);
    expect(totals).toMatchObject({ packets: expected.packets, bytes: expected.bytes, flows: 100 });
    expect(totals.untracked.packets).toBeGreaterThan(10_000);
    expect(totals.untracked.packets).toBeLessThan(expected.packets);
  });
});
