// A flow counter of XDP over a recorded capture gives what the counter of `bpfmap flows` does, and what tshark has counted.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Frame } from "../../../src/cli/capture/frame.ts";
import { Found, readTuple } from "../../../src/cli/capture/packet.ts";
import { CaptureReader } from "../../../src/cli/capture/reader.ts";
import { loadObject } from "../../../src/ebpf/index.ts";
import { createHost } from "../../../src/index.ts";
import { objectBytes } from "../support/objects.ts";

const root = new URL("../../../", import.meta.url);
const expected = JSON.parse(readFileSync(new URL("test/data/loopback.totals.json", root), "utf8"));
const capture = readFileSync(new URL(expected.file, root));

interface Flow {
  src: Uint8Array;
  dst: Uint8Array;
  sport: number;
  dport: number;
  proto: number;
  version: number;
}
interface Stats {
  packets: bigint;
  bytes: bigint;
}

/** Ports are numbers of network order in the object's structs. */
const swapped = (port: number) => ((port & 0xff) << 8) | (port >>> 8);

/** Packets and bytes of each flow, by its five parts in one text. */
type Counts = Map<string, [packets: number, bytes: number]>;

function builtIn(): { counts: Counts; packets: Uint8Array[] } {
  const layout = { proto: 0, family: 1, srcPort: 2, dstPort: 4, src: 6, dst: 22 };
  const tuple = new DataView(new ArrayBuffer(38));
  const counts: Counts = new Map();
  const packets: Uint8Array[] = [];
  const reader = new CaptureReader((frame: Frame) => {
    packets.push(frame.bytes.slice(frame.start, frame.end));
    if (readTuple(frame, tuple, layout) !== Found.FLOW) return;
    const of = (at: number) => [...new Uint8Array(tuple.buffer, at, 16)].join(".");
    const ports = [tuple.getUint16(2, true), tuple.getUint16(4, true)];
    const key = [of(6), of(22), ...ports, tuple.getUint8(0), tuple.getUint8(1)].join(" ");
    const [before, length] = counts.get(key) ?? [0, 0];
    counts.set(key, [before + 1, length + frame.end - frame.start]);
  });
  reader.push(capture);
  reader.finish();
  return { counts, packets };
}

test.each([{ shared: false }, { shared: true }])(
  "flows of the recorded capture, shared: $shared",
  ({ shared }) => {
    const { counts, packets } = builtIn();
    const host = createHost({ shared, cpus: 2, maxMemory: 128 * 1024 * 1024 });
    const object = loadObject(host, objectBytes("flows"));
    const many = object.programs.flow.runMany(packets);
    expect(many).toEqual({ runs: expected.packets, traps: 0, retvals: new Map([[2, expected.packets]]) });
    const counted: Counts = new Map();
    let all = 0;
    for (const [key, slots] of object.maps.flows as Iterable<[Flow, Stats[]]>) {
      const { src, dst, sport, dport, proto, version } = key;
      const { packets, bytes } = slots[host.cpu];
      all += Number(packets);
      if (proto !== 6 && proto !== 17) continue;
      const ports = [swapped(sport), swapped(dport)];
      const text = [src.join("."), dst.join("."), ...ports, proto, version].join(" ");
      counted.set(text, [Number(packets), Number(bytes)]);
    }
    expect(counted).toEqual(counts);
    expect(counted.size).toBe(expected.flows);
    const [parsed, notIp, short] = [...object.maps.reasons.values()].map((slots) => Number(slots[host.cpu]));
    expect([parsed, notIp + short]).toEqual([all, expected.packets - all]);
    expect(object.programs.flow.verified.checked).toBe(0);
    object.close();
    expect(host.verify()).toEqual([]);
    host.close();
  },
);
