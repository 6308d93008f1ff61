/**
 * bpf_trace_printk: a line of text for who listens.
 *
 * @module
 */
import { ERRNO } from "../../errors.ts";
import type { Execution, Helper } from "./execution.ts";

/** %d and its like; flags and widths; `%%` is a percent sign. */
const CONVERSION = /%(%|([-0+ #]*)(\d*)(l{0,2})([diuxXcsp]))/g;
/** Conversions that a call has arguments for: r3, r4, r5. */
const MOST_ARGUMENTS = 3;
/** Characters of a string that is printed. */
const MOST_TEXT = 512;

export const tracePrintk: Helper = (run) => {
  const { host } = run;
  const [at, size] = [run.word(1), run.word(2)];
  if (host.u8.at(at + size - 1) !== 0) return -ERRNO.EINVAL;
  const format = textAt(run, at, size);
  const conversions = [...format.matchAll(CONVERSION)].filter(([, what]) => what !== "%");
  const isKnown = !format.replaceAll(CONVERSION, "").includes("%");
  if (!isKnown || conversions.length > MOST_ARGUMENTS) return -ERRNO.EINVAL;
  let next = 0;
  const line = format.replaceAll(CONVERSION, (_whole, what, flags, width, longs, kind) => {
    if (what === "%") return "%";
    const register = 3 + next++;
    const text = converted(run, register, longs === "" ? 32 : 64, kind, flags);
    if (flags.includes("-")) return text.padEnd(Number(width));
    return text.padStart(Number(width), flags.includes("0") ? "0" : " ");
  });
  run.surroundings.trace(line.endsWith("\n") ? line.slice(0, -1) : line);
  return line.length;
};

function converted(run: Execution, register: number, bits: number, kind: string, flags: string): string {
  const value = BigInt.asUintN(bits, run.state.register(register));
  switch (kind) {
    case "d":
    case "i":
      return `${BigInt.asIntN(bits, value)}`;
    case "x":
      return `${flags.includes("#") ? "0x" : ""}${value.toString(16)}`;
    case "X":
      return `${flags.includes("#") ? "0X" : ""}${value.toString(16).toUpperCase()}`;
    case "c":
      return String.fromCharCode(Number(value & 0xffn));
    case "p":
      return run.state.register(register).toString(16).padStart(16, "0");
    case "s":
      return stringAt(run, run.word(register));
  }
  return `${value}`;
}

/** A string of the program's stack or of its variables; what is elsewhere is not for it to read. */
function stringAt(run: Execution, address: number): string {
  const { host, state, surroundings } = run;
  const places = [state.stack];
  for (const { table, valueSize } of surroundings.maps.values()) {
    if (table.type === "array" && table.maxEntries === 1) {
      places.push({ address: host.core.arrayElement(table.handle, 0) >>> 0, bytes: valueSize });
    }
  }
  const place = places.find(({ address: start, bytes }) => address >= start && address < start + bytes);
  if (place === undefined) return "(fault)";
  return textAt(run, address, Math.min(MOST_TEXT, place.address + place.bytes - address));
}

/** Up to a zero byte. */
function textAt({ host }: Execution, at: number, most: number): string {
  const bytes = host.u8.slice(at, at + most);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
