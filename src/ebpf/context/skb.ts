/**
 * `struct __sk_buff`, what programs of tc, socket filters and cgroups are called with.
 *
 * @module
 */
import type { Host } from "../../host/host.ts";
import { type ContextField, type ContextForm, type Given, writeFields } from "./context.ts";
import type { Packet } from "./packet.ts";
import { checkLength, LINK_BYTES } from "./packets.ts";

/** What a caller may say of a packet, by the names of `struct __sk_buff`. */
export interface SkBuff {
  readonly mark: number;
  readonly queue_mapping: number;
  readonly priority: number;
  readonly ingress_ifindex: number;
  readonly ifindex: number;
  readonly tc_index: number;
  readonly hash: number;
  readonly tc_classid: number;
  readonly napi_id: number;
  readonly tstamp: number | bigint;
  readonly wire_len: number;
  readonly gso_segs: number;
  readonly gso_size: number;
  readonly cb0: number;
  readonly cb1: number;
  readonly cb2: number;
  readonly cb3: number;
  readonly cb4: number;
}

const BYTES = 192;
const LEN = 0;
const PKT_TYPE = 4;
const PROTOCOL = 16;
export const SKB_HASH = 68;
const DATA = 76;
const DATA_END = 80;
const DATA_META = 140;
const WIRE_LEN = 160;
/** PACKET_HOST: to this machine; BROADCAST: to all. */
const BROADCAST = 1;
const MULTICAST = 2;

const word = (offset: number): ContextField => ({ offset, bytes: 4 });

const FIELDS: Readonly<Record<keyof SkBuff, ContextField>> = {
  mark: word(8),
  queue_mapping: word(12),
  priority: word(32),
  ingress_ifindex: word(36),
  ifindex: word(40),
  tc_index: word(44),
  hash: word(SKB_HASH),
  tc_classid: word(72),
  napi_id: word(84),
  tstamp: { offset: 152, bytes: 8 },
  wire_len: word(WIRE_LEN),
  gso_segs: word(164),
  gso_size: word(176),
  cb0: word(48),
  cb1: word(52),
  cb2: word(56),
  cb3: word(60),
  cb4: word(64),
};

/** @param hasLink whether the program sees the Ethernet header, as those of tc do. Others begin behind it, and it comes back as zeros */
function skbForm(hasLink: boolean): ContextForm {
  return {
    bytes: BYTES,
    hasPacket: true,
    fill(host, at, packet, given) {
      checkLength(given.data.length);
      packet.place(given.data, hasLink ? 0 : LINK_BYTES);
      fillFields(host, at, given);
      showSkb(host, at, packet);
      if (host.word(at + WIRE_LEN) === 0) host.putWord(at + WIRE_LEN, packet.length);
    },
    settle(host, at) {
      for (const field of [DATA, DATA_END, DATA_META]) host.putWord(at + field, 0);
    },
    data(host, packet) {
      if (hasLink) return packet.bytes(packet.data, packet.end);
      const from = packet.data - LINK_BYTES;
      host.u8.fill(0, from, packet.data);
      return packet.bytes(from, packet.end);
    },
  };
}

export const TC_FORM = skbForm(true);
export const BARE_SKB_FORM = skbForm(false);

function fillFields(host: Host, at: number, { data, context }: Given): void {
  if (context instanceof Uint8Array) host.u8.set(context.subarray(0, BYTES), at);
  else if (context !== undefined) writeFields(host, at, FIELDS, context);
  // As eth_type_trans sets them: the type of the frame in network order, and whom it is for.
  host.putWord(at + PROTOCOL, data[12] | (data[13] << 8));
  const isBroadcast = data.subarray(0, 6).every((byte) => byte === 0xff);
  host.putWord(at + PKT_TYPE, isBroadcast ? BROADCAST : (data[0] & 1) === 1 ? MULTICAST : 0);
}

/** Writes where the packet is, and its length, after it was moved. */
export function showSkb(host: Host, at: number, packet: Packet): void {
  host.putWord(at + LEN, packet.length);
  host.putWord(at + DATA, packet.data);
  host.putWord(at + DATA_END, packet.end);
  host.putWord(at + DATA_META, packet.meta);
}
