/**
 * The memory of a program, a block in its host:
 *
 * ```
 * params     as a struct of them: what the owner sets between runs
 * counters   as a struct of them, at a multiple of 8: what the program adds to
 * zeros      at a multiple of 8: what elements outside of their arrays read as
 * ```
 *
 * The program's code has the address in it.
 *
 * @module
 */
import { describe, within } from "../arguments/mismatch.ts";
import { type Codec, isCodec } from "../codec/codec.ts";
import { specialIn } from "../codec/special_fields.ts";
import { struct } from "../codec/struct.ts";
import type { CoreHost } from "../core/core_host.ts";
import { roundUp8 } from "../core/tables/registry.ts";
import { numberKind } from "./expressions/scalar_types.ts";
import type { Place } from "./expressions/tree.ts";

/** Named layouts. */
export type Codecs = Readonly<Record<string, Codec<unknown>>>;

/** Where the values of a struct of the block are. */
export interface Section {
  readonly codecs: Codecs;
  /** By name, bytes from the start of the block. */
  readonly offsets: Readonly<Record<string, number>>;
  /** Bytes from the start of the block to its end. */
  readonly end: number;
}

/** Checks layouts given in the options and lays them out as a struct. */
export function section(what: string, codecs: unknown, start: number, numbers: boolean): Section {
  if (typeof codecs !== "object" || codecs === null) {
    throw new TypeError(`${what}: expected an object of codecs, got ${describe(codecs)}`);
  }
  const own: Record<string, Codec<unknown>> = {};
  for (const [name, codec] of Object.entries(codecs)) {
    const special = specialIn(codec);
    if (!isCodec(codec) || special !== undefined) {
      const expected = `a codec without a ${special ?? "spinLock"}`;
      throw new TypeError(`${what}.${name}: expected ${expected}, got ${describe(codec)}`);
    }
    if (numbers && numberKind(codec) === undefined) {
      throw new TypeError(`${what}.${name}: expected the codec of a number, got ${codec.name}`);
    }
    own[name] = codec;
  }
  if (Object.keys(own).length === 0) return { codecs: own, offsets: {}, end: start };
  const { offsets, size } = struct(own);
  const placed = Object.fromEntries(Object.entries(offsets).map(([name, offset]) => [name, start + offset]));
  return { codecs: own, offsets: placed, end: roundUp8(start + size) };
}

/** A place of a section, as expressions read it. */
export function placeIn({ offsets }: Section, name: string, path: string): Place {
  return { base: "block", offset: offsets[name], path: `${path}.${name}` };
}

/**
 * An object with a property for each value of a section, that reads and writes it in memory.
 *
 * @param path how messages call the object
 * @param check throws when the block is gone
 */
export function accessors(
  host: CoreHost,
  block: number,
  { codecs, offsets }: Section,
  path: string,
  check: () => void,
): object {
  const target: object = Object.create(null);
  for (const [name, codec] of Object.entries(codecs)) {
    const address = block + offsets[name];
    // What does not fit must not be half written.
    const bytes = new Uint8Array(codec.size);
    const view = new DataView(bytes.buffer);
    /** A value is being encoded into them: a getter of it that sets the same property gets others. */
    let encoding = false;
    Object.defineProperty(target, name, {
      enumerable: true,
      get() {
        check();
        if (host.u8.length === 0) host.refresh();
        try {
          return codec.decode(host.view, address);
        } catch (error) {
          throw within(`${path}.${name}`, error);
        }
      },
      set(value: unknown) {
        check();
        const nested = encoding;
        const target = nested ? new DataView(new ArrayBuffer(bytes.length)) : view;
        encoding = true;
        try {
          codec.encode(value, target, 0);
        } catch (error) {
          throw within(`${path}.${name}`, error);
        } finally {
          encoding = nested;
        }
        check(); // a getter of the value may have closed the program
        if (host.u8.length === 0) host.refresh();
        host.u8.set(nested ? new Uint8Array(target.buffer) : bytes, address);
      },
    });
  }
  return Object.seal(target);
}
