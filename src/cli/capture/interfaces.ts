import { type Clock, createClock } from "./timestamp.ts";

/** Interfaces of one section; captures that tools write have a few. A file of nothing but interfaces must not fill the memory. */
export const MOST_INTERFACES = 65_536;

/** The interfaces that a section of a pcapng file has described, in columns: less memory than their blocks take in the file. */
export class Interfaces {
  /** How many there are. */
  count = 0;
  #links = new Uint16Array(4);
  #snapLengths = new Uint32Array(4);
  #resolutions = new Uint8Array(4);
  #offsets = new Float64Array(4);
  /** The clock that was asked for last, and whose it is: packets mostly come from the same interface. */
  #clock: Clock | undefined;
  #clockOf = -1;

  /** False when there are too many. */
  add(link: number, snapLength: number, resolution: number, offset: number): boolean {
    const { count } = this;
    if (count === MOST_INTERFACES) return false;
    if (count === this.#links.length) this.#grow(2 * count);
    this.#links[count] = link;
    this.#snapLengths[count] = snapLength;
    this.#resolutions[count] = resolution;
    this.#offsets[count] = offset;
    this.count++;
    return true;
  }

  link(number: number): number {
    return this.#links[number];
  }

  /** 0: no limit. */
  snapLength(number: number): number {
    return this.#snapLengths[number];
  }

  clock(number: number): Clock {
    if (this.#clock === undefined || this.#clockOf !== number) {
      this.#clock = createClock(this.#resolutions[number], this.#offsets[number]);
      this.#clockOf = number;
    }
    return this.#clock;
  }

  #grow(room: number): void {
    const copied = <T extends { set(from: T): void }>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#links = copied(this.#links, new Uint16Array(room));
    this.#snapLengths = copied(this.#snapLengths, new Uint32Array(room));
    this.#resolutions = copied(this.#resolutions, new Uint8Array(room));
    this.#offsets = copied(this.#offsets, new Float64Array(room));
  }
}
