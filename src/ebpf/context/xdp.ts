/**
 * `struct xdp_md`, what XDP programs are called with.
 *
 * ```
 *  0 u32 data | 4 u32 data_end | 8 u32 data_meta | 12 u32 ingress_ifindex | 16 u32 rx_queue_index | 20 u32 egress_ifindex
 * ```
 *
 * The first three are addresses while a program runs. Before and after they are offsets, from where the metadata begin, as with
 * BPF_PROG_TEST_RUN.
 *
 * @module
 */
import { bpfError, ERRNO } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { type ContextForm, writeFields } from "./context.ts";
import type { Packet } from "./packet.ts";
import { checkLength } from "./packets.ts";

/** What a caller may say of an XDP packet. */
export interface XdpMd {
  /** How many of the bytes before the packet are metadata, a multiple of 4 up to 252: they are the first bytes of `data`. */
  readonly data: number;
  /** Bytes of `data`. */
  readonly data_end: number;
  readonly data_meta: number;
  readonly ingress_ifindex: number;
  readonly rx_queue_index: number;
  readonly egress_ifindex: number;
}

const BYTES = 24;
export const XDP_DATA = 0;
export const XDP_DATA_END = 4;
export const XDP_DATA_META = 8;
const EGRESS_IFINDEX = 20;
const MOST_META = 252;

const FIELDS = {
  data: { offset: XDP_DATA, bytes: 4 },
  data_end: { offset: XDP_DATA_END, bytes: 4 },
  data_meta: { offset: XDP_DATA_META, bytes: 4 },
  ingress_ifindex: { offset: 12, bytes: 4 },
  rx_queue_index: { offset: 16, bytes: 4 },
  egress_ifindex: { offset: EGRESS_IFINDEX, bytes: 4 },
} as const;

export const XDP_FORM: ContextForm = {
  bytes: BYTES,
  hasPacket: true,
  fill(host, at, packet, { data, context }) {
    let meta = 0;
    if (context !== undefined) {
      if (context instanceof Uint8Array) host.u8.set(context.subarray(0, BYTES), at);
      else writeFields(host, at, FIELDS, { data_end: data.length, ...context });
      meta = host.word(at + XDP_DATA);
      checkGiven(host, at, data.length, meta);
    }
    checkLength(data.length - meta);
    packet.place(data, meta);
    packet.meta = packet.data - meta;
    showPacket(host, at, packet);
  },
  settle(host, at, packet) {
    host.putWord(at + XDP_DATA, packet.data - packet.meta);
    host.putWord(at + XDP_DATA_END, packet.end - packet.meta);
    host.putWord(at + XDP_DATA_META, 0);
  },
  data: (_host, packet) => packet.bytes(packet.meta, packet.end),
};

/** Writes the addresses of the packet, after it was moved. */
export function showPacket(host: Host, at: number, packet: Packet): void {
  host.putWord(at + XDP_DATA, packet.data);
  host.putWord(at + XDP_DATA_END, packet.end);
  host.putWord(at + XDP_DATA_META, packet.meta);
}

/** The rules of xdp_convert_md_to_buff and its callers. */
function checkGiven(host: Host, at: number, length: number, meta: number): void {
  const isGood =
    host.word(at + XDP_DATA_META) === 0 &&
    host.word(at + XDP_DATA_END) === length &&
    meta % 4 === 0 &&
    meta <= MOST_META &&
    host.word(at + EGRESS_IFINDEX) === 0;
  if (isGood) return;
  const cause =
    "must have data_meta 0, data_end the bytes of the packet, data a multiple of 4 up to 252, and no egress_ifindex";
  throw bpfError(ERRNO.EINVAL, "program", "the context", cause);
}
