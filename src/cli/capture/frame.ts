import type { Window } from "./window.ts";

/** What a capture parser found out about one packet. One object is filled again and again: nothing is allocated per packet. */
export interface Frame {
  /** The captured bytes are `bytes[start]` to `bytes[end - 1]`, until the callback returns. `view` covers the same memory. */
  bytes: Uint8Array;
  view: DataView;
  start: number;
  end: number;
  /** Bytes that the packet had on the wire. More than `end - start` when the capture kept only the beginning. */
  length: number;
  /** LINKTYPE_ number: what the captured bytes start with. */
  link: number;
  /** Since 1970. The parts are apart because nanoseconds since 1970 are beyond 2^53. */
  seconds: number;
  nanoseconds: number;
  /** pcapng's simple packet block carries no time; `seconds` and `nanoseconds` mean nothing then. */
  timed: boolean;
}

/** Why reading stopped before the end of the input, and the byte of the input at which the damaged part starts. */
export interface Defect {
  offset: number;
  message: string;
}

/** What a parser did with the bytes at hand. */
export const Step = {
  /** It needs more bytes than there are. */
  MORE: 0,
  /** It filled the frame. */
  FRAME: 1,
  /** It read something that is not a packet. */
  OTHER: 2,
  /** It met something that cannot be read; `defect` says what. */
  DEFECT: 3,
} as const;
export type Step = (typeof Step)[keyof typeof Step];

/** One capture format: takes the input a block at a time from a window. */
export interface FormatParser {
  /** "pcap" or "pcapng", with what else is worth knowing: byte order and precision. */
  readonly description: string;
  /** LINKTYPE_ numbers of the capture's interfaces, each once. */
  readonly links: ReadonlySet<number>;
  /** Where the block that is being read starts, what it is called, and how many bytes it needs as far as known. */
  readonly blockOffset: number;
  readonly blockName: string;
  readonly blockNeeds: number;
  readonly defect: Defect | undefined;
  next(window: Window, frame: Frame): Step;
}

/**
 * Longest captured packet that is believed: libpcap's MAXIMUM_SNAPLEN and Wireshark's WTAP_MAX_PACKET_SIZE_STANDARD.
 * A longer one is a damaged length field; believing it would mean to buffer up to 4 GiB.
 */
export const MAX_CAPTURED = 262_144;

export function emptyFrame(): Frame {
  const bytes = new Uint8Array(0);
  return {
    bytes,
    view: new DataView(bytes.buffer),
    start: 0,
    end: 0,
    length: 0,
    link: 0,
    seconds: 0,
    nanoseconds: 0,
    timed: true,
  };
}
