import { type Defect, type FormatParser, type Frame, MAX_CAPTURED, Step } from "./frame.ts";
import { Interfaces, MOST_INTERFACES } from "./interfaces.ts";
import { setTime } from "./timestamp.ts";
import type { Window } from "./window.ts";

// Block types and layouts: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** A block's type, its length, and the length again behind its body. */
const FRAMING = 12;
/** Longest block that is buffered, as in Wireshark (MAX_BLOCK_SIZE). Blocks that are skipped may have any length. */
const MAX_BLOCK = 16 << 20;

const END_OF_OPTIONS = 0;
const IF_TSRESOL = 9;
const IF_TSOFFSET = 14;

interface BlockKind {
  name: string;
  /** Length of the fixed part of the body. */
  fixed: number;
}
const BLOCKS = new Map<number, BlockKind>([
  [SECTION_HEADER, { name: "section header block", fixed: 16 }],
  [INTERFACE_DESCRIPTION, { name: "interface description block", fixed: 8 }],
  [PACKET, { name: "packet block", fixed: 20 }],
  [SIMPLE_PACKET, { name: "simple packet block", fixed: 4 }],
  [ENHANCED_PACKET, { name: "enhanced packet block", fixed: 20 }],
]);

/** Whether a file that starts with `magic` (the same in both byte orders) is a pcapng file. */
export function isPcapng(magic: number): boolean {
  return magic === SECTION_HEADER;
}

/** The format of Wireshark: blocks in sections; each section has a byte order and interfaces of its own. */
export class PcapngParser implements FormatParser {
  readonly links = new Set<number>();
  blockOffset = 0;
  blockName = "section header block";
  blockNeeds = FRAMING;
  defect: Defect | undefined;
  private little = true;
  private sections = 0;
  private interfaces = new Interfaces();
  private interfaceCount = 0;
  /** Length of a block of another kind whose body is being skipped, 0 when there is none. */
  private skipped = 0;

  get description(): string {
    const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;
    return `pcapng, ${plural(this.sections, "section")}, ${plural(this.interfaceCount, "interface")}`;
  }

  next(window: Window, frame: Frame): Step {
    if (this.skipped !== 0) return this.endSkipped(window);
    this.blockOffset = window.offset;
    this.blockName = "block";
    this.blockNeeds = FRAMING;
    if (window.available < FRAMING) return Step.MORE;
    const { view, at } = window;
    const type = view.getUint32(at, this.little);
    if (type === SECTION_HEADER && !this.readByteOrder(view, at + 8)) {
      return this.fail("the section header block has no byte-order magic");
    }
    const length = view.getUint32(at + 4, this.little);
    const kind = BLOCKS.get(type);
    this.blockName = kind === undefined ? `block of type ${type}` : kind.name;
    const least = FRAMING + (kind === undefined ? 0 : kind.fixed);
    if (length < least || length % 4 !== 0) {
      return this.fail(`the ${this.blockName} claims a length of ${length} bytes`);
    }
    this.blockNeeds = length;
    if (kind === undefined) {
      this.skipped = length;
      window.discard(length - 4);
      return Step.OTHER;
    }
    if (length > MAX_BLOCK) return this.fail(`the ${this.blockName} claims a length of ${length} bytes`);
    if (window.available < length) return Step.MORE;
    const again = view.getUint32(at + length - 4, this.little);
    if (again !== length) return this.failLengths(length, again);
    const body = at + 8;
    const end = at + length - 4;
    window.at += length;
    switch (type) {
      case SECTION_HEADER:
        return this.section(view, body);
      case INTERFACE_DESCRIPTION:
        return this.interfaceDescription(view, body, end);
      case SIMPLE_PACKET:
        return this.simplePacket(window, body, end, frame);
      default:
        return this.packet(window, type, body, end, frame);
    }
  }

  /** The length behind the body of a skipped block. */
  private endSkipped(window: Window): Step {
    if (window.discarding || window.available < 4) return Step.MORE;
    const again = window.view.getUint32(window.at, this.little);
    if (again !== this.skipped) return this.failLengths(this.skipped, again);
    window.at += 4;
    this.skipped = 0;
    return Step.OTHER;
  }

  private readByteOrder(view: DataView, at: number): boolean {
    this.little = view.getUint32(at, true) === BYTE_ORDER_MAGIC;
    return this.little || view.getUint32(at, false) === BYTE_ORDER_MAGIC;
  }

  private section(view: DataView, body: number): Step {
    const major = view.getUint16(body + 4, this.little);
    if (major !== 1) return this.fail(`pcapng version ${major} is not supported, 1 is`);
    this.sections++;
    this.interfaces = new Interfaces();
    return Step.OTHER;
  }

  private interfaceDescription(view: DataView, body: number, end: number): Step {
    let resolution = 6;
    let offset = 0;
    for (let at = body + 8; at + 4 <= end; ) {
      const code = view.getUint16(at, this.little);
      const length = view.getUint16(at + 2, this.little);
      const value = at + 4;
      if (code === END_OF_OPTIONS) break;
      if (value + length > end) return this.fail(`option ${code} runs over the end of its block`);
      if (code === IF_TSRESOL && length >= 1) resolution = view.getUint8(value);
      if (code === IF_TSOFFSET && length >= 8) offset = Number(view.getBigInt64(value, this.little));
      at = value + ((length + 3) & ~3);
    }
    const link = view.getUint16(body, this.little);
    if (!this.interfaces.add(link, view.getUint32(body + 4, this.little), resolution, offset)) {
      return this.fail(`its section describes more than ${MOST_INTERFACES} interfaces`);
    }
    this.links.add(link);
    this.interfaceCount++;
    return Step.OTHER;
  }

  /** Enhanced packet block, or its predecessor, which has 16 bits of interface number and 16 of drop count. */
  private packet(window: Window, type: number, body: number, end: number, frame: Frame): Step {
    const { view } = window;
    const little = this.little;
    const number = type === PACKET ? view.getUint16(body, little) : view.getUint32(body, little);
    if (number >= this.interfaces.count) return this.failInterface(number);
    const captured = view.getUint32(body + 12, little);
    const start = body + 20;
    if (captured > MAX_CAPTURED || start + captured > end) {
      return this.fail(`the ${this.blockName} claims ${captured} captured bytes in a body of ${end - body}`);
    }
    frame.length = view.getUint32(body + 16, little);
    setTime(
      frame,
      this.interfaces.clock(number),
      view.getUint32(body + 4, little),
      view.getUint32(body + 8, little),
    );
    return this.fill(window, frame, number, start, start + captured);
  }

  /** No time, no interface (it is the first one), no captured length: that follows from the snapshot length. */
  private simplePacket(window: Window, body: number, end: number, frame: Frame): Step {
    if (this.interfaces.count === 0) return this.failInterface(0);
    const length = window.view.getUint32(body, this.little);
    const snapLength = this.interfaces.snapLength(0);
    const captured = snapLength === 0 ? length : Math.min(length, snapLength);
    const start = body + 4;
    if (captured > MAX_CAPTURED || start + captured > end) {
      return this.fail(`the ${this.blockName} claims ${captured} captured bytes in a body of ${end - body}`);
    }
    frame.length = length;
    frame.timed = false;
    return this.fill(window, frame, 0, start, start + captured);
  }

  private fill(window: Window, frame: Frame, number: number, start: number, end: number): Step {
    frame.bytes = window.bytes;
    frame.view = window.view;
    frame.start = start;
    frame.end = end;
    frame.link = this.interfaces.link(number);
    return Step.FRAME;
  }

  private failInterface(number: number): Step {
    return this.fail(
      `the ${this.blockName} is of interface ${number}, its section has described ${this.interfaces.count}`,
    );
  }

  private failLengths(first: number, second: number): Step {
    return this.fail(
      `the ${this.blockName} claims a length of ${first} bytes at its start and ${second} at its end`,
    );
  }

  private fail(message: string): Step {
    this.defect = { offset: this.blockOffset, message };
    return Step.DEFECT;
  }
}
