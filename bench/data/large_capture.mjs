// Makes a capture as large as one likes from a recorded one: each round of the recording again, with other addresses and later.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const ETHERNET = 14;
/** Hosts whose packets are interleaved: so many times the flows of the recording are active at a time. */
const AT_ONCE = 16;
/** Written at a time. */
const ROOM = 1 << 22;

/** Where the packets of a little-endian pcap file with microseconds are, and their times. */
function packetsOf(file) {
  const packets = [];
  for (let at = FILE_HEADER; at < file.length; ) {
    const bytes = RECORD_HEADER + file.readUInt32LE(at + 8);
    packets.push({ at, bytes, time: file.readUInt32LE(at) * 1e6 + file.readUInt32LE(at + 4) });
    at += bytes;
  }
  return packets;
}

/** RFC 1071, over a header of `words` 16-bit words whose checksum is 0. */
function checksum(bytes, at, words) {
  let sum = 0;
  for (let i = 0; i < words; i++) sum += bytes.readUInt16BE(at + 2 * i);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

/** Gives a packet the addresses of host `host`: 10.h.h.x for 127.77.0.x, 2001:db8::h:x for ::x. */
function rewrite(bytes, at, host) {
  const type = bytes.readUInt16BE(at + 12);
  const ip = at + ETHERNET;
  if (type === 0x0800) {
    for (const address of [ip + 12, ip + 16]) {
      bytes[address] = 10;
      bytes.writeUInt16BE(host, address + 1);
    }
    bytes.writeUInt16BE(0, ip + 10);
    bytes.writeUInt16BE(checksum(bytes, ip, 2 * (bytes[ip] & 15)), ip + 10);
  } else if (type === 0x86dd) {
    for (const address of [ip + 8, ip + 24]) {
      bytes.writeUInt32BE(0x20010db8, address);
      bytes.writeUInt16BE(host, address + 12);
    }
  }
}

/** @param {string} from a recording  @param {string} to  @param {number} count packets */
export function writeLargeCapture(from, to, count) {
  const recording = readFileSync(from);
  const packets = packetsOf(recording);
  const first = packets[0].time;
  const round = packets.at(-1).time - first + 1e6;
  const room = Buffer.alloc(ROOM);
  const file = openSync(to, "w");
  writeSync(file, recording, 0, FILE_HEADER);
  let filled = 0;
  let written = 0;
  for (let hosts = 0; written < count; hosts += AT_ONCE) {
    for (const { at, bytes, time } of packets) {
      for (let i = 0; i < AT_ONCE && written < count; i++, written++) {
        if (filled + bytes > ROOM) filled -= writeSync(file, room, 0, filled);
        recording.copy(room, filled, at, at + bytes);
        const now = time + (hosts / AT_ONCE) * round;
        room.writeUInt32LE(Math.floor(now / 1e6), filled);
        room.writeUInt32LE(now % 1e6, filled + 4);
        rewrite(room, filled + RECORD_HEADER, hosts + i);
        filled += bytes;
      }
    }
  }
  writeSync(file, room, 0, filled);
  closeSync(file);
}
