import { describe, expect, test } from "vitest";
import {
  A4,
  A6,
  B4,
  B6,
  bytes,
  ETH_IPV4,
  ETH_IPV6,
  ethernet,
  ipv4,
  ipv6,
  pcap,
  ports,
  TCP,
  tcp4,
  UDP,
  u16,
  u32,
} from "./build.ts";
import { read } from "./read.ts";

/** What the parsers take a frame of a link type for. */
function found(link: number, frame: Uint8Array): string {
  const { packets, defect } = read(pcap([{ data: frame }], { link }));
  expect(defect).toBeUndefined();
  expect(packets).toHaveLength(1);
  return packets[0].what;
}

const packet4 = ipv4(TCP, ports(1234, 80));
const packet6 = ipv6(UDP, ports(5353, 53));
const flow4 = `${A4}:1234 > ${B4}:80 tcp`;
const flow6 = `${A6}:5353 > ${B6}:53 udp`;

describe("link types", () => {
  test.each<[string, number, Uint8Array, string]>([
    ["Ethernet, IPv4", 1, ethernet(ETH_IPV4, packet4), flow4],
    ["Ethernet, IPv6", 1, ethernet(ETH_IPV6, packet6), flow6],
    ["Ethernet, ARP", 1, ethernet(0x0806, new Uint8Array(28)), "other"],
    ["Ethernet, 802.3 length", 1, ethernet(38, new Uint8Array(38)), "other"],
    ["802.1Q", 1, ethernet(0x8100, bytes(u16(7), u16(ETH_IPV4), packet4)), flow4],
    [
      "802.1ad and 802.1Q",
      1,
      ethernet(0x88a8, bytes(u16(7), u16(0x8100), u16(9), u16(ETH_IPV6), packet6)),
      flow6,
    ],
    [
      "three tags",
      1,
      ethernet(0x9100, bytes(u16(1), u16(0x9100), u16(2), u16(0x8100), u16(3), u16(ETH_IPV4), packet4)),
      flow4,
    ],
    ["802.1Q, ARP", 1, ethernet(0x8100, bytes(u16(7), u16(0x0806), new Uint8Array(28))), "other"],
    ["raw IP (101), IPv4", 101, packet4, flow4],
    ["raw IP (101), IPv6", 101, packet6, flow6],
    ["raw IP (12)", 12, packet4, flow4],
    ["raw IP (14)", 14, packet6, flow6],
    ["IPV4 (228)", 228, packet4, flow4],
    ["IPV6 (229)", 229, packet6, flow6],
    ["NULL, little-endian, IPv4", 0, bytes(u32(2, true), packet4), flow4],
    ["NULL, big-endian, IPv4", 0, bytes(u32(2), packet4), flow4],
    ["NULL, macOS IPv6", 0, bytes(u32(30, true), packet6), flow6],
    ["NULL, FreeBSD IPv6, big-endian", 0, bytes(u32(28), packet6), flow6],
    ["NULL, another family", 0, bytes(u32(16, true), packet4), "other"],
    ["LOOP, OpenBSD IPv6", 108, bytes(u32(24), packet6), flow6],
    ["LOOP, IPv4", 108, bytes(u32(2), packet4), flow4],
    ["SLL, IPv4", 113, bytes("0000 0001 0006 020000000001 0000", u16(ETH_IPV4), packet4), flow4],
    ["SLL, IPv6", 113, bytes("0004 0304 0006 000000000000 0000", u16(ETH_IPV6), packet6), flow6],
    ["SLL, ARP", 113, bytes("0000 0001 0006 020000000001 0000 0806", new Uint8Array(28)), "other"],
    [
      "SLL with a VLAN tag",
      113,
      bytes("0000 0001 0006 020000000001 0000 8100 0007", u16(ETH_IPV4), packet4),
      flow4,
    ],
    ["SLL2, IPv4", 276, bytes(u16(ETH_IPV4), "0000 00000001 0304 00 06 000000000000 0000", packet4), flow4],
    ["SLL2, IPv6", 276, bytes(u16(ETH_IPV6), "0000 00000001 0001 04 06 020000000001 0000", packet6), flow6],
    [
      "SLL2 with a VLAN tag",
      276,
      bytes("8100 0000 00000001 0001 00 06 020000000001 0000 0007", u16(ETH_IPV6), packet6),
      flow6,
    ],
    ["a link type that is not known", 105, ethernet(ETH_IPV4, packet4), "other"],
  ])("%s", (_, link, frame, expected) => {
    expect(found(link, frame)).toBe(expected);
  });

  test("the upper half of pcap's link word is not part of the link type", () => {
    const file = pcap([{ data: tcp4(1, 2) }]);
    new DataView(file.buffer).setUint32(20, 0x5400_0001, true);
    expect(read(file).packets[0].what).toBe(`${A4}:1 > ${B4}:2 tcp`);
  });
});

const raw = 101;

describe("IPv4", () => {
  test("ports stand behind options", () => {
    expect(found(raw, ipv4(TCP, ports(1234, 80), { options: bytes("01010101 01010100") }))).toBe(flow4);
    expect(found(raw, ipv4(TCP, ports(1234, 80), { options: new Uint8Array(40) }))).toBe(flow4);
  });

  test("the first fragment has ports, the others count under ports 0", () => {
    expect(found(raw, ipv4(TCP, ports(1234, 80), { fragment: 0x2000 }))).toBe(flow4);
    expect(found(raw, ipv4(TCP, ports(1234, 80), { fragment: 0x2001 }))).toBe(`${A4}:0 > ${B4}:0 tcp`);
    expect(found(raw, ipv4(UDP, new Uint8Array(0), { fragment: 0x1fff }))).toBe(`${A4}:0 > ${B4}:0 udp`);
  });

  test("the flag against fragmenting is not an offset", () => {
    expect(found(raw, ipv4(TCP, ports(1234, 80), { fragment: 0x4000 }))).toBe(flow4);
  });

  test("other protocols", () => {
    for (const protocol of [1, 2, 41, 47, 50, 132, 255])
      expect(found(raw, ipv4(protocol, ports(1, 2)))).toBe("other");
  });

  test("a header shorter than 20 bytes, another version", () => {
    for (const first of [0x44, 0x40, 0x05, 0x50, 0xf5]) {
      expect(found(1, ethernet(ETH_IPV4, bytes(first, packet4.subarray(1))))).toBe("unreadable");
    }
  });

  test("cut before the ports end", () => {
    for (let length = 0; length < 24; length++) {
      expect(found(1, ethernet(ETH_IPV4, packet4.subarray(0, length)))).toBe("unreadable");
    }
    expect(found(1, ethernet(ETH_IPV4, packet4.subarray(0, 24)))).toBe(flow4);
    for (let length = 0; length < 14; length++) {
      expect(found(1, ethernet(ETH_IPV4, packet4).subarray(0, length))).toBe("unreadable");
    }
  });
});

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;

describe("IPv6", () => {
  test.each<[string, number, Uint8Array]>([
    ["hop-by-hop options", HOP_BY_HOP, bytes(UDP, 0, "010400000000")],
    ["hop-by-hop options of 24 bytes", HOP_BY_HOP, bytes(UDP, 2, new Uint8Array(22))],
    ["routing", ROUTING, bytes(UDP, 2, "0001", new Uint8Array(20))],
    ["destination options", DESTINATION, bytes(UDP, 0, new Uint8Array(6))],
    ["authentication, in words of 4 bytes", AUTHENTICATION, bytes(UDP, 4, new Uint8Array(22))],
    ["the first fragment", FRAGMENT, bytes(UDP, 0, u16(1), u32(77))],
    ["mobility", 135, bytes(UDP, 0, new Uint8Array(6))],
    ["host identity", 139, bytes(UDP, 1, new Uint8Array(14))],
    ["shim6", 140, bytes(UDP, 0, new Uint8Array(6))],
    [
      "four in a row",
      HOP_BY_HOP,
      bytes(
        bytes(DESTINATION, 0, new Uint8Array(6)),
        bytes(ROUTING, 1, new Uint8Array(14)),
        bytes(FRAGMENT, 0, new Uint8Array(6)),
        bytes(UDP, 0, u16(0), u32(1)),
      ),
    ],
  ])("ports stand behind %s", (_, next, headers) => {
    expect(found(raw, ipv6(next, bytes(headers, ports(5353, 53))))).toBe(flow6);
  });

  test("fragments behind the first count under ports 0", () => {
    expect(found(raw, ipv6(FRAGMENT, bytes(TCP, 0, u16(8), u32(77), ports(1, 2))))).toBe(
      `${A6}:0 > ${B6}:0 tcp`,
    );
    expect(found(raw, ipv6(FRAGMENT, bytes(UDP, 0, u16(0xfff8), u32(77))))).toBe(`${A6}:0 > ${B6}:0 udp`);
    expect(found(raw, ipv6(FRAGMENT, bytes(DESTINATION, 0, u16(8), u32(77), ports(1, 2))))).toBe("other");
  });

  test("other protocols", () => {
    for (const next of [1, 4, 41, 50, 58, 59, 132]) expect(found(raw, ipv6(next, ports(1, 2)))).toBe("other");
  });

  test("cut before the ports end", () => {
    const packet = ipv6(HOP_BY_HOP, bytes(UDP, 0, "010400000000", ports(5353, 53, "")));
    for (let length = 0; length < packet.length; length++) {
      expect(found(1, ethernet(ETH_IPV6, packet.subarray(0, length)))).toBe("unreadable");
    }
    expect(found(1, ethernet(ETH_IPV6, packet))).toBe(flow6);
  });

  test("an extension header that points behind the packet", () => {
    expect(found(raw, ipv6(HOP_BY_HOP, bytes(UDP, 255, "010400000000", ports(1, 2))))).toBe("unreadable");
  });
});
