// Captures built by hand: what the parsers are tested with. Nothing here is shared with the code under test.

/** Bytes from numbers, text of hexadecimal digits, and other byte arrays. */
export function bytes(...parts: (number | string | Uint8Array)[]): Uint8Array {
  const arrays = parts.map((part) => {
    if (typeof part === "number") return Uint8Array.of(part);
    return typeof part === "string" ? Buffer.from(part.replaceAll(/\s/g, ""), "hex") : part;
  });
  const out = new Uint8Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    out.set(array, at);
    at += array.length;
  }
  return out;
}

export function u16(value: number, little = false): Uint8Array {
  return little ? bytes(value, value >>> 8) : bytes(value >>> 8, value);
}

export function u32(value: number, little = false): Uint8Array {
  const high = u16(value >>> 16, little);
  const low = u16(value & 0xffff, little);
  return little ? bytes(low, high) : bytes(high, low);
}

export function u64(value: bigint, little = false): Uint8Array {
  const high = u32(Number((value >> 32n) & 0xffffffffn), little);
  const low = u32(Number(value & 0xffffffffn), little);
  return little ? bytes(low, high) : bytes(high, low);
}

export const TCP = 6;
export const UDP = 17;

/** The beginning of a TCP or UDP header. */
export function ports(source: number, destination: number, rest = "00000000"): Uint8Array {
  return bytes(u16(source), u16(destination), rest);
}

export function address4(text: string): Uint8Array {
  return Uint8Array.from(text.split(".").map(Number));
}

/** From eight groups of hexadecimal digits: no abbreviation. */
export function address6(text: string): Uint8Array {
  return bytes(...text.split(":").map((group) => u16(Number.parseInt(group, 16))));
}

export const A4 = "192.168.1.10";
export const B4 = "10.0.0.1";
export const A6 = "2001:db8:0:0:0:0:0:1";
export const B6 = "fe80:0:0:0:1:2:3:4";

export interface Ipv4Options {
  options?: Uint8Array;
  /** The whole 16-bit word: flags and offset. */
  fragment?: number;
  source?: string;
  destination?: string;
}

export function ipv4(protocol: number, payload: Uint8Array, given: Ipv4Options = {}): Uint8Array {
  const options = given.options ?? new Uint8Array(0);
  const words = 5 + options.length / 4;
  return bytes(
    0x40 | words,
    0,
    u16(words * 4 + payload.length),
    u16(0x1234),
    u16(given.fragment ?? 0),
    64,
    protocol,
    u16(0),
    address4(given.source ?? A4),
    address4(given.destination ?? B4),
    options,
    payload,
  );
}

export function ipv6(next: number, payload: Uint8Array, source = A6, destination = B6): Uint8Array {
  return bytes("60000000", u16(payload.length), next, 64, address6(source), address6(destination), payload);
}

export function ethernet(type: number, payload: Uint8Array): Uint8Array {
  return bytes("020000000001 020000000002", u16(type), payload);
}

export const ETH_IPV4 = 0x0800;
export const ETH_IPV6 = 0x86dd;

export function tcp4(source: number, destination: number): Uint8Array {
  return ethernet(ETH_IPV4, ipv4(TCP, ports(source, destination, "00".repeat(16))));
}

export interface PcapOptions {
  little?: boolean;
  nanoseconds?: boolean;
  link?: number;
  version?: [number, number];
}

export interface Packet {
  data: Uint8Array;
  seconds?: number;
  fraction?: number;
  /** On the wire; the captured length when not given. */
  length?: number;
}

export function pcapHeader(given: PcapOptions = {}): Uint8Array {
  const little = given.little ?? true;
  const [major, minor] = given.version ?? [2, 4];
  return bytes(
    u32(given.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, little),
    u16(major, little),
    u16(minor, little),
    u32(0, little),
    u32(0, little),
    u32(65535, little),
    u32(given.link ?? 1, little),
  );
}

export function pcapRecord(packet: Packet, little = true): Uint8Array {
  return bytes(
    u32(packet.seconds ?? 1_700_000_000, little),
    u32(packet.fraction ?? 0, little),
    u32(packet.data.length, little),
    u32(packet.length ?? packet.data.length, little),
    packet.data,
  );
}

export function pcap(packets: Packet[], given: PcapOptions = {}): Uint8Array {
  return bytes(pcapHeader(given), ...packets.map((packet) => pcapRecord(packet, given.little ?? true)));
}

const padded = (data: Uint8Array) => bytes(data, new Uint8Array((4 - (data.length % 4)) % 4));

export function block(type: number, body: Uint8Array, little = true): Uint8Array {
  const content = padded(body);
  const length = u32(content.length + 12, little);
  return bytes(u32(type, little), length, content, length);
}

export function option(code: number, value: Uint8Array, little = true): Uint8Array {
  return bytes(u16(code, little), u16(value.length, little), padded(value));
}

export function section(little = true, major = 1): Uint8Array {
  const body = bytes(
    u32(0x1a2b3c4d, little),
    u16(major, little),
    u16(0, little),
    u64(0xffffffffffffffffn, little),
  );
  return block(0x0a0d0d0a, body, little);
}

export function interfaceBlock(
  link: number,
  little = true,
  snapLength = 0,
  options: Uint8Array = new Uint8Array(0),
): Uint8Array {
  return block(1, bytes(u16(link, little), u16(0, little), u32(snapLength, little), options), little);
}

export function enhanced(
  from: number,
  time: bigint,
  data: Uint8Array,
  given: { little?: boolean; length?: number; options?: Uint8Array } = {},
): Uint8Array {
  const little = given.little ?? true;
  const body = bytes(
    u32(from, little),
    u32(Number(time >> 32n), little),
    u32(Number(time & 0xffffffffn), little),
    u32(data.length, little),
    u32(given.length ?? data.length, little),
    padded(data),
    given.options ?? new Uint8Array(0),
  );
  return block(6, body, little);
}

export function simple(length: number, data: Uint8Array, little = true): Uint8Array {
  return block(3, bytes(u32(length, little), data), little);
}

/** The predecessor of the enhanced packet block. */
export function obsolete(from: number, time: bigint, data: Uint8Array, little = true): Uint8Array {
  const body = bytes(
    u16(from, little),
    u16(0xffff, little),
    u32(Number(time >> 32n), little),
    u32(Number(time & 0xffffffffn), little),
    u32(data.length, little),
    u32(data.length, little),
    data,
  );
  return block(2, body, little);
}
