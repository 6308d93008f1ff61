import type { Frame } from "../capture/frame.ts";
import { Found } from "../capture/packet.ts";

export interface Count {
  packets: number;
  /** Whole frames, as they were on the wire. */
  bytes: number;
}

/** A time since 1970 in two parts: nanoseconds are beyond 2^53. */
interface Time {
  seconds: number;
  nanoseconds: number;
}

const TCP = 6;

/** Sums over a whole capture, whatever became of the flows. */
export class Totals {
  readonly tcp: Count = { packets: 0, bytes: 0 };
  readonly udp: Count = { packets: 0, bytes: 0 };
  /** Neither TCP nor UDP. */
  readonly other: Count = { packets: 0, bytes: 0 };
  /** IP packets whose headers are damaged, or were not captured as far as the ports. */
  readonly unreadable: Count = { packets: 0, bytes: 0 };
  private readonly earliest: Time = { seconds: Number.POSITIVE_INFINITY, nanoseconds: 0 };
  private readonly latest: Time = { seconds: Number.NEGATIVE_INFINITY, nanoseconds: 0 };

  count(frame: Frame, found: Found, proto: number): void {
    const to =
      found === Found.FLOW
        ? proto === TCP
          ? this.tcp
          : this.udp
        : found === Found.OTHER
          ? this.other
          : this.unreadable;
    to.packets++;
    to.bytes += frame.length;
    if (!frame.timed) return;
    if (isBefore(frame, this.earliest)) assign(this.earliest, frame);
    if (isBefore(this.latest, frame)) assign(this.latest, frame);
  }

  get packets(): number {
    return this.tcp.packets + this.udp.packets + this.other.packets + this.unreadable.packets;
  }

  get bytes(): number {
    return this.tcp.bytes + this.udp.bytes + this.other.bytes + this.unreadable.bytes;
  }

  /** Seconds from the earliest packet to the latest; 0 without packets that have a time. */
  get duration(): number {
    if (this.latest.seconds === Number.NEGATIVE_INFINITY) return 0;
    const { seconds, nanoseconds } = this.latest;
    return seconds - this.earliest.seconds + (nanoseconds - this.earliest.nanoseconds) / 1e9;
  }

  /** Time of the earliest packet, `1700000000.000001000`: seconds since 1970. Undefined when no packet has a time. */
  get first(): string | undefined {
    return format(this.earliest);
  }

  get last(): string | undefined {
    return format(this.latest);
  }
}

function isBefore(a: Time, b: Time): boolean {
  return a.seconds < b.seconds || (a.seconds === b.seconds && a.nanoseconds < b.nanoseconds);
}

function assign(to: Time, from: Time): void {
  to.seconds = from.seconds;
  to.nanoseconds = from.nanoseconds;
}

function format({ seconds, nanoseconds }: Time): string | undefined {
  return Number.isFinite(seconds) ? `${seconds}.${String(nanoseconds).padStart(9, "0")}` : undefined;
}
