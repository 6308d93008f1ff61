import { type Defect, emptyFrame, type FormatParser, type Frame, Step } from "./frame.ts";
import { isPcap, PcapParser } from "./pcap.ts";
import { isPcapng, PcapngParser } from "./pcapng.ts";
import { Window } from "./window.ts";

/**
 * Reads a packet capture that arrives in chunks of any size, and calls back for every packet with the same frame object.
 *
 * Reading stops for good at the first part that cannot be read: a capture has no marks at which one could start again. All
 * packets before it have been handed out by then, and `defect` says what is wrong at which byte.
 *
 * @example
 * const reader = new CaptureReader((frame) => { bytes += frame.length; });
 * for await (const chunk of createReadStream("loopback.pcap")) if (!reader.push(chunk)) break;
 * const defect = reader.finish(); // undefined when all of it was read
 */
export class CaptureReader {
  defect: Defect | undefined;
  /** Packets handed out. */
  packets = 0;
  private readonly window = new Window();
  private readonly frame: Frame = emptyFrame();
  private readonly onFrame: (frame: Frame) => void;
  private parser: FormatParser | undefined;

  constructor(onFrame: (frame: Frame) => void) {
    this.onFrame = onFrame;
  }

  /** Bytes that have arrived. */
  get received(): number {
    return this.window.received;
  }

  get format(): string {
    return this.parser?.description ?? "unknown";
  }

  get links(): ReadonlySet<number> {
    return this.parser?.links ?? new Set();
  }

  /** Takes the next bytes of the input. False once reading has stopped because of a defect. */
  push(chunk: Uint8Array): boolean {
    if (this.defect !== undefined) return false;
    this.window.append(chunk);
    return this.parse();
  }

  /**
   * As `push`, of up to `most` bytes that `read` puts where they are parsed. False at the end of the input, too.
   *
   * @param read puts bytes into `bytes` from `at` on; returns how many, 0 at the end
   */
  pull(most: number, read: (bytes: Uint8Array, at: number, most: number) => number): boolean {
    if (this.defect !== undefined) return false;
    return this.window.fill(most, read) > 0 && this.parse();
  }

  /** To be called at the end of the input. Returns what was wrong with it, undefined when all of it was read. */
  finish(): Defect | undefined {
    if (this.defect !== undefined) return this.defect;
    const end = this.window.received;
    if (end === 0) this.defect = { offset: 0, message: "the input is empty" };
    else if (this.parser === undefined) {
      this.defect = {
        offset: 0,
        message: `the input ends after ${end} bytes, in the magic number of a capture`,
      };
    } else if (this.parser.blockOffset < end) {
      // A parser that has nothing left to read waits for the block that would start at the end.
      const { blockOffset: offset, blockName, blockNeeds } = this.parser;
      const message = `cut off: the ${blockName} needs ${blockNeeds} bytes, ${end - offset} of them are there`;
      this.defect = { offset, message };
    }
    return this.defect;
  }

  private parse(): boolean {
    if (this.parser === undefined && !this.detect()) return this.defect === undefined;
    return this.read(this.parser!);
  }

  private detect(): boolean {
    if (this.window.available < 4) return false;
    const magic = this.window.view.getUint32(this.window.at, true);
    if (isPcap(magic)) this.parser = new PcapParser();
    else if (isPcapng(magic)) this.parser = new PcapngParser();
    else {
      this.defect = { offset: 0, message: `not a pcap or pcapng capture${hint(magic)}` };
      return false;
    }
    return true;
  }

  private read(parser: FormatParser): boolean {
    const { window, frame, onFrame } = this;
    for (;;) {
      const step = parser.next(window, frame);
      if (step === Step.FRAME) {
        this.packets++;
        onFrame(frame);
      } else if (step === Step.MORE) return true;
      else if (step === Step.DEFECT) {
        this.defect = parser.defect;
        return false;
      }
    }
  }
}

/** How the usual containers of captures start, and what gets captures out of them. */
const CONTAINERS: readonly (readonly [string, string])[] = [
  ["1f 8b", "gzip"],
  ["28 b5 2f fd", "zstd"],
  ["fd 37 7a 58", "xz"],
  ["42 5a 68", "bzip2"],
  ["04 22 4d 18", "lz4"],
];

/** What to do about a file that is no capture. */
function hint(magic: number): string {
  const bytes = [magic & 0xff, (magic >>> 8) & 0xff, (magic >>> 16) & 0xff, magic >>> 24];
  const start = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const container = CONTAINERS.find(([first]) => start.startsWith(first));
  if (container === undefined) return `: it starts with ${start}`;
  return `: it is compressed, try \`${container[1]} -dc FILE | bpfmap flows -\``;
}
