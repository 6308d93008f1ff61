// An assembler for the few BPF instructions that bench/kernel/programs.mjs needs, so that the benchmark takes no compiler for
// them. Encoding: struct bpf_insn and the constants of include/uapi/linux/bpf.h and include/uapi/linux/bpf_common.h; what each
// instruction means: Documentation/bpf/standardization/instruction-set.rst.

// Registers: r0 results, r1 to r5 arguments (lost in a call), r6 to r9 kept across calls, r10 the frame pointer.
export const [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10] = Array.from({ length: 11 }, (_, number) => ({
  number,
}));

// Classes, sizes, modes and operations: the low three bits of the opcode, the next two, and the rest.
const [LD, LDX, STX, JMP, ALU64] = [0x00, 0x01, 0x03, 0x05, 0x07];
const SIZE = { u32: 0x00, u64: 0x18 };
const [IMM, MEM] = [0x00, 0x60];
const [FROM_IMMEDIATE, FROM_REGISTER] = [0x00, 0x08];
const [ADD, RSH, MOV] = [0x00, 0x70, 0xb0];
const JUMP = { always: 0x00, "==": 0x10, ">": 0x20, "&": 0x40, "!=": 0x50, "<": 0xa0 };
const [CALL, EXIT] = [0x80, 0x90];
const [PSEUDO_MAP_FD, PSEUDO_MAP_VALUE] = [1, 2];

/** Helper functions, by number: __BPF_FUNC_MAPPER of bpf.h. */
export const HELPER = { mapLookupElem: 1, mapUpdateElem: 2, mapDeleteElem: 3 };

/**
 * What the functions below give and `assemble` takes: one or two instructions of 8 bytes, or a label. `to` is the label that
 * a jump leads to.
 *
 * @typedef {{ code: number, dst?: number, src?: number, off?: number, imm?: number, to?: string }} Instruction
 * @typedef {{ number: number }} Register
 */

/** @returns {Instruction} */
function withSource(code, dst, source, rest) {
  return typeof source === "number"
    ? { code: code | FROM_IMMEDIATE, dst: dst.number, imm: source, ...rest }
    : { code: code | FROM_REGISTER, dst: dst.number, src: source.number, ...rest };
}

/** dst = source, a register or a signed 32-bit number; the same for the next two. All are 64 bits wide. */
export const move = (dst, source) => withSource(ALU64 | MOV, dst, source);
export const add = (dst, source) => withSource(ALU64 | ADD, dst, source);
export const shiftRight = (dst, source) => withSource(ALU64 | RSH, dst, source);

/** dst = *(size *)(base + off) */
export const load = (size, dst, base, off) => ({
  code: LDX | MEM | SIZE[size],
  dst: dst.number,
  src: base.number,
  off,
});

/** *(size *)(base + off) = src */
export const store = (size, base, off, src) => ({
  code: STX | MEM | SIZE[size],
  dst: base.number,
  src: src.number,
  off,
});

/** Two instructions long: the upper half of the 64-bit immediate is the second one's. */
const loadWide = (dst, pseudo, imm, upper) => [
  { code: LD | IMM | SIZE.u64, dst: dst.number, src: pseudo, imm },
  { code: 0, imm: upper },
];
/** dst = the map itself: the first argument of the map helpers. */
export const mapOf = (dst, fd) => loadWide(dst, PSEUDO_MAP_FD, fd, 0);
/** dst = address of the only element of an array map. */
export const elementOf = (dst, fd) => loadWide(dst, PSEUDO_MAP_VALUE, fd, 0);

export const jump = (to) => ({ code: JMP | JUMP.always, to });
/** if (dst comparison source) goto to; 64 bits wide, `<` and `>` are of unsigned numbers, and `&` is a bit that both have */
export const jumpIf = (dst, comparison, source, to) =>
  withSource(JMP | JUMP[comparison], dst, source, { to });
export const call = (helper) => ({ code: JMP | CALL, imm: helper });
export const exit = () => ({ code: JMP | EXIT });
export const label = (name) => ({ label: name });

/**
 * The bytes of a program. A jump counts instructions from the one behind it.
 *
 * @param {(Instruction | { label: string } | (Instruction | { label: string })[])[]} parts
 * @returns {Uint8Array}
 */
export function assemble(parts) {
  const labels = new Map();
  const instructions = [];
  for (const part of parts.flat(Number.POSITIVE_INFINITY)) {
    if (part.label !== undefined) labels.set(part.label, instructions.length);
    else instructions.push(part);
  }
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ code, dst = 0, src = 0, off = 0, imm = 0, to }, index) => {
    if (to !== undefined && !labels.has(to)) throw new Error(`no label ${to}`);
    const target = to === undefined ? off : labels.get(to) - (index + 1);
    view.setUint8(index * 8, code);
    view.setUint8(index * 8 + 1, (src << 4) | dst);
    view.setInt16(index * 8 + 2, target, true);
    view.setInt32(index * 8 + 4, imm, true);
  });
  return bytes;
}
