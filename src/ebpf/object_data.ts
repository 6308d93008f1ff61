/**
 * The global variables of an object, as properties.
 *
 * @module
 */
import { within } from "../arguments/mismatch.ts";
import { bytes } from "../codec/bytes.ts";
import type { Codec } from "../codec/codec.ts";
import { bpfError, ERRNO } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Btf } from "./elf/btf.ts";
import { codecOf } from "./elf/codecs.ts";
import type { DataSection, Variable } from "./elf/data_sections.ts";
import type { BoundMap } from "./helpers/bound_map.ts";

/** A variable, and where it is. */
interface Place {
  readonly map: BoundMap;
  readonly offset: number;
  readonly codec: Codec<unknown>;
  readonly isReadOnly: boolean;
}

export class ObjectData {
  readonly #host: Host;
  readonly #places = new Map<string, Place>();
  #isSealed = false;

  constructor(host: Host) {
    this.#host = host;
  }

  get names(): string[] {
    return [...this.#places.keys()];
  }

  add(section: DataSection, map: BoundMap, btf: Btf | undefined): void {
    for (const variable of section.variables) {
      if (variable.size === 0) continue;
      const codec = codecOfVariable(btf, variable);
      this.#places.set(variable.name, {
        map,
        offset: variable.offset,
        codec,
        isReadOnly: section.isReadOnly,
      });
    }
  }

  /** From now on constants stay as they are. */
  seal(): void {
    this.#isSealed = true;
  }

  get(name: string): unknown {
    const { codec } = this.#place(name);
    return codec.decode(this.#host.view, this.#address(name));
  }

  set(name: string, value: unknown): void {
    const { codec, isReadOnly } = this.#place(name);
    if (isReadOnly && this.#isSealed) {
      const remedy = "give it to loadObject as data";
      throw bpfError(ERRNO.EPERM, "program", `the constant ${name}`, "is frozen", remedy);
    }
    const encoded = new Uint8Array(codec.size);
    try {
      codec.encode(value, new DataView(encoded.buffer), 0);
    } catch (error) {
      throw within(`data: ${name}`, error);
    }
    this.#host.u8.set(encoded, this.#address(name));
  }

  /** All variables as properties of one object. */
  asProperties(): Record<string, unknown> {
    const properties = {};
    for (const name of this.#places.keys()) {
      Object.defineProperty(properties, name, {
        enumerable: true,
        get: () => this.get(name),
        set: (value: unknown) => this.set(name, value),
      });
    }
    return Object.seal(properties);
  }

  #place(name: string): Place {
    const place = this.#places.get(name);
    if (place === undefined) {
      throw new TypeError(
        `loadObject: data: the object has no variable ${JSON.stringify(name)}: it has ${this.names.join(", ")}`,
      );
    }
    if (place.map.map.closed) place.map.map.refuse("program");
    return place;
  }

  #address(name: string): number {
    const { map, offset } = this.#places.get(name)!;
    return (this.#host.core.arrayElement(map.table.handle, 0) >>> 0) + offset;
  }
}

/** Bytes for a variable without a type, or of one that is no value of JavaScript. */
function codecOfVariable(btf: Btf | undefined, { type, size }: Variable): Codec<unknown> {
  if (btf === undefined || type === undefined || btf.sizeOf(type) !== size) return bytes(size);
  return codecOf(btf, type);
}
