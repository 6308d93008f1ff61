/**
 * What `.BTF.ext` says of instructions: which function begins there, and which line of the source they come from. What it says of types
 * that differ from kernel to kernel (CO-RE) is not read: here the types of the object are the truth.
 *
 * ```
 * header:  0 u16 magic | 4 u32 bytes of the header | 8 u32 functions at | u32 bytes | 16 u32 lines at | u32 bytes
 * part:    u32 bytes of a record, then for each section: u32 name | u32 records | the records
 * record:  function: u32 bytes from the start of the section | u32 type
 *          line: the same offset | u32 file | u32 text | u32: 31..10 line, 9..0 column
 * ```
 *
 * @module
 */
import type { Btf } from "./btf.ts";
import { ObjectError } from "./object_error.ts";
import { Reader } from "./reader.ts";

/** A line of the source, from an instruction of a section on. */
export interface LineRecord {
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A function, and its type in BTF. */
export interface FunctionRecord {
  readonly offset: number;
  readonly type: number;
}

const MAGIC = 0xeb9f;
const FUNCTION_BYTES = 8;
const LINE_BYTES = 16;

export class BtfExt {
  /** By the name of the section. */
  readonly functions: ReadonlyMap<string, readonly FunctionRecord[]>;
  readonly lines: ReadonlyMap<string, readonly LineRecord[]>;

  /** @throws ObjectError */
  constructor(bytes: Uint8Array, btf: Btf) {
    const file = new Reader(bytes, "section .BTF.ext");
    if (file.u16(0) !== MAGIC) throw new ObjectError("section .BTF.ext does not begin with the mark of BTF");
    const header = file.u32(4);
    const part = (at: number) =>
      new Reader(file.part(header + file.u32(at), file.u32(at + 4), "what it says"), "section .BTF.ext");
    this.functions = recordsOf(part(8), btf, FUNCTION_BYTES, (records, at) => ({
      offset: records.u32(at),
      type: records.u32(at + 4),
    }));
    this.lines = recordsOf(part(16), btf, LINE_BYTES, (records, at) => {
      const place = records.u32(at + 12);
      const [file, text] = [btf.text(records.u32(at + 4)), btf.text(records.u32(at + 8)).trim()];
      return { offset: records.u32(at), file, line: place >>> 10, column: place & 1023, text };
    });
  }
}

function recordsOf<T>(
  records: Reader,
  btf: Btf,
  least: number,
  read: (records: Reader, at: number) => T,
): Map<string, T[]> {
  const bySection = new Map<string, T[]>();
  if (records.length === 0) return bySection;
  const stride = records.u32(0);
  if (stride < least) throw new ObjectError(`section .BTF.ext has records of ${stride} bytes`);
  for (let at = 4; at < records.length; ) {
    const name = btf.text(records.u32(at));
    const count = records.u32(at + 4);
    at += 8;
    const list = bySection.get(name) ?? [];
    bySection.set(name, list);
    for (let i = 0; i < count; i++, at += stride) list.push(read(records, at));
  }
  return bySection;
}
