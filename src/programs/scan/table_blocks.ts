/**
 * How the blocks of a table hold their entries, for generated code that walks over them. The diagrams are in
 * assembly/table/layout/block_keys.ts, block_tags.ts and block_refs.ts.
 *
 * @module
 */

import type { CoreHost } from "../../core/core_host.ts";
import {
  ELEMENT_KEY,
  KEYS_CELL,
  KEYS_CELLS,
  KEYS_OVERFLOW_CELLS,
  KEYS_OVERFLOW_LINK,
  KEYS_OVERFLOW_SLOTS,
  KEYS_OVERFLOW_USED,
  LAYOUT_KEYS,
  LAYOUT_REFS,
  LAYOUT_TAGS,
  LEAST_TAG,
  PLAIN_KEYS_LINK,
  PLAIN_KEYS_SLOTS,
  PLAIN_KEYS_USED,
  PLAIN_REFS_SLOTS,
  PLAIN_TAGS_KEYS,
  REFS_ADDRESSES,
  REFS_LINK,
  SHARED_KEYS_LINK,
  SHARED_KEYS_SLOTS,
  SHARED_KEYS_USED,
  SHARED_REFS_SLOTS,
  SHARED_TAGS_KEYS,
  TABLE_ELEMENT_STRIDE,
  TABLE_KEY_SIZE,
  TABLE_LANE,
  TABLE_LAYOUT,
  TABLE_OVERFLOW_MASK,
  TABLE_OVERFLOW_VALUES,
  TABLE_SLOT_MASK,
  TABLE_VALUE_SIZE,
  TABLE_VALUES,
  TAGS_LINK,
  WIDTH_BITS,
} from "../../generated/abi.js";
import { type CodeWriter, I8X16, I16X8, I32, type Local, V128 } from "../wasm/index.ts";

/** Locals of a walk: the block, whether it is a bucket (1) or an overflow block (0), and a slot of it. */
export interface Walk {
  readonly block: Local;
  readonly first: Local;
  readonly slot: Local;
}

/** Writes the parts of a walk over blocks that differ by layout. Each leaves one i32 on the stack. */
export interface BlockWriter {
  /** The set of used slots, a bit each. */
  occupied(code: CodeWriter, walk: Walk): void;
  /** Where the key of the slot is. */
  key(code: CodeWriter, walk: Walk): void;
  value(code: CodeWriter, walk: Walk): void;
  /** The next block of the chain, or 0. */
  link(code: CodeWriter, walk: Walk): void;
}

/** Constants of a table: of a bucket and of an overflow block. */
type Pair = readonly [bucket: number, overflow: number];

/** One of two constants, by the kind of block. */
function choose(code: CodeWriter, { first }: Walk, [bucket, overflow]: Pair): void {
  if (bucket === overflow) code.i32(bucket);
  else code.i32(bucket).i32(overflow).get(first).select();
}

/** `slot * bytes`. */
function scaled(code: CodeWriter, { slot }: Walk, bytes: number): void {
  const shift = Math.log2(bytes);
  code.get(slot);
  if (Number.isInteger(shift)) code.i32(shift).op(I32.shl);
  else code.i32(bytes).op(I32.mul);
}

/** The word at `block + offset`, where the offset depends on the kind of block. */
function wordAt(code: CodeWriter, walk: Walk, offsets: Pair): void {
  code.get(walk.block);
  if (offsets[0] === offsets[1]) {
    code.load(I32.load, offsets[0]);
    return;
  }
  choose(code, walk, offsets);
  code.op(I32.add).load(I32.load);
}

function linkAt(offsets: Pair, shared: boolean): BlockWriter["link"] {
  return (code, walk) => {
    wordAt(code, walk, offsets);
    if (shared) code.i32(~WIDTH_BITS).op(I32.and);
  };
}

function keysWriter(shared: boolean): BlockWriter {
  const slots = shared ? SHARED_KEYS_SLOTS : PLAIN_KEYS_SLOTS;
  const masks: Pair = [2 ** slots - 1, 2 ** KEYS_OVERFLOW_SLOTS - 1];
  return {
    occupied(code, walk) {
      wordAt(code, walk, [shared ? SHARED_KEYS_USED : PLAIN_KEYS_USED, KEYS_OVERFLOW_USED]);
      choose(code, walk, masks);
      code.op(I32.and);
    },
    key(code, walk) {
      code.get(walk.block);
      scaled(code, walk, 4);
      code.op(I32.add);
    },
    value(code, walk) {
      code.get(walk.block);
      scaled(code, walk, KEYS_CELL);
      code.op(I32.add);
      choose(code, walk, [KEYS_CELLS, KEYS_OVERFLOW_CELLS]);
      code.op(I32.add);
    },
    link: linkAt([shared ? SHARED_KEYS_LINK : PLAIN_KEYS_LINK, KEYS_OVERFLOW_LINK], shared),
  };
}

function tagsWriter(field: (offset: number) => number, shared: boolean): BlockWriter {
  const masks: Pair = [field(TABLE_SLOT_MASK), field(TABLE_OVERFLOW_MASK)];
  const values: Pair = [field(TABLE_VALUES), field(TABLE_OVERFLOW_VALUES)];
  return {
    occupied(code, walk) {
      code.get(walk.block).load(V128.load);
      code.v128Const(new Uint8Array(16).fill(LEAST_TAG)).op(I8X16.ge_u).op(I8X16.bitmask);
      choose(code, walk, masks);
      code.op(I32.and);
    },
    key(code, walk) {
      code.get(walk.block);
      scaled(code, walk, field(TABLE_KEY_SIZE));
      code
        .op(I32.add)
        .i32(shared ? SHARED_TAGS_KEYS : PLAIN_TAGS_KEYS)
        .op(I32.add);
    },
    value(code, walk) {
      code.get(walk.block);
      scaled(code, walk, field(TABLE_VALUE_SIZE));
      code.op(I32.add);
      choose(code, walk, values);
      code.op(I32.add);
    },
    link: linkAt([TAGS_LINK, TAGS_LINK], shared),
  };
}

function refsWriter(field: (offset: number) => number, shared: boolean): BlockWriter {
  const slots = shared ? SHARED_REFS_SLOTS : PLAIN_REFS_SLOTS;
  const zeros = new Uint8Array(16);
  const values = field(TABLE_VALUES);
  // Slots of per-CPU values in lanes: an element is its address plus its place in a group (assembly/table/layout/lanes.ts).
  const lane = shared ? field(TABLE_LANE) : 0;
  /** What refers to the slot's element. */
  const entry = (code: CodeWriter, walk: Walk) => {
    code.get(walk.block);
    scaled(code, walk, 4);
    code.op(I32.add).load(I32.load, REFS_ADDRESSES);
  };
  return {
    occupied(code, { block }) {
      for (const half of [0, 16]) code.get(block).load(V128.load, half).v128Const(zeros).op(I16X8.eq);
      code.op(I8X16.narrow_i16x8_s).op(I8X16.bitmask);
      code
        .i32(-1)
        .op(I32.xor)
        .i32(2 ** slots - 1)
        .op(I32.and);
    },
    key(code, walk) {
      entry(code, walk);
      if (lane > 0) code.i32(-8).op(I32.and);
      code.i32(ELEMENT_KEY).op(I32.add);
    },
    value(code, walk) {
      entry(code, walk);
      if (lane > 0) {
        code.i32(-8).op(I32.and);
        entry(code, walk);
        code
          .i32(7)
          .op(I32.and)
          .i32((lane - values) / 8)
          .op(I32.mul)
          .op(I32.add);
      }
      code.i32(values).op(I32.add);
    },
    link: linkAt([REFS_LINK, REFS_LINK], shared),
  };
}

function fieldOf(host: CoreHost, table: number, offset: number): number {
  return host.word(table + offset);
}

/** Whether the entries of a table are elements of their own. */
export function isOutOfLine(host: CoreHost, table: number): boolean {
  return fieldOf(host, table, TABLE_LAYOUT) === LAYOUT_REFS;
}

/** Bytes from one element to the next, and from its start to its value. */
export function elementSizes(host: CoreHost, table: number): { stride: number; valueOffset: number } {
  return {
    stride: fieldOf(host, table, TABLE_ELEMENT_STRIDE),
    valueOffset: fieldOf(host, table, TABLE_VALUES),
  };
}

/** What writes walks over the blocks of a table, whose layout is for life. */
export function blockWriter(host: CoreHost, table: number): BlockWriter {
  const field = (offset: number) => fieldOf(host, table, offset);
  const layout = field(TABLE_LAYOUT);
  if (layout === LAYOUT_KEYS) return keysWriter(host.shared);
  return layout === LAYOUT_TAGS ? tagsWriter(field, host.shared) : refsWriter(field, host.shared);
}
