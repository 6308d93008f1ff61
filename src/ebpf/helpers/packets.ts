/**
 * Helpers of packets: reads and writes at an offset, moving its ends, checksums, where it goes.
 *
 * @module
 */
import { ERRNO } from "../../errors.ts";
import type { Packet } from "../context/packet.ts";
import { SKB_HASH } from "../context/skb.ts";
import { showPacket } from "../context/xdp.ts";
import type { Execution, Helper } from "./execution.ts";

/** Bytes of metadata, at most: a u8 counts them in words. */
const MOST_META = 252;
/** Bytes of an Ethernet header, which a packet keeps. */
const LINK_BYTES = 14;
/** Flags of bpf_skb_store_bytes: keep the checksum right, forget the hash. */
const STORE_FLAGS = 3n;
/** Flags of the checksum helpers: the size of the field in bytes, and of l4_csum_replace what zero means. */
const FIELD_SIZE = 0xfn;
const PSEUDO_HEADER = 0x10n;
const MARK_MANGLED = 0x20n;
const MANGLED_ENFORCE = 0x40n;
/** XDP_ABORTED and XDP_REDIRECT; TC_ACT_SHOT and TC_ACT_REDIRECT. */
const XDP_ABORTED = 0;
const XDP_REDIRECT = 4;
const TC_ACT_SHOT = 2;
const TC_ACT_REDIRECT = 7;

/** Where bytes of the packet are; undefined when they are not all in it. */
function inPacket(packet: Packet, offset: number, bytes: number): number | undefined {
  return offset <= packet.length && bytes <= packet.length - offset ? packet.data + offset : undefined;
}

/** r1 the context, r2 the offset, r3 where to, r4 how many bytes. What is not there reads as zeros. */
export const loadBytes: Helper = (run) => {
  const { host } = run;
  const [to, bytes] = [run.word(3), run.word(4)];
  const from = inPacket(run.packet!, run.word(2), bytes);
  if (from === undefined) {
    host.u8.fill(0, to, to + bytes);
    return -ERRNO.EFAULT;
  }
  host.copy(to, from, bytes);
  return 0;
};

/** The same, the other way. */
export const storeBytes: Helper = (run) => {
  const bytes = run.word(4);
  const to = inPacket(run.packet!, run.word(2), bytes);
  if (to === undefined) return -ERRNO.EFAULT;
  run.host.copy(to, run.word(3), bytes);
  return 0;
};

/** bpf_skb_store_bytes: with flags. */
export const skbStoreBytes: Helper = (run) =>
  (run.state.register(5) & ~STORE_FLAGS) === 0n ? storeBytes(run) : -ERRNO.EINVAL;

/** Says where the packet is now. */
function moved(run: Execution, packet: Packet): number {
  showPacket(run.host, run.context, packet);
  packet.show(run.state);
  return 0;
}

/** bpf_xdp_adjust_head: the metadata stay before the data. */
export const xdpAdjustHead: Helper = (run) => {
  const packet = run.packet!;
  const delta = run.word(2) | 0;
  const meta = packet.data - packet.meta;
  const data = packet.data + delta;
  if (data - meta < packet.start || data > packet.end - LINK_BYTES) return -ERRNO.EINVAL;
  if (meta > 0) run.host.copy(data - meta, packet.meta, meta);
  packet.data = data;
  packet.meta = data - meta;
  return moved(run, packet);
};

/** bpf_xdp_adjust_tail: bytes that are added are zeros. */
export const xdpAdjustTail: Helper = (run) => {
  const packet = run.packet!;
  const end = packet.end + (run.word(2) | 0);
  if (end > packet.limit || end < packet.data + LINK_BYTES) return -ERRNO.EINVAL;
  if (end > packet.end) run.host.u8.fill(0, packet.end, end);
  packet.end = end;
  return moved(run, packet);
};

/** bpf_xdp_adjust_meta. */
export const xdpAdjustMeta: Helper = (run) => {
  const packet = run.packet!;
  const meta = packet.meta + (run.word(2) | 0);
  if (meta < packet.start || meta > packet.data) return -ERRNO.EINVAL;
  const bytes = packet.data - meta;
  if (bytes % 4 !== 0 || bytes > MOST_META) return -ERRNO.EACCES;
  packet.meta = meta;
  return moved(run, packet);
};

export const xdpGetBuffLen: Helper = (run) => run.packet!.length;

/** Sums words of 16 bits in the byte order of the machine, as the kernel does, folded to 16 bits. */
function folded(sum: number): number {
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return sum;
}

/** Of a whole number of words. */
function sumOf({ host }: Execution, at: number, bytes: number): number {
  const summed = host.u8.subarray(at, at + bytes);
  let sum = 0;
  for (let i = 0; i < bytes; i += 2) sum += summed[i] | (summed[i + 1] << 8);
  return sum;
}

/** bpf_csum_diff: the sum `seed` without what was at r1 and with what is at r3. */
export const csumDiff: Helper = (run) => {
  const [from, fromBytes, to, toBytes, seed] = [1, 2, 3, 4, 5].map((register) => run.word(register));
  if ((fromBytes | toBytes) & 3) return -ERRNO.EINVAL;
  const removed = 0xffff - folded(sumOf(run, from, fromBytes));
  return folded(folded(seed) + removed + sumOf(run, to, toBytes));
};

/** Puts another word into a sum at an offset: with `from` 0 and no size, `to` is a difference. */
function replaceSum(run: Execution, keepsZero: boolean): number {
  const { host, state } = run;
  const at = inPacket(run.packet!, run.word(2), 2);
  const offset = run.word(2);
  if (at === undefined || offset % 2 !== 0) return -ERRNO.EFAULT;
  const size = Number(state.register(5) & FIELD_SIZE);
  if (size !== 0 && size !== 2 && size !== 4) return -ERRNO.EINVAL;
  if (size === 0 && state.register(3) !== 0n) return -ERRNO.EINVAL;
  const mask = size === 2 ? 0xffff : 0xffff_ffff;
  const [from, to] = [(run.word(3) & mask) >>> 0, (run.word(4) & mask) >>> 0];
  const [low, high] = host.u8.subarray(at, at + 2);
  const before = low | (high << 8);
  if (keepsZero && before === 0) return 0;
  const sum = 0xffff - before + (0xffff - folded(from)) + folded(to);
  let after = 0xffff - folded(sum);
  if (keepsZero && after === 0) after = 0xffff;
  host.u8.set([after & 0xff, after >>> 8], at);
  return 0;
}

/** bpf_l3_csum_replace: the sum of an IP header. */
export const l3CsumReplace: Helper = (run) =>
  (run.state.register(5) & ~FIELD_SIZE) === 0n ? replaceSum(run, false) : -ERRNO.EINVAL;

/** bpf_l4_csum_replace: the sum of TCP or UDP; with a flag a sum of 0 is none, and stays so. */
export const l4CsumReplace: Helper = (run) => {
  const flags = run.state.register(5);
  const known = FIELD_SIZE | PSEUDO_HEADER | MARK_MANGLED | MANGLED_ENFORCE;
  if ((flags & ~known) !== 0n) return -ERRNO.EINVAL;
  return replaceSum(run, (flags & MARK_MANGLED) !== 0n && (flags & MANGLED_ENFORCE) === 0n);
};

/** bpf_get_hash_recalc: what the context says. */
export const getHashRecalc: Helper = (run) => run.host.word(run.context + SKB_HASH);

/** bpf_redirect to an interface: where to is in the result of the run. */
export const redirect: Helper = (run) => {
  const isXdp = run.programType === "xdp";
  const known = isXdp ? 0n : 1n;
  if ((run.state.register(2) & ~known) !== 0n) return isXdp ? XDP_ABORTED : TC_ACT_SHOT;
  run.redirect = run.word(1);
  return isXdp ? XDP_REDIRECT : TC_ACT_REDIRECT;
};
