import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CaptureReader } from "../../src/cli/capture/reader.ts";
import { flowCounters, flowKey } from "../../src/cli/flows/flow.ts";
import { FlowTable, type FlowTableOptions } from "../../src/cli/flows/flow_table.ts";
import { summarize } from "../../src/cli/flows/summary.ts";
import { topFlows } from "../../src/cli/flows/top.ts";
import { createHost, type Host } from "../../src/index.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import {
  address6,
  bytes,
  ETH_IPV6,
  enhanced,
  ethernet,
  interfaceBlock,
  ipv4,
  ipv6,
  type Packet,
  pcap,
  ports,
  section,
  simple,
  TCP,
  tcp4,
  UDP,
} from "./build.ts";

const seed = testSeed("test/cli/flow_table.test.ts");

function run(file: Uint8Array, options: FlowTableOptions, host?: Host): FlowTable {
  const table = new FlowTable(options, host);
  const reader = new CaptureReader((frame) => table.add(frame));
  reader.push(file);
  expect(reader.finish()).toBeUndefined();
  table.finish();
  return table;
}

/** A packet of flow number `flow`, at a time in microseconds, as a raw IP packet. */
interface Step {
  flow: number;
  time: number;
  length: number;
}

/** A frame of which the flow number can be told from its key. */
function frameOf(flow: number): Uint8Array {
  const port = 1000 + flow;
  return flow % 3 === 0 ? ipv6(UDP, ports(port, 53)) : ipv4(flow % 3 === 1 ? TCP : UDP, ports(port, 80));
}

function fileOf(steps: readonly Step[]): Uint8Array {
  const packets: Packet[] = steps.map(({ flow, time, length }) => ({
    data: frameOf(flow),
    seconds: Math.floor(time / 1e6),
    fraction: time % 1e6,
    length,
  }));
  return pcap(packets, { link: 101 });
}

type Counts = { packets: number; bytes: number; first: number; last: number };

function countsOf(steps: readonly Step[]): Map<number, Counts> {
  const flows = new Map<number, Counts>();
  for (const { flow, time, length } of steps) {
    const counts = flows.get(flow) ?? { packets: 0, bytes: 0, first: time, last: time };
    counts.packets++;
    counts.bytes += length;
    counts.first = Math.min(counts.first, time);
    counts.last = Math.max(counts.last, time);
    flows.set(flow, counts);
  }
  return flows;
}

function countsIn(table: FlowTable): Map<number, Counts> {
  const flows = new Map<number, Counts>();
  for (const [key, counts] of table.finished) {
    const { srcPort } = flowKey.decode(new DataView(key.buffer, key.byteOffset, key.length), 0);
    expect(flows.has(srcPort - 1000)).toBe(false);
    flows.set(srcPort - 1000, counts);
  }
  return flows;
}

const START = 1_700_000_000_000_000;
const step = fc.record({
  flow: fc.oneof(fc.nat(4), fc.nat(60)),
  // Mostly onwards, sometimes back, sometimes far ahead: microseconds.
  delta: fc.oneof(fc.nat(1000), fc.integer({ min: -5000, max: 5000 }), fc.nat(3_000_000)),
  length: fc.oneof(fc.integer({ min: 40, max: 1514 }), fc.constant(0xffff_ffff)),
});
const steps = fc.array(step, { minLength: 1, maxLength: 250 }).map((list) => {
  let time = START;
  return list.map(({ flow, delta, length }) => {
    time = Math.max(time + delta, 0);
    return { flow, time, length };
  });
});
const interval = fc.constantFrom(1000, 2500, 20_000, 1e6, 1e9);
const idle = fc.constantFrom(0, 1, 1000, 30_000, 2e6, 1e12);

describe("flow table", () => {
  test("whatever interval and idle time, every flow ends with its own packets, bytes and times", () => {
    fc.assert(
      fc.property(steps, interval, idle, (list, intervalTime, idleTime) => {
        const table = run(fileOf(list), { interval: intervalTime, idle: idleTime });
        expect(countsIn(table)).toEqual(countsOf(list));
        expect(table.untracked).toEqual({ packets: 0, bytes: 0 });
        table.host.close();
      }),
      { seed, numRuns: bySize(25, 150) },
    );
  });

  test("where flows have no room, what is tracked and what is not add up", () => {
    fc.assert(
      fc.property(
        steps,
        interval,
        idle,
        fc.integer({ min: 1, max: 20 }),
        (list, intervalTime, idleTime, maxFlows) => {
          const table = run(fileOf(list), { interval: intervalTime, idle: idleTime, maxFlows });
          const all = countsOf(list);
          let packets = table.untracked.packets;
          let length = table.untracked.bytes;
          for (const [flow, counts] of countsIn(table)) {
            packets += counts.packets;
            length += counts.bytes;
            expect(counts.packets).toBeLessThanOrEqual(all.get(flow)!.packets);
          }
          expect(table.flows).toBe(Math.min(maxFlows, all.size));
          expect(packets).toBe(list.length);
          expect(length).toBe(table.totals.bytes);
          table.host.close();
        },
      ),
      { seed, numRuns: bySize(20, 100) },
    );
  });

  test("a host that runs out of memory: nothing is thrown, and the sums are right", () => {
    const host = createHost({ maxMemory: 1 << 20 });
    const packets = bySize(16_000, 40_000);
    const list = Array.from({ length: packets }, (_, i) => ({
      flow: (i * 7) % ((packets / 4) * 3),
      time: START + i * 100,
      length: 100,
    }));
    const table = run(fileOf(list), { interval: 1e5, idle: 1e6 }, host);
    expect(table.totals).toMatchObject({ packets, bytes: 100 * packets });
    expect(table.untracked.packets).toBeGreaterThan(0);
    let tracked = 0;
    for (const flow of table.finished.values()) tracked += flow.packets;
    expect(tracked + table.untracked.packets).toBe(packets);
    expect(topFlows(table, 5)).toHaveLength(5);
  });

  test("drains follow packet time, not wall time, and skip intervals without packets", () => {
    const at = (seconds: number, flow: number) => ({ flow, time: START + seconds * 1e6, length: 60 });
    const list = [at(0, 1), at(0.9, 2), at(1, 3), at(1.5, 4), at(100, 5), at(100.5, 6), at(101, 7)];
    const table = run(fileOf(list), { interval: 1e6, idle: 1e6 });
    // At 1 s (two flows, both kept), at 100 s (four flows, all idle), at 101 s (5 and 6 kept), and the end.
    expect(table.drains).toBe(4);
    expect(
      table.growth.samples.map(({ time, entries, kept, finished }) => [time / 1e6, entries, kept, finished]),
    ).toEqual([
      [1, 2, 2, 0],
      [100, 4, 0, 4],
      [101, 2, 2, 0],
      [101, 3, 0, 3],
    ]);
    expect(table.evicted).toBe(4);
  });

  test("a flow exactly as long without a packet as the idle time stays, a microsecond more and it goes", () => {
    const list = (gap: number) => [
      { flow: 1, time: START, length: 60 },
      { flow: 2, time: START + 1_000_000 + gap, length: 60 },
    ];
    expect(run(fileOf(list(0)), { interval: 1e6, idle: 1e6 }).evicted).toBe(0);
    expect(run(fileOf(list(1)), { interval: 1e6, idle: 1e6 }).evicted).toBe(1);
  });

  test("packets without a time count at the time of the packet before", () => {
    const data = tcp4(1, 2);
    const file = bytes(
      section(),
      interfaceBlock(1),
      simple(data.length, data),
      enhanced(0, 7_000_000n, data),
      simple(data.length, data),
    );
    const table = run(file, { interval: 1e6, idle: 1e6 });
    expect([...table.finished.values()]).toEqual([{ packets: 3, bytes: 162, first: 0, last: 7_000_000 }]);
    expect([table.totals.first, table.totals.duration]).toEqual(["7.000000000", 0]);
  });

  test("IPv4 and IPv6 addresses with the same bytes, and the two directions, are flows of their own", () => {
    const mapped = "0:0:0:0:0:ffff:c0a8:010a";
    const other = "0:0:0:0:0:ffff:0a00:0001";
    const file = pcap([
      { data: tcp4(1, 2) },
      { data: ethernet(ETH_IPV6, ipv6(TCP, ports(1, 2), mapped, other)) },
      { data: ethernet(ETH_IPV6, ipv6(TCP, ports(2, 1), other, mapped)) },
    ]);
    const table = run(file, { interval: 1e6, idle: 0 });
    expect(table.flows).toBe(3);
    expect(address6(mapped)).toHaveLength(16);
  });

  test("the times of a damaged capture stay in range", () => {
    const file = bytes(
      section(),
      interfaceBlock(1),
      enhanced(0, 0xffff_ffff_ffff_ffffn, tcp4(1, 2)),
      enhanced(0, 0n, tcp4(1, 2)),
    );
    const table = run(file, { interval: 1000, idle: 0 });
    expect([...table.finished.values()]).toEqual([
      { packets: 2, bytes: 108, first: 0, last: Number.MAX_SAFE_INTEGER },
    ]);
  });

  test("counters carry over 2^32 and stop at 2^53 - 1", () => {
    const huge = Array.from({ length: 5 }, () => ({ flow: 1, time: START, length: 0xffff_ffff }));
    expect(countsIn(run(fileOf(huge), { interval: 1e6, idle: 0 })).get(1)?.bytes).toBe(5 * 0xffff_ffff);
  });
});

describe("top talkers", () => {
  const list = Array.from({ length: 3_000 }, (_, i) => ({
    flow: i,
    time: START + i,
    length: 60 + (i % 1000),
  }));
  const table = run(fileOf(list), { interval: 1e6, idle: 0 });

  test.each([0, 1, 3, 10, 2_999, 3_000, 5_000])("--top %i", (count) => {
    const lengths = list.map(({ length }) => length).sort((a, b) => b - a);
    expect(topFlows(table, count).map((flow) => flow.bytes)).toEqual(lengths.slice(0, count));
  });

  test("do not depend on the seed of the host", () => {
    const again = run(fileOf(list), { interval: 1e3, idle: 0 }, createHost({ seed: 7 }));
    expect(topFlows(again, 100)).toEqual(topFlows(table, 100));
  });

  test("more packets first among flows with as many bytes", () => {
    const two = [
      { flow: 4, time: START, length: 200 },
      { flow: 3, time: START + 5, length: 100 },
      { flow: 3, time: START + 1_000_006, length: 100 },
    ];
    const top = topFlows(run(fileOf(two), { interval: 1e6, idle: 0 }), 2);
    expect(top).toEqual([
      {
        source: "2001:db8::1",
        sourcePort: 1003,
        destination: "fe80::1:2:3:4",
        destinationPort: 53,
        protocol: "udp",
        packets: 2,
        bytes: 200,
        first: START + 5,
        last: START + 1_000_006,
      },
      {
        source: "192.168.1.10",
        sourcePort: 1004,
        destination: "10.0.0.1",
        destinationPort: 80,
        protocol: "tcp",
        packets: 1,
        bytes: 200,
        first: START,
        last: START,
      },
    ]);
  });
});

test("layouts are those of the C structs that a BPF program would declare", () => {
  expect([flowKey.size, flowKey.offsets]).toEqual([
    38,
    { src: 0, dst: 16, srcPort: 32, dstPort: 34, proto: 36, family: 37 },
  ]);
  expect([flowCounters.size, flowCounters.align]).toEqual([32, 8]);
});

test("a summary of nothing has no NaN in it", () => {
  const reader = new CaptureReader(() => {});
  reader.push(pcap([]));
  reader.finish();
  const table = new FlowTable({ interval: 1e6, idle: 0 });
  table.finish();
  const summary = summarize(reader, table, { file: "-", interval: 1, idle: 0, top: 10, elapsed: 0 });
  expect(summary.totals).toMatchObject({
    packets: 0,
    bytes: 0,
    flows: 0,
    duration: 0,
    first: null,
    last: null,
  });
  // JSON has no NaN: it would come out as null.
  const text = JSON.stringify({
    ...summary,
    capture: undefined,
    totals: { ...summary.totals, first: 0, last: 0 },
  });
  expect(text).not.toContain("null");
});
