import { bytes, type Infer, struct, u8, u16, u53 } from "../../index.ts";
import { formatIpv4, formatIpv6 } from "./address.ts";

/** 5-tuple of one direction. An IPv4 address takes the first 4 of its 16 bytes; `family` is 4 or 6, `proto` IP's number. */
export const flowKey = struct({
  src: bytes(16),
  dst: bytes(16),
  srcPort: u16,
  dstPort: u16,
  proto: u8,
  family: u8,
});

/** What is counted of a flow. Bytes are those of whole frames on the wire; times are microseconds since 1970. */
export const flowCounters = struct({ packets: u53, bytes: u53, first: u53, last: u53 });

export type Counters = Infer<typeof flowCounters>;

const FIELD = flowCounters.offsets;
const TWO_32 = 0x1_0000_0000;

function readU53(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
}

/** Saturates: a damaged capture may claim packets of 4 GiB, and more than 2^53 - 1 could not be decoded. */
function writeU53(view: DataView, at: number, count: number): void {
  const value = Math.min(count, Number.MAX_SAFE_INTEGER);
  view.setUint32(at, value, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

function addU53(view: DataView, at: number, count: number): void {
  const low = view.getUint32(at, true) + count;
  if (low < TWO_32) view.setUint32(at, low, true);
  else writeU53(view, at, view.getUint32(at + 4, true) * TWO_32 + low);
}

/** Counts one more packet in the counters at `at`. `time` holds its time. */
export function countPacket(view: DataView, at: number, length: number, time: Float64Array): void {
  addU53(view, at + FIELD.packets, 1);
  addU53(view, at + FIELD.bytes, length);
  // Packets need not come in the order of their times.
  if (time[0] > readU53(view, at + FIELD.last)) writeU53(view, at + FIELD.last, time[0]);
  else if (time[0] < readU53(view, at + FIELD.first)) writeU53(view, at + FIELD.first, time[0]);
}

/** Adds to the counters at `at`. */
export function addCounters(view: DataView, at: number, more: Counters): void {
  addU53(view, at + FIELD.packets, more.packets);
  addU53(view, at + FIELD.bytes, more.bytes);
  if (more.last > readU53(view, at + FIELD.last)) writeU53(view, at + FIELD.last, more.last);
  if (more.first < readU53(view, at + FIELD.first)) writeU53(view, at + FIELD.first, more.first);
}

/** Decodes the counters at `at` into an object that exists already. */
export function readCounters(view: DataView, at: number, to: Counters): void {
  to.packets = readU53(view, at + FIELD.packets);
  to.bytes = readU53(view, at + FIELD.bytes);
  to.first = readU53(view, at + FIELD.first);
  to.last = readU53(view, at + FIELD.last);
}

export function byteCount(view: DataView, at: number): number {
  return readU53(view, at + FIELD.bytes);
}

export function packetCount(view: DataView, at: number): number {
  return readU53(view, at + FIELD.packets);
}

/** A flow as it is reported. */
export interface Flow {
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  protocol: "tcp" | "udp";
  packets: number;
  bytes: number;
  /** Microseconds since 1970. */
  first: number;
  last: number;
}

/** Decodes key and counters as they stand in memory. */
export function decodeFlow(key: DataView, keyAt: number, counters: DataView, countersAt: number): Flow {
  const { src, dst, srcPort, dstPort, proto, family } = flowKey.decode(key, keyAt);
  const address = (raw: Uint8Array) => (family === 4 ? formatIpv4(raw.subarray(0, 4)) : formatIpv6(raw));
  return {
    source: address(src),
    sourcePort: srcPort,
    destination: address(dst),
    destinationPort: dstPort,
    protocol: proto === 6 ? "tcp" : "udp",
    ...flowCounters.decode(counters, countersAt),
  };
}
