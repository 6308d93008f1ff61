/**
 * A packet in host memory, with room around it for headers that programs put before it and bytes that they put behind.
 *
 * ```
 * start | headroom, 256 bytes | meta | data ... end | tailroom | limit
 * ```
 *
 * @module
 */
import { noBlock } from "../../core/memory/scratch.ts";
import { EBPF_MOST_WINDOWS } from "../../generated/abi.js";
import type { Host } from "../../host/host.ts";
import type { RunState } from "../interpret/run_state.ts";

/** XDP_PACKET_HEADROOM. */
export const HEADROOM = 256;
/** What a page of 4096 bytes has for a packet beside the headroom: the kernel keeps 320 behind it. */
const PAGE_PACKET = 3520;
/** The longest packet. */
export const MOST_PACKET = 0xffff;
/** Windows of the run record: the packet, and what is before it for the program. */
export const PACKET_WINDOW = 0;
export const META_WINDOW = 1;
/** Windows for data sections begin here. */
export const FIRST_DATA_WINDOW = 2;
export const DATA_WINDOWS = EBPF_MOST_WINDOWS - FIRST_DATA_WINDOW;

export class Packet {
  readonly #host: Host;
  #address = 0;
  #bytes = 0;
  /** Where the program's metadata begin, at most 256 bytes before the data; where data begin and end. */
  meta = 0;
  data = 0;
  end = 0;
  /** How far the end may be moved. */
  limit = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  get start(): number {
    return this.#address;
  }

  get length(): number {
    return this.end - this.data;
  }

  /** Puts a packet there; `before`: bytes at its start that are not yet data, but metadata or a header of the link. Throws ENOMEM. */
  place(bytes: Uint8Array, before = 0): void {
    const room = HEADROOM + Math.max(PAGE_PACKET, bytes.length);
    if (room > this.#bytes) this.#allocate(room);
    const at = this.#address + HEADROOM;
    const { u8 } = this.#host;
    u8.fill(0, this.#address, at);
    u8.set(bytes, at);
    this.data = at + before;
    this.meta = this.data;
    this.end = at + bytes.length;
    this.limit = this.#address + room;
    u8.fill(0, this.end, this.limit);
  }

  /** Tells a run where its packet is. */
  show(state: RunState): void {
    state.setWindow(PACKET_WINDOW, this.data, this.end - this.data);
    state.setWindow(META_WINDOW, this.meta, this.data - this.meta);
  }

  /** A copy of what is between two addresses. */
  bytes(from: number, to: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#host.u8.subarray(from, to));
  }

  release(): void {
    if (this.#bytes > 0) this.#host.release(this.#address, this.#bytes);
    this.#bytes = 0;
  }

  #allocate(room: number): void {
    this.release();
    const address = this.#host.allocate(room);
    if (address === 0) throw noBlock(this.#host, "program", "the host");
    this.#address = address;
    this.#bytes = room;
  }
}
