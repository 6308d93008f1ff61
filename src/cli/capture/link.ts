import type { Frame } from "./frame.ts";

// Numbers of https://www.tcpdump.org/linktypes.html, with what stands before the network packet.
const NULL = 0;
const ETHERNET = 1;
const RAW_12 = 12;
const RAW_14 = 14;
const RAW = 101;
const LOOP = 108;
const LINUX_SLL = 113;
const IPV4 = 228;
const IPV6 = 229;
const LINUX_SLL2 = 276;

const NAMES = new Map([
  [NULL, "BSD loopback"],
  [ETHERNET, "Ethernet"],
  [RAW_12, "raw IP"],
  [RAW_14, "raw IP"],
  [RAW, "raw IP"],
  [LOOP, "OpenBSD loopback"],
  [LINUX_SLL, "Linux cooked v1"],
  [IPV4, "raw IPv4"],
  [IPV6, "raw IPv6"],
  [LINUX_SLL2, "Linux cooked v2"],
]);

/** Name of a link type that `networkStart` understands, undefined for the others. */
export function linkName(link: number): string | undefined {
  return NAMES.get(link);
}

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const AF_INET = 2;
/** AF_INET6 is 10 on Linux, 23 on Windows, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS. */
const AF_INET6: readonly number[] = [10, 23, 24, 28, 30];

/** Results of `networkStart` that are not an offset. */
export const NOT_IP = -1;
export const LINK_CUT = -2;

/**
 * Where in `frame.bytes` the IP packet starts, NOT_IP when the frame carries something else (or the link type is unknown),
 * LINK_CUT when the captured bytes end before that is known.
 */
export function networkStart(frame: Frame): number {
  const { start } = frame;
  switch (frame.link) {
    case ETHERNET:
      return behindType(frame, start + 12, start + 14);
    case LINUX_SLL:
      return behindType(frame, start + 14, start + 16);
    case LINUX_SLL2:
      return behindType(frame, start, start + 20);
    case RAW:
    case RAW_12:
    case RAW_14:
    case IPV4:
    case IPV6:
      return start < frame.end ? start : LINK_CUT;
    case NULL:
    case LOOP:
      return behindFamily(frame);
    default:
      return NOT_IP;
  }
}

/** 802.1Q, 802.1ad, and the number that stacked tags had before 802.1ad. */
function isTag(type: number): boolean {
  return type === 0x8100 || type === 0x88a8 || type === 0x9100;
}

/** `typeAt`: where the ethertype stands, `at`: where what it announces starts. A VLAN tag is 16 bits, then the next ethertype. */
function behindType(frame: Frame, typeAt: number, at: number): number {
  const { view, end } = frame;
  if (at > end) return LINK_CUT;
  let type = view.getUint16(typeAt, false);
  while (isTag(type)) {
    if (at + 4 > end) return LINK_CUT;
    type = view.getUint16(at + 2, false);
    at += 4;
  }
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6 ? at : NOT_IP;
}

/** A 32-bit address family: of the capturing machine's byte order (NULL), or big-endian (LOOP). All known ones fit a byte. */
function behindFamily(frame: Frame): number {
  const { view, start, end } = frame;
  if (start + 4 > end) return LINK_CUT;
  const word = view.getUint32(start, true);
  const family = word > 0xffff ? view.getUint32(start, false) : word;
  return family === AF_INET || AF_INET6.includes(family) ? start + 4 : NOT_IP;
}
