// Writes a section .BTF from types that are given as numbers: for every kind, and for what no compiler writes.
import { KINDS } from "../../../src/ebpf/elf/btf_types.ts";

/** A type: its kind, its name, size or type, and the words behind it. `parts` is what info counts. */
export interface WrittenType {
  readonly kind: (typeof KINDS)[number]["kind"];
  readonly name?: string;
  readonly word?: number;
  readonly flag?: boolean;
  readonly parts?: number;
  /** Numbers, or names. */
  readonly behind?: readonly (number | string)[];
}

const HEADER_BYTES = 24;
const MAGIC = 0xeb9f;

/** The bytes of a section with these types, which have the ids 1, 2, and so on. */
export function btfBytes(types: readonly WrittenType[]): Uint8Array<ArrayBuffer> {
  const names = new Map([["", 0]]);
  let text = "\0";
  const nameAt = (name: string) => {
    const known = names.get(name);
    if (known !== undefined) return known;
    const at = text.length;
    names.set(name, at);
    text += `${name}\0`;
    return at;
  };
  const words = types.flatMap(({ kind, name = "", word = 0, flag = false, parts = 0, behind = [] }) => {
    const number = KINDS.findIndex((known) => known.kind === kind);
    const info = ((flag ? 0x8000_0000 : 0) | (number << 24) | parts) >>> 0;
    return [
      nameAt(name),
      info,
      word,
      ...behind.map((item) => (typeof item === "string" ? nameAt(item) : item)),
    ];
  });
  const strings = new TextEncoder().encode(text);
  const bytes = new Uint8Array(HEADER_BYTES + words.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, 1);
  const header = [HEADER_BYTES, 0, words.length * 4, words.length * 4, strings.length];
  [...header, ...words].forEach((word, i) => {
    view.setUint32(4 + i * 4, word, true);
  });
  bytes.set(strings, HEADER_BYTES + words.length * 4);
  return bytes;
}
