import type { Frame } from "./frame.ts";
import { NOT_IP, networkStart } from "./link.ts";

/** What `readTuple` found. */
export const Found = {
  /** A TCP or UDP packet: the tuple is filled. */
  FLOW: 0,
  /** Something else: ARP, ICMP, another link type. */
  OTHER: 1,
  /** An IP packet, or the link header before one, that is damaged or was cut before its addresses and ports end. */
  UNREADABLE: 2,
} as const;
export type Found = (typeof Found)[keyof typeof Found];

/** Where the parts of a 5-tuple go: byte offsets in `view`. Addresses take 16 bytes, IPv4 the first 4 of them. */
export interface TupleLayout {
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly proto: number;
  readonly family: number;
}

// https://www.iana.org/assignments/protocol-numbers
const HOP_BY_HOP = 0;
const TCP = 6;
const UDP = 17;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;
const MOBILITY = 135;
const HOST_IDENTITY = 139;
const SHIM6 = 140;

/**
 * Writes the 5-tuple of a TCP or UDP packet to `view`, numbers in little-endian order, and allocates nothing.
 * Fragments behind the first carry no ports: both are 0 then.
 */
export function readTuple(frame: Frame, tuple: DataView, layout: TupleLayout): Found {
  const at = networkStart(frame);
  if (at < 0) return at === NOT_IP ? Found.OTHER : Found.UNREADABLE;
  if (at >= frame.end) return Found.UNREADABLE;
  // The version decides, not the ethertype or address family: raw links have neither.
  const version = frame.view.getUint8(at) >>> 4;
  if (version === 4) return ipv4(frame, at, tuple, layout);
  return version === 6 ? ipv6(frame, at, tuple, layout) : Found.UNREADABLE;
}

/** RFC 791, section 3.1. */
function ipv4(frame: Frame, at: number, tuple: DataView, layout: TupleLayout): Found {
  const { view, end } = frame;
  const length = (view.getUint8(at) & 15) * 4;
  if (length < 20 || at + 20 > end) return Found.UNREADABLE;
  const proto = view.getUint8(at + 9);
  if (proto !== TCP && proto !== UDP) return Found.OTHER;
  copyAddress4(view, at + 12, tuple, layout.src);
  copyAddress4(view, at + 16, tuple, layout.dst);
  tuple.setUint8(layout.family, 4);
  const behindFirst = (view.getUint16(at + 6, false) & 0x1fff) !== 0;
  return ports(frame, behindFirst ? -1 : at + length, proto, tuple, layout);
}

/** RFC 8200: a fixed header, then a chain of extension headers, each naming the next. */
function ipv6(frame: Frame, at: number, tuple: DataView, layout: TupleLayout): Found {
  const { view, end } = frame;
  if (at + 40 > end) return Found.UNREADABLE;
  let next = view.getUint8(at + 6);
  let header = at + 40;
  let behindFirst = false;
  while (next !== TCP && next !== UDP) {
    const isFragment = next === FRAGMENT;
    // What follows in a fragment behind the first is the middle of something: no header can be read there.
    if (!isExtension(next) || behindFirst) return Found.OTHER;
    if (header + 8 > end) return Found.UNREADABLE;
    const isAuthentication = next === AUTHENTICATION;
    next = view.getUint8(header);
    if (isFragment) {
      behindFirst = (view.getUint16(header + 2, false) & 0xfff8) !== 0;
      header += 8;
    } else {
      // In units of 8 bytes behind the first 8; the authentication header in units of 4 (RFC 4302, section 2.2).
      const units = view.getUint8(header + 1);
      header += isAuthentication ? (units + 2) * 4 : (units + 1) * 8;
    }
  }
  copyAddress6(view, at + 8, tuple, layout.src);
  copyAddress6(view, at + 24, tuple, layout.dst);
  tuple.setUint8(layout.family, 6);
  return ports(frame, behindFirst ? -1 : header, next, tuple, layout);
}

function isExtension(header: number): boolean {
  switch (header) {
    case HOP_BY_HOP:
    case ROUTING:
    case FRAGMENT:
    case AUTHENTICATION:
    case DESTINATION:
    case MOBILITY:
    case HOST_IDENTITY:
    case SHIM6:
      return true;
    default:
      return false;
  }
}

/** TCP and UDP both start with the two ports. `at` is negative where there are none. */
function ports(frame: Frame, at: number, proto: number, tuple: DataView, layout: TupleLayout): Found {
  tuple.setUint8(layout.proto, proto);
  if (at < 0) {
    tuple.setUint16(layout.srcPort, 0, true);
    tuple.setUint16(layout.dstPort, 0, true);
    return Found.FLOW;
  }
  if (at + 4 > frame.end) return Found.UNREADABLE;
  tuple.setUint16(layout.srcPort, frame.view.getUint16(at, false), true);
  tuple.setUint16(layout.dstPort, frame.view.getUint16(at + 2, false), true);
  return Found.FLOW;
}

// Addresses keep the order of their bytes: reading and writing with the same order copies.

function copyAddress4(from: DataView, at: number, to: DataView, offset: number): void {
  to.setUint32(offset, from.getUint32(at, true), true);
  to.setUint32(offset + 4, 0, true);
  to.setUint32(offset + 8, 0, true);
  to.setUint32(offset + 12, 0, true);
}

function copyAddress6(from: DataView, at: number, to: DataView, offset: number): void {
  to.setUint32(offset, from.getUint32(at, true), true);
  to.setUint32(offset + 4, from.getUint32(at + 4, true), true);
  to.setUint32(offset + 8, from.getUint32(at + 8, true), true);
  to.setUint32(offset + 12, from.getUint32(at + 12, true), true);
}
