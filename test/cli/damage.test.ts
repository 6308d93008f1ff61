import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Interfaces, MOST_INTERFACES } from "../../src/cli/capture/interfaces.ts";
import { CaptureReader } from "../../src/cli/capture/reader.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import {
  A6,
  block,
  bytes,
  enhanced,
  ethernet,
  interfaceBlock,
  ipv6,
  obsolete,
  option,
  pcap,
  ports,
  section,
  simple,
  tcp4,
  UDP,
  u16,
} from "./build.ts";
import { read } from "./read.ts";

const data = tcp4(40_000, 80);
const data6 = ethernet(0x86dd, ipv6(0, bytes(UDP, 0, "010400000000", ports(53, 40_000)), A6, A6));

interface Part {
  bytes: Uint8Array;
  isPacket: boolean;
}
const packet = (part: Uint8Array): Part => ({ bytes: part, isPacket: true });
const other = (part: Uint8Array): Part => ({ bytes: part, isPacket: false });

function pcapParts(little: boolean): Part[] {
  const file = pcap([{ data }, { data: data6 }, { data: bytes() }, { data, length: 1500 }], { little });
  const parts = [other(file.subarray(0, 24))];
  let at = 24;
  for (const length of [data.length, data6.length, 0, data.length]) {
    parts.push(packet(file.subarray(at, at + 16 + length)));
    at += 16 + length;
  }
  return parts;
}

function pcapngParts(little: boolean): Part[] {
  return [
    other(section(little)),
    other(
      interfaceBlock(1, little, 64, bytes(option(2, bytes("6c6f"), little), option(9, bytes(9), little))),
    ),
    packet(enhanced(0, 1_700_000_000_000_000_000n, data, { little })),
    other(block(5, new Uint8Array(22), little)),
    packet(
      enhanced(0, 1_700_000_000_000_000_001n, data6, { little, options: option(1, bytes("6869"), little) }),
    ),
    packet(obsolete(0, 1_700_000_000_000_000_002n, data, little)),
    other(section(!little)),
    other(block(0x4bad, new Uint8Array(0), !little)),
    other(interfaceBlock(1, !little)),
    packet(simple(data.length, data, !little)),
  ];
}

const captures: [string, Part[]][] = [
  ["pcap, little-endian", pcapParts(true)],
  ["pcap, big-endian", pcapParts(false)],
  ["pcapng, little-endian first", pcapngParts(true)],
  ["pcapng, big-endian first", pcapngParts(false)],
];

describe.each(captures)("%s", (_, parts) => {
  const file = bytes(...parts.map((part) => part.bytes));
  const whole = read(file);

  test("all packets are read", () => {
    expect(whole.defect).toBeUndefined();
    expect(whole.packets).toHaveLength(parts.filter(({ isPacket }) => isPacket).length);
  });

  test("cut at every byte: the packets before are read, the defect is at the part that is cut", () => {
    for (let length = 0; length < file.length; length++) {
      let start = 0;
      let packets = 0;
      for (const part of parts) {
        if (start + part.bytes.length > length) break;
        start += part.bytes.length;
        if (part.isPacket) packets++;
      }
      for (const chunk of [file.length, 5]) {
        const { packets: out, defect } = read(file.subarray(0, length), chunk);
        expect(out, `cut at ${length}`).toEqual(whole.packets.slice(0, packets));
        // Between two parts nothing tells that something is missing, except before the first one.
        if (start === length && length > 0) expect(defect, `cut at ${length}`).toBeUndefined();
        else expect(defect?.offset, `cut at ${length}: ${defect?.message}`).toBe(start);
        if (start < length && length >= 4) {
          expect(defect?.message).toMatch(
            new RegExp(`^cut off: the .* needs \\d+ bytes, ${length - start} of them are there$`),
          );
        }
      }
    }
  });

  test("chunks of any size give the same", () => {
    for (let chunk = 1; chunk < 100; chunk++) expect(read(file, chunk)).toEqual(whole);
  });
});

const seed = testSeed("test/cli/damage.test.ts");

/** Finite outcomes of reading anything at all: packets inside the input, and a defect inside the input or none. */
function check(file: Uint8Array, chunk: number): void {
  const { packets, defect } = read(file, chunk);
  for (const { captured, length, time, what } of packets) {
    expect(captured).toBeGreaterThanOrEqual(0);
    expect(captured).toBeLessThanOrEqual(file.length);
    expect(length).toBeGreaterThanOrEqual(0);
    expect(what).not.toMatch(/NaN|undefined/);
    if (time !== undefined) expect(time).toMatch(/^-?[\de+.]+\.\d{9}$/);
  }
  if (defect !== undefined) {
    expect(defect.offset).toBeGreaterThanOrEqual(0);
    expect(defect.offset).toBeLessThanOrEqual(file.length);
    expect(defect.message).not.toMatch(/NaN|undefined|Error/);
  }
  expect(read(file, file.length)).toEqual({ packets, defect, format: expect.any(String) });
}

describe("whatever the bytes, reading ends without an exception and does not depend on the chunks", () => {
  const mutation = fc.record({
    at: fc.nat(),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
  });

  test.each(captures)("%s with bytes changed, inserted and removed", (_, parts) => {
    const file = bytes(...parts.map((part) => part.bytes));
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 8 }),
        fc.option(fc.tuple(fc.nat(file.length), fc.nat(16), fc.uint8Array({ maxLength: 16 })), {
          nil: undefined,
        }),
        fc.integer({ min: 1, max: 200 }),
        (mutations, splice, chunk) => {
          const damaged = [...file];
          for (const { at, value } of mutations) damaged[at % file.length] = value;
          if (splice !== undefined) damaged.splice(splice[0], splice[1], ...splice[2]);
          check(Uint8Array.from(damaged), chunk);
        },
      ),
      { seed, numRuns: bySize(200, 1000) },
    );
  });

  test("random bytes behind a good beginning", () => {
    const beginning = fc.constantFrom(
      pcap([]),
      pcap([], { little: false }),
      section(),
      bytes(section(), interfaceBlock(1)),
      bytes(section(false), interfaceBlock(1, false)),
      bytes(),
    );
    fc.assert(
      fc.property(
        beginning,
        fc.uint8Array({ maxLength: 400 }),
        fc.integer({ min: 1, max: 64 }),
        (start, rest, chunk) => check(bytes(start, rest), chunk),
      ),
      { seed, numRuns: bySize(400, 2000) },
    );
  });

  test("random frames of every link type", () => {
    const link = fc.constantFrom(0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 105);
    const head = fc.constantFrom(
      bytes(),
      data,
      data6,
      data.subarray(14),
      data6.subarray(14),
      bytes(u16(0x8100), u16(0x8100)),
    );
    fc.assert(
      fc.property(link, head, fc.uint8Array({ maxLength: 120 }), fc.nat(120), (type, start, rest, keep) =>
        check(pcap([{ data: bytes(start.subarray(0, keep), rest) }], { link: type }), 1000),
      ),
      { seed, numRuns: bySize(400, 2000) },
    );
  });
});

describe("a section of nothing but interfaces", () => {
  /** A section with `count` interfaces and a packet of the last one. */
  const capture = (count: number, last = count - 1): Uint8Array => {
    const one = interfaceBlock(1);
    const all = new Uint8Array(count * one.length);
    for (let i = 0; i < count; i++) all.set(one, i * one.length);
    return bytes(section(), all, enhanced(last, 1n, data));
  };

  test("takes about as much memory as its blocks have bytes", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const file = capture(MOST_INTERFACES);
    const used = () => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const before = used();
    const reader = new CaptureReader(() => {});
    for (let at = 0; at < file.length; at += 65_536) reader.push(file.subarray(at, at + 65_536));
    // 15 bytes for each block of 20. As objects they took nine times as much as the file; the rest is room for what else lies in the heap.
    expect(used() - before).toBeLessThan(3 * file.length);
    expect(reader.packets).toBe(1);
    expect(reader.finish()).toBeUndefined();
  });

  test("ends the reading when there are too many", () => {
    const { defect, packets } = read(capture(MOST_INTERFACES + 1));
    expect(packets).toHaveLength(0);
    expect(defect).toEqual({
      offset: section().length + MOST_INTERFACES * interfaceBlock(1).length,
      message: `its section describes more than ${MOST_INTERFACES} interfaces`,
    });
  });

  test("keeps what each has said", () => {
    const interfaces = new Interfaces();
    const said = Array.from({ length: 100 }, (_, i) => [i, 1000 + i, i % 10, -i] as const);
    for (const [link, snapLength, resolution, offset] of said) {
      expect(interfaces.add(link, snapLength, resolution, offset)).toBe(true);
    }
    const kept = said.map((_, i) => {
      const { offset, decimalUnits } = interfaces.clock(i);
      return [interfaces.link(i), interfaces.snapLength(i), Math.log10(decimalUnits), offset];
    });
    expect(kept).toEqual(said.map((one) => [...one]));
  });
});
