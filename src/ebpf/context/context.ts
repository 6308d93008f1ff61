/**
 * What a program is called with: memory of its type's own form, which is filled before a run and read after it.
 *
 * @module
 */

import { checkInteger } from "../../arguments/integer.ts";
import { checkKnown } from "../../arguments/known.ts";
import type { Host } from "../../host/host.ts";
import type { Packet } from "./packet.ts";

/** What a run is given. */
export interface Given {
  readonly data: Uint8Array;
  /** Bytes, or fields by name. */
  readonly context: Uint8Array | Readonly<Record<string, unknown>> | undefined;
}

/** A type of context. */
export interface ContextForm {
  readonly bytes: number;
  /** Whether the program has a packet. */
  readonly hasPacket: boolean;
  /** Puts packet and context there. The context is all zeros. */
  fill(host: Host, context: number, packet: Packet, given: Given): void;
  /** Makes the context what the caller gets: no addresses. */
  settle(host: Host, context: number, packet: Packet): void;
  /** The packet as the caller gets it. */
  data(host: Host, packet: Packet): Uint8Array<ArrayBuffer>;
}

/** A field of a context that a caller may set. */
export interface ContextField {
  readonly offset: number;
  readonly bytes: 4 | 8;
}

/** Writes the fields of a context that are given by name. */
export function writeFields(
  host: Host,
  context: number,
  fields: Readonly<Record<string, ContextField>>,
  given: Readonly<Record<string, unknown>>,
): void {
  checkKnown("run: context", given, Object.keys(fields));
  for (const [name, { offset, bytes }] of Object.entries(fields)) {
    const value = given[name];
    if (value === undefined) continue;
    if (bytes === 8 && typeof value === "bigint") {
      host.putWord(context + offset, Number(BigInt.asUintN(32, value)));
      host.putWord(context + offset + 4, Number(BigInt.asUintN(32, value >> 32n)));
    } else host.putWord(context + offset, checkInteger(`run: context: ${name}`, value, 0, 0xffff_ffff));
  }
}
