/**
 * What programs are called with: the fields of their contexts, and who may write them.
 *
 * @module
 */
import type { PointerKind } from "./pointer.ts";
import type { ProgramType } from "./program.ts";

export interface Field {
  readonly offset: number;
  readonly bytes: number;
  /** What a load gives: a number, or a pointer. */
  readonly gives: "number" | PointerKind;
  readonly isWritable: boolean;
  /** Whether parts of it may be loaded: 1, 2 or 4 bytes, aligned. */
  readonly hasParts: boolean;
}

export interface ContextLayout {
  readonly fields: readonly Field[];
  readonly packetIsWritable: boolean;
}

const number = (offset: number, bytes: number, isWritable = false): Field => ({
  offset,
  bytes,
  gives: "number",
  isWritable,
  hasParts: true,
});
const pointer = (offset: number, bytes: number, gives: PointerKind): Field => ({
  offset,
  bytes,
  gives,
  isWritable: false,
  hasParts: false,
});

/** `struct xdp_md`: words of 32 bits, whole ones only. */
const XDP: ContextLayout = {
  packetIsWritable: true,
  fields: [
    pointer(0, 4, "packet"),
    pointer(4, 4, "packet_end"),
    pointer(8, 4, "packet_meta"),
    ...[12, 16, 20].map((offset) => ({ ...number(offset, 4), hasParts: false })),
  ],
};

const CB = 48;
const CB_END = 68;
const TC_CLASSID = 72;
const TSTAMP = 152;
const WIRE_LEN = 160;
const GSO_SEGS = 164;
const GSO_SIZE = 176;
const HWTSTAMP = 184;

/** `struct __sk_buff` as far as all programs that have one may read it: not the pointers to a flow or a socket. */
const SKB_WORDS = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 68, 84, GSO_SEGS, GSO_SIZE];
const MARK = 8;
const QUEUE_MAPPING = 12;
const PRIORITY = 32;
const TC_INDEX = 44;
/** From `family` to `local_port`. */
const SOCKET_WORDS = [88, 92, 96, 100, 104, 108, 112, 116, 120, 124, 128, 132, 136];

function skb(
  writable: readonly number[],
  others: readonly Field[],
  packetIsWritable: boolean,
): ContextLayout {
  const cb = [0, 1, 2, 3, 4].map((word) => number(CB + 4 * word, 4, true));
  const words = [...SKB_WORDS, ...SOCKET_WORDS].map((offset) => number(offset, 4, writable.includes(offset)));
  return { packetIsWritable, fields: [...words, ...cb, ...others] };
}

const PACKET = [pointer(76, 4, "packet"), pointer(80, 4, "packet_end")];

const LAYOUTS: Readonly<Partial<Record<ProgramType, ContextLayout>>> = {
  xdp: XDP,
  tc: skb(
    [MARK, QUEUE_MAPPING, PRIORITY, TC_INDEX],
    [
      ...PACKET,
      pointer(140, 4, "packet_meta"),
      number(TC_CLASSID, 4, true),
      number(TSTAMP, 8, true),
      number(WIRE_LEN, 4),
      number(180, 1),
      number(HWTSTAMP, 8),
    ],
    true,
  ),
  socket_filter: skb([], [], false),
  cgroup_skb: skb([MARK, PRIORITY], [...PACKET, number(TSTAMP, 8, true)], false),
  // struct bpf_iter__bpf_map_elem
  iter: {
    packetIsWritable: false,
    fields: [pointer(0, 8, "meta"), number(8, 8), pointer(16, 8, "key"), pointer(24, 8, "value")],
  },
};

/** The context of a program; undefined when it is memory of which only the size is known. */
export const layoutOf = (type: ProgramType): ContextLayout | undefined => LAYOUTS[type];

/** The field that an access is to; undefined when there is none, or the access is not a good one. */
export function fieldAt(
  { fields }: ContextLayout,
  offset: number,
  bytes: number,
  isStore: boolean,
): Field | undefined {
  if (offset % bytes !== 0) return undefined;
  if (bytes === 8 && offset >= CB && offset + 8 <= CB_END) {
    const first = fields.find((field) => field.offset === offset);
    return first?.isWritable ? { ...first, bytes: 8 } : undefined;
  }
  const field = fields.find(
    (found) => offset >= found.offset && offset + bytes <= found.offset + found.bytes,
  );
  if (field === undefined) return undefined;
  if (isStore) return field.isWritable && (field.bytes === bytes || isScratch(offset)) ? field : undefined;
  return field.bytes === bytes || field.hasParts ? field : undefined;
}

/** The five words of `cb` may be written in parts. */
const isScratch = (offset: number): boolean => offset >= CB && offset < CB_END;
