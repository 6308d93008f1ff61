/**
 * One field of the values of a map.
 *
 * @module
 */
import { fitsScalar } from "../../core/memory/scalar.ts";
import { compareBy, hide } from "../../print/hidden.ts";
import { INSPECT } from "../../print/inspect.ts";
import { subjectOf } from "../failure.ts";
import { contentsOfMap } from "../print_map.ts";
import type { FieldHandle } from "./field_handle.ts";
import { type Part, partOf } from "./part.ts";

/** What fields are compared by: all values of the map, and which field is meant. */
function contentsOfField(this: Field<unknown, unknown>): unknown {
  return [this.path, contentsOfMap.call(this.map)];
}

/**
 * A field of the struct that is the value of each key: `map.field("bytes")`. It is read and written in place, several times as fast as
 * the whole struct.
 *
 * @example
 * ```ts
 * import { createMap, struct, u16, u32, u53 } from "bpfmap";
 *
 * const flow = struct({ src: struct({ address: u32, port: u16 }), bytes: u53 });
 * const flows = createMap({ type: "rhash", key: u32, value: flow, maxEntries: 1000 });
 * const port = flows.field("src.port");
 * const bytes = flows.field("bytes");
 * console.log(bytes.add(7, 1500), bytes.add(7, 60)); // 1500 1560
 * console.log(port.set(7, 443), port.set(8, 443)); // true false
 * console.log(port.get(7), port.get(8)); // 443 undefined
 * ```
 */
export class Field<K, X> {
  /** @internal */
  declare readonly map: FieldHandle<K>;
  /** @internal */
  declare readonly part: Part;
  /** Its name, as it was given to `map.field()`. */
  declare readonly path: string;

  /** @internal Use `map.field()`. */
  constructor(map: FieldHandle<K>, path: string) {
    if (map.closed) map.refuse("field");
    hide<Field<K, X>>(this, { map, part: partOf(map, path), path });
    compareBy(this, contentsOfField);
  }

  /** The field in the value of a key (a copy), or undefined when the key is absent. */
  get(key: K): X | undefined {
    return this.map.getPart(key, this.part) as X | undefined;
  }

  /**
   * Writes the field in the value of a key; the rest of the value stays. An absent key stays absent, since there is no value for the
   * rest: insert it with `map.set`.
   *
   * @returns whether the key was there
   * @throws TypeError, RangeError for what the field cannot hold; BpfError EPERM, ENOMEM.
   */
  set(key: K, value: X): boolean {
    const { map, part } = this;
    if (map.writing === 0) map.refuse("field.set");
    const fits = fitsScalar(part.scalar, value);
    if (!fits) map.encodeValue("field.set", value, part.codec);
    return map.setPart(key, part, fits, value);
  }

  /**
   * Adds to the field, as `map.add(key, delta, { field })`: an absent key starts with a value of zeros.
   *
   * @returns the new count
   * @throws TypeError for a field that is no integer; else as {@link CountingMap.add}.
   */
  add(key: K, delta: X extends number ? number : X extends bigint ? bigint : never): X {
    const { map, path } = this;
    if (map.reading === 0 || map.writing === 0) map.refuse("field.add");
    return map.count("field.add", key, map.counters.at(map, "field.add", path), delta) as X;
  }

  get [Symbol.toStringTag](): string {
    return "Field";
  }

  /** @internal */
  toJSON(): object {
    return { path: this.path, map: this.map };
  }

  /** @internal */
  [INSPECT](): string {
    return `Field ${this.path} of ${subjectOf(this.map)}`;
  }
}
