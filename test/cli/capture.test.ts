import { describe, expect, test } from "vitest";
import {
  A4,
  B4,
  block,
  bytes,
  enhanced,
  interfaceBlock,
  ipv4,
  obsolete,
  option,
  type Packet,
  pcap,
  pcapHeader,
  ports,
  section,
  simple,
  tcp4,
  UDP,
  u32,
  u64,
} from "./build.ts";
import { read } from "./read.ts";

const flow = (source: number) => `${A4}:${source} > ${B4}:80 tcp`;
const packets: Packet[] = [
  { data: tcp4(1, 80), seconds: 1_700_000_000, fraction: 1 },
  { data: tcp4(2, 80).subarray(0, 40), seconds: 1_700_000_000, fraction: 999_999, length: 1514 },
  { data: tcp4(3, 80), seconds: 4_294_967_295, fraction: 0 },
];

describe.each([true, false])("pcap, little-endian: %s", (little) => {
  test.each([true, false])("nanoseconds: %s", (nanoseconds) => {
    const { packets: out, defect, format } = read(pcap(packets, { little, nanoseconds }));
    expect(defect).toBeUndefined();
    expect(format).toBe(
      `pcap, ${little ? "little" : "big"}-endian, ${nanoseconds ? "nanoseconds" : "microseconds"}`,
    );
    const times = nanoseconds ? ["000000001", "000999999"] : ["000001000", "999999000"];
    expect(out).toEqual([
      { what: flow(1), link: 1, captured: 54, length: 54, time: `1700000000.${times[0]}` },
      { what: flow(2), link: 1, captured: 40, length: 1514, time: `1700000000.${times[1]}` },
      { what: flow(3), link: 1, captured: 54, length: 54, time: "4294967295.000000000" },
    ]);
  });
});

describe("pcap", () => {
  test("a fraction over a second carries", () => {
    const { packets: out } = read(pcap([{ data: tcp4(1, 80), seconds: 10, fraction: 3_000_007 }]));
    expect(out[0].time).toBe("13.000007000");
  });

  test("a capture without packets is whole", () => {
    expect(read(pcapHeader())).toEqual({
      packets: [],
      defect: undefined,
      format: "pcap, little-endian, microseconds",
    });
  });

  test("a captured length that cannot be is a defect at the record", () => {
    const file = bytes(pcap(packets.slice(0, 1)), u32(0), u32(0), u32(262_145, true), u32(262_145, true));
    const { packets: out, defect } = read(file);
    expect(out).toHaveLength(1);
    expect(defect?.offset).toBe(24 + 16 + 54);
    expect(defect?.message).toContain("claims 262145 captured bytes");
  });

  test("another version", () => {
    expect(read(pcapHeader({ version: [1, 4] })).defect).toEqual({
      offset: 0,
      message: "pcap version 1.4 is not supported, 2.4 is",
    });
  });
});

describe("what is not a capture", () => {
  test.each<[string, Uint8Array, string]>([
    ["nothing", bytes(), "the input is empty"],
    ["three bytes", bytes("d4c3b2"), "the input ends after 3 bytes, in the magic number of a capture"],
    ["text", bytes("68656c6c6f"), "not a pcap or pcapng capture: it starts with 68 65 6c 6c"],
    [
      "gzip",
      bytes("1f8b0800"),
      "not a pcap or pcapng capture: it is compressed, try `gzip -dc FILE | bpfmap flows -`",
    ],
    [
      "zstd",
      bytes("28b52ffd"),
      "not a pcap or pcapng capture: it is compressed, try `zstd -dc FILE | bpfmap flows -`",
    ],
    [
      "xz",
      bytes("fd377a585a00"),
      "not a pcap or pcapng capture: it is compressed, try `xz -dc FILE | bpfmap flows -`",
    ],
    [
      "bzip2",
      bytes("425a6839"),
      "not a pcap or pcapng capture: it is compressed, try `bzip2 -dc FILE | bpfmap flows -`",
    ],
    [
      "lz4",
      bytes("04224d18"),
      "not a pcap or pcapng capture: it is compressed, try `lz4 -dc FILE | bpfmap flows -`",
    ],
  ])("%s", (_, file, message) => {
    expect(read(file)).toEqual({ packets: [], defect: { offset: 0, message }, format: "unknown" });
  });
});

describe.each([true, false])("pcapng, little-endian: %s", (little) => {
  const start = bytes(section(little), interfaceBlock(1, little));
  const data = tcp4(1, 80);

  test("enhanced, obsolete and simple packet blocks", () => {
    const file = bytes(
      start,
      enhanced(0, 1_700_000_000_123_456n, data, { little, length: 1514 }),
      obsolete(0, 1_700_000_001_000_000n, data, little),
      simple(data.length, data, little),
    );
    const { packets: out, defect, format } = read(file);
    expect(defect).toBeUndefined();
    expect(format).toBe("pcapng, 1 section, 1 interface");
    expect(out).toEqual([
      { what: flow(1), link: 1, captured: 54, length: 1514, time: "1700000000.123456000" },
      { what: flow(1), link: 1, captured: 54, length: 54, time: "1700000001.000000000" },
      { what: flow(1), link: 1, captured: 54, length: 54, time: undefined },
    ]);
  });

  test("the snapshot length tells what a simple packet block holds", () => {
    const file = bytes(
      section(little),
      interfaceBlock(1, little, 41),
      simple(900, data.subarray(0, 41), little),
    );
    expect(read(file).packets).toEqual([
      { what: flow(1), link: 1, captured: 41, length: 900, time: undefined },
    ]);
  });

  test("unknown blocks are skipped, whatever their length", () => {
    const file = bytes(
      start,
      block(0x0bad, new Uint8Array(0), little),
      block(5, new Uint8Array(100_000), little),
      enhanced(0, 0n, data, { little }),
    );
    for (const chunk of [file.length, 1000, 7]) {
      expect(read(file, chunk)).toMatchObject({ defect: undefined, packets: [{ what: flow(1) }] });
    }
  });

  test("options of packets are passed over, those of interfaces end at opt_endofopt", () => {
    const options = bytes(option(0, bytes(), little), option(9, bytes(9), little));
    const file = bytes(
      section(little),
      interfaceBlock(1, little, 0, options),
      enhanced(0, 5_000_001n, data, { little, options: option(1, bytes("414243"), little) }),
    );
    expect(read(file).packets[0].time).toBe("5.000001000");
  });

  test.each<[string, number, bigint, string]>([
    ["seconds", 0, 17n, "17.000000000"],
    ["milliseconds", 3, 1_700_000_000_001n, "1700000000.001000000"],
    ["nanoseconds", 9, 1_700_000_000_987_654_321n, "1700000000.987654321"],
    ["nanoseconds, all bits", 9, 0xffff_ffff_ffff_ffffn, "18446744073.709551615"],
    ["microseconds, beyond 2^53", 6, 0x0020_0000_0000_0001n, "9007199254.740993000"],
    ["picoseconds", 12, 1_700_000_000_123_456n, "1700.000000123"],
    ["2^-10 s", 0x8a, 1537n, "1.500976562"],
    ["2^-32 s", 0xa0, 0x6553_f100_8000_0000n, "1700000000.500000000"],
    ["10^-127 s", 127, 5n, "0.000000000"],
  ])("if_tsresol: %s", (_, resolution, time, expected) => {
    const clock = interfaceBlock(1, little, 0, option(9, bytes(resolution), little));
    const { packets: out } = read(bytes(section(little), clock, enhanced(0, time, data, { little })));
    expect(out[0].time).toBe(expected);
  });

  test("if_tsoffset", () => {
    const clock = (offset: bigint) => interfaceBlock(1, little, 0, option(14, u64(offset, little), little));
    const { packets: out } = read(
      bytes(
        section(little),
        clock(1_000n),
        clock(-2n),
        enhanced(0, 5_000_000n, data, { little }),
        enhanced(1, 5_000_000n, data, { little }),
      ),
    );
    expect(out.map(({ time }) => time)).toEqual(["1005.000000000", "3.000000000"]);
  });
});

describe("pcapng", () => {
  const data = tcp4(1, 80);

  test("interfaces have link types and clocks of their own, sections have byte orders and interfaces of their own", () => {
    const raw = ipv4(UDP, ports(7, 9));
    const file = bytes(
      section(true),
      interfaceBlock(1),
      interfaceBlock(101, true, 0, option(9, bytes(9))),
      enhanced(1, 1_000_000_001n, raw),
      enhanced(0, 1_000_001n, data),
      section(false),
      interfaceBlock(101, false),
      enhanced(0, 2_000_000n, raw, { little: false }),
      section(true),
      interfaceBlock(1),
      enhanced(0, 3_000_000n, data),
    );
    const { packets: out, defect, format } = read(file);
    expect(defect).toBeUndefined();
    expect(format).toBe("pcapng, 3 sections, 4 interfaces");
    const udp = `${A4}:7 > ${B4}:9 udp`;
    expect(out.map(({ what, link, time }) => [what, link, time])).toEqual([
      [udp, 101, "1.000000001"],
      [flow(1), 1, "1.000001000"],
      [udp, 101, "2.000000000"],
      [flow(1), 1, "3.000000000"],
    ]);
  });

  const start = bytes(section(), interfaceBlock(1), enhanced(0, 1n, data));
  const broken = (blockBytes: Uint8Array, change: (view: DataView) => void) => {
    const copy = bytes(blockBytes);
    change(new DataView(copy.buffer));
    return copy;
  };
  test.each<[string, Uint8Array, string]>([
    ["a length of 8", broken(block(5, bytes()), (view) => view.setUint32(4, 8, true)), "a length of 8 bytes"],
    [
      "a length of 13",
      broken(block(5, bytes()), (view) => view.setUint32(4, 13, true)),
      "a length of 13 bytes",
    ],
    [
      "a short packet block",
      block(6, new Uint8Array(16)),
      "enhanced packet block claims a length of 28 bytes",
    ],
    [
      "a giant packet block",
      bytes(u32(6, true), u32(0x0200_0000, true), u32(0)),
      "a length of 33554432 bytes",
    ],
    [
      "lengths that differ",
      broken(enhanced(0, 1n, data), (view) => view.setUint32(view.byteLength - 4, 92, true)),
      "claims a length of 88 bytes at its start and 92 at its end",
    ],
    [
      "lengths of a skipped block that differ",
      broken(block(5, new Uint8Array(8)), (view) => view.setUint32(16, 24, true)),
      "the block of type 5 claims a length of 20 bytes at its start and 24 at its end",
    ],
    [
      "an interface that is not there",
      enhanced(1, 1n, data),
      "is of interface 1, its section has described 1",
    ],
    [
      "more captured bytes than the block has",
      broken(enhanced(0, 1n, data), (view) => view.setUint32(20, 100, true)),
      "claims 100 captured bytes in a body of 76",
    ],
    [
      "a simple packet that is too long",
      simple(data.length + 10, data),
      "claims 64 captured bytes in a body of 60",
    ],
    [
      "an option over the end",
      broken(interfaceBlock(1, true, 0, option(2, bytes("6c6f"))), (view) => view.setUint16(18, 9, true)),
      "option 2 runs over the end of its block",
    ],
    [
      "a section without byte order",
      broken(section(), (view) => view.setUint32(8, 0)),
      "no byte-order magic",
    ],
    ["another version", section(true, 2), "pcapng version 2 is not supported"],
    ["a simple packet before any interface", bytes(section(), simple(data.length, data)), "described 0"],
  ])("%s is a defect at the block", (_, part, message) => {
    const { packets: out, defect } = read(bytes(start, part, enhanced(0, 2n, data)));
    expect(out).toHaveLength(1);
    expect(defect?.message).toContain(message);
    // The last case has a good section header in front of the block.
    expect(defect?.offset).toBe(start.length + (message === "described 0" ? 28 : 0));
  });
});
