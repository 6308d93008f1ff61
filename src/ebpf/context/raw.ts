/**
 * Programs of no kernel: they are given memory of a size that was named when they were loaded, and its size.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import type { ContextForm } from "./context.ts";

export function rawForm(bytes: number): ContextForm {
  return {
    bytes,
    hasPacket: false,
    fill(host, at, _packet, { context }) {
      if (context === undefined) return;
      if (!(context instanceof Uint8Array)) {
        throw new TypeError(`run: context: expected a Uint8Array, got ${describe(context)}`);
      }
      if (context.length > bytes) {
        throw new RangeError(`run: context: expected at most ${bytes} bytes, got ${context.length}`);
      }
      host.u8.set(context, at);
    },
    settle() {},
    data: () => new Uint8Array(0),
  };
}
