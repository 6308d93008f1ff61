import assert from "node:assert";
import type { Defect } from "../../src/cli/capture/frame.ts";
import { Found, readTuple } from "../../src/cli/capture/packet.ts";
import { CaptureReader } from "../../src/cli/capture/reader.ts";

/** A layout of the test's own: it must not matter to the parser where the parts go. */
const layout = { proto: 0, family: 1, srcPort: 2, dstPort: 4, src: 6, dst: 22 };
const tuple = new DataView(new ArrayBuffer(38));

export interface Read {
  /** "192.168.1.10:1234 > 10.0.0.1:80 tcp", with addresses in full; "other" or "unreadable". */
  what: string;
  link: number;
  captured: number;
  length: number;
  /** Seconds with nine decimals, undefined for packets without a time. */
  time: string | undefined;
}

export interface ReadCapture {
  packets: Read[];
  defect: Defect | undefined;
  format: string;
}

function address(at: number, family: number): string {
  if (family === 4) return [0, 1, 2, 3].map((i) => tuple.getUint8(at + i)).join(".");
  return [0, 1, 2, 3, 4, 5, 6, 7].map((i) => tuple.getUint16(at + 2 * i).toString(16)).join(":");
}

function describe(found: Found): string {
  if (found !== Found.FLOW) return found === Found.OTHER ? "other" : "unreadable";
  const family = tuple.getUint8(layout.family);
  const from = `${address(layout.src, family)}:${tuple.getUint16(layout.srcPort, true)}`;
  const to = `${address(layout.dst, family)}:${tuple.getUint16(layout.dstPort, true)}`;
  return `${from} > ${to} ${tuple.getUint8(layout.proto) === 6 ? "tcp" : "udp"}`;
}

/** Runs the capture through the parsers in chunks of `chunk` bytes: pushed, and pulled, which must give the same. */
export function read(capture: Uint8Array, chunk = capture.length): ReadCapture {
  const size = Math.max(chunk, 1);
  const pushed = readBy((reader) => {
    for (let at = 0; at < capture.length; at += size) {
      if (!reader.push(capture.subarray(at, at + size))) break;
    }
  });
  const pulled = readBy((reader) => {
    let at = 0;
    const give = (bytes: Uint8Array, to: number, most: number) => {
      const given = capture.subarray(at, at + most);
      bytes.set(given, to);
      at += given.length;
      return given.length;
    };
    while (reader.pull(size, give));
  });
  assert.deepStrictEqual(pulled, pushed);
  return pushed;
}

function readBy(feed: (reader: CaptureReader) => void): ReadCapture {
  const packets: Read[] = [];
  const reader = new CaptureReader((frame) => {
    for (let i = 0; i < 38; i++) tuple.setUint8(i, 0xee);
    packets.push({
      what: describe(readTuple(frame, tuple, layout)),
      link: frame.link,
      captured: frame.end - frame.start,
      length: frame.length,
      time: frame.timed ? `${frame.seconds}.${String(frame.nanoseconds).padStart(9, "0")}` : undefined,
    });
  });
  feed(reader);
  const defect = reader.finish();
  return { packets, defect, format: reader.format };
}
