/**
 * What contexts with a packet have in common.
 *
 * @module
 */
import { bpfError, ERRNO } from "../../errors.ts";
import { MOST_PACKET } from "./packet.ts";

/** Bytes of an Ethernet header: the kernel takes no shorter packet. */
export const LINK_BYTES = 14;

/** @throws BpfError EINVAL for a packet that the kernel would not take */
export function checkLength(bytes: number): void {
  if (bytes >= LINK_BYTES && bytes <= MOST_PACKET) return;
  const cause = `has ${bytes} bytes: expected ${LINK_BYTES} to ${MOST_PACKET}`;
  throw bpfError(ERRNO.EINVAL, "program", "the packet", cause);
}
