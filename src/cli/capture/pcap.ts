import { type Defect, type FormatParser, type Frame, MAX_CAPTURED, Step } from "./frame.ts";
import type { Window } from "./window.ts";

// https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap: magic, version 2.4, two unused words, snapshot length, link type.
const FILE_HEADER = 24;
const RECORD_HEADER = 16;
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;

/** Whether a file that starts with `magic` (read as little-endian) is a pcap file. */
export function isPcap(magic: number): boolean {
  return byteOrder(magic) !== undefined;
}

function byteOrder(magic: number): { little: boolean; nanoseconds: boolean } | undefined {
  switch (magic) {
    case MICROSECONDS:
      return { little: true, nanoseconds: false };
    case NANOSECONDS:
      return { little: true, nanoseconds: true };
    case 0xd4c3b2a1:
      return { little: false, nanoseconds: false };
    case 0x4d3cb2a1:
      return { little: false, nanoseconds: true };
    default:
      return undefined;
  }
}

/** The format of tcpdump: a file header, then packets that each have a header of 16 bytes. */
export class PcapParser implements FormatParser {
  description = "pcap";
  readonly links = new Set<number>();
  blockOffset = 0;
  blockName = "file header";
  blockNeeds = FILE_HEADER;
  defect: Defect | undefined;
  private started = false;
  private little = true;
  private link = 0;
  /** Nanoseconds in a unit of a record's second time field, and units in a second. */
  private unit = 1000;
  private perSecond = 1_000_000;

  next(window: Window, frame: Frame): Step {
    if (!this.started) return this.fileHeader(window);
    this.blockOffset = window.offset;
    this.blockNeeds = RECORD_HEADER;
    if (window.available < RECORD_HEADER) return Step.MORE;
    const { view, at } = window;
    const little = this.little;
    const captured = view.getUint32(at + 8, little);
    if (captured > MAX_CAPTURED) {
      return this.fail(
        `the packet record claims ${captured} captured bytes, more than the ${MAX_CAPTURED} that can be`,
      );
    }
    this.blockNeeds = RECORD_HEADER + captured;
    if (window.available < this.blockNeeds) return Step.MORE;
    const fraction = view.getUint32(at + 4, little);
    // Some writers let the fraction run over a second; libpcap takes it as it is, and so do we.
    const carry = fraction < this.perSecond ? 0 : Math.floor(fraction / this.perSecond);
    frame.bytes = window.bytes;
    frame.view = view;
    frame.start = at + RECORD_HEADER;
    frame.end = frame.start + captured;
    frame.length = view.getUint32(at + 12, little);
    frame.link = this.link;
    frame.seconds = view.getUint32(at, little) + carry;
    frame.nanoseconds = (fraction - carry * this.perSecond) * this.unit;
    frame.timed = true;
    window.at = frame.end;
    return Step.FRAME;
  }

  private fileHeader(window: Window): Step {
    if (window.available < FILE_HEADER) return Step.MORE;
    const { view, at } = window;
    const order = byteOrder(view.getUint32(at, true));
    if (order === undefined) return this.fail("not a pcap file");
    this.little = order.little;
    const major = view.getUint16(at + 4, order.little);
    const minor = view.getUint16(at + 6, order.little);
    // Older versions order the two lengths of a record differently; nobody has written them since 1998.
    if (major !== 2 || minor < 3) return this.fail(`pcap version ${major}.${minor} is not supported, 2.4 is`);
    if (order.nanoseconds) {
      this.unit = 1;
      this.perSecond = 1_000_000_000;
    }
    // The upper half of the word holds flags and the length of the frame check sequence.
    this.link = view.getUint32(at + 20, order.little) & 0xffff;
    this.links.add(this.link);
    this.description = `pcap, ${order.little ? "little" : "big"}-endian, ${order.nanoseconds ? "nanoseconds" : "microseconds"}`;
    window.at += FILE_HEADER;
    this.started = true;
    this.blockName = "packet record";
    return Step.OTHER;
  }

  private fail(message: string): Step {
    this.defect = { offset: this.blockOffset, message };
    return Step.DEFECT;
  }
}
