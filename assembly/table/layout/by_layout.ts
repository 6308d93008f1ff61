// The one place that goes by the layout of a table. AssemblyScript has no closures, so what is to be done is a class, an operation: a
// method without state that is generic over the layout B of blocks and, where a key is given, over the kind K of key. All of it is
// inlined: what is left is the comparisons of the layout, as if they were written out.
//
//   call0<B>(table) to call4<B>(table, a, b, c, d)                               for `byLayout`
//   call0<B, K>(table, key, hash) to call4<B, K>(table, key, hash, a, b, c, d)   for `byKey` and `byKeyAt`
//   many<B, K>(table, stage, keys, count, values, found)                         for `byKeys`
//
// An operation has one of them: the digit is the number of its own arguments. Arguments and results are words of type usize, and
// the result is 0 where there is none. Each function has one exit: with a return in every branch the compiled code is larger.
import { tagged } from "../../hash/hash";
import { Key16, KeyAny, KeyText, hashKey, isText } from "../../hash/key";
import { BlockKeys } from "./block_keys";
import { BlockRefs, BlockTexts } from "./block_refs";
import { BlockTags } from "./block_tags";
import { KEY_SIZE, LAYOUT, LAYOUT_KEYS, LAYOUT_REFS, LAYOUT_TAGS, LAYOUT_TEXTS, SEEDS, field } from "./header";

@inline export function layoutOf(table: usize): u32 {
  return field(table, LAYOUT);
}

/** Whether the entries of a table are elements of their own and of one size (elements.ts). */
@inline export function hasElements(table: usize): bool {
  return layoutOf(table) == LAYOUT_REFS;
}

/** Whether its keys are texts (texts.ts). */
@inline export function hasTexts(table: usize): bool {
  return layoutOf(table) == LAYOUT_TEXTS;
}

/** A hash as a layout has it: where its bits are tags, it is at least 2^16. */
@inline export function hashIn(layout: u32, hash: u32): u32 {
  return layout == LAYOUT_REFS || layout == LAYOUT_TEXTS ? tagged(hash) : hash;
}

/** The hash of a key of any kind at an address; for `byKeyAt`. */
@inline export function hashKeyAt(layout: u32, table: usize, key: usize): u32 {
  const size = field(table, KEY_SIZE);
  if (layout == LAYOUT_TEXTS) return hashKey<KeyText>(table + SEEDS, changetype<KeyText>(key), size);
  return hashKey<KeyAny>(table + SEEDS, changetype<KeyAny>(key), size);
}

@inline function call<O, B>(table: usize, a: usize, b: usize, c: usize, d: usize): usize {
  if (isDefined(changetype<O>(0).call0)) return changetype<O>(0).call0<B>(table);
  if (isDefined(changetype<O>(0).call1)) return changetype<O>(0).call1<B>(table, a);
  if (isDefined(changetype<O>(0).call2)) return changetype<O>(0).call2<B>(table, a, b);
  if (isDefined(changetype<O>(0).call3)) return changetype<O>(0).call3<B>(table, a, b, c);
  return changetype<O>(0).call4<B>(table, a, b, c, d);
}

/** Does an operation O. The layout is an argument, since some know it already. */
@inline export function byLayout<O>(
  layout: u32, table: usize, a: usize = 0, b: usize = 0, c: usize = 0, d: usize = 0,
): usize {
  let result: usize;
  if (layout == LAYOUT_TEXTS) result = call<O, BlockTexts>(table, a, b, c, d);
  else result = byRunLayout<O>(layout, table, a, b, c, d);
  return result;
}

/** `byLayout` for runs, which do not go over tables of texts (src/runs/process.ts). */
@inline export function byRunLayout<O>(
  layout: u32, table: usize, a: usize = 0, b: usize = 0, c: usize = 0, d: usize = 0,
): usize {
  let result: usize;
  if (layout == LAYOUT_KEYS) result = call<O, BlockKeys>(table, a, b, c, d);
  else if (layout == LAYOUT_TAGS) result = call<O, BlockTags>(table, a, b, c, d);
  else result = call<O, BlockRefs>(table, a, b, c, d);
  return result;
}

@inline function callWith<O, B, K>(table: usize, key: K, hash: u32, a: usize, b: usize, c: usize, d: usize): usize {
  if (isDefined(changetype<O>(0).call0)) return changetype<O>(0).call0<B, K>(table, key, hash);
  if (isDefined(changetype<O>(0).call1)) return changetype<O>(0).call1<B, K>(table, key, hash, a);
  if (isDefined(changetype<O>(0).call2)) return changetype<O>(0).call2<B, K>(table, key, hash, a, b);
  if (isDefined(changetype<O>(0).call3)) return changetype<O>(0).call3<B, K>(table, key, hash, a, b, c);
  return changetype<O>(0).call4<B, K>(table, key, hash, a, b, c, d);
}

/** Does an operation with a key. The layout "keys" has keys of 4 bytes only, so for others there is nothing to compare with it. */
@inline export function byKey<O, K>(
  layout: u32, table: usize, key: K, hash: u32, a: usize = 0, b: usize = 0, c: usize = 0, d: usize = 0,
): usize {
  let result: usize;
  if (isInteger<K>() && sizeof<K>() == 4 && layout == LAYOUT_KEYS) {
    result = callWith<O, BlockKeys, u32>(table, <u32>key, hash, a, b, c, d);
  } else if (isText<K>()) result = callWith<O, BlockTexts, K>(table, key, tagged(hash), a, b, c, d);
  else if (layout == LAYOUT_TAGS) result = callWith<O, BlockTags, K>(table, key, hash, a, b, c, d);
  else result = callWith<O, BlockRefs, K>(table, key, tagged(hash), a, b, c, d);
  return result;
}

/** The same with a key of any size at an address: fewer copies of the operation than one for each kind of key. */
@inline export function byKeyAt<O>(
  layout: u32, table: usize, key: usize, hash: u32, a: usize = 0, b: usize = 0, c: usize = 0, d: usize = 0,
): usize {
  let result: usize;
  if (layout == LAYOUT_KEYS) result = callWith<O, BlockKeys, u32>(table, load<u32>(key), hash, a, b, c, d);
  else result = byOtherKeyAt<O>(layout, table, key, hash, a, b, c, d);
  return result;
}

/** The same for runs. */
@inline export function byRunKeyAt<O>(layout: u32, table: usize, key: usize, hash: u32, a: usize = 0, b: usize = 0): usize {
  let result: usize;
  if (layout == LAYOUT_KEYS) result = callWith<O, BlockKeys, u32>(table, load<u32>(key), hash, a, b, 0, 0);
  else result = byKey<O, KeyAny>(layout, table, changetype<KeyAny>(key), hash, a, b);
  return result;
}

/** The same with a key that does not have 4 bytes. */
@inline export function byOtherKeyAt<O>(
  layout: u32, table: usize, key: usize, hash: u32, a: usize = 0, b: usize = 0, c: usize = 0, d: usize = 0,
): usize {
  let result: usize;
  if (layout == LAYOUT_TEXTS) result = byKey<O, KeyText>(layout, table, changetype<KeyText>(key), hash, a, b, c, d);
  else result = byKey<O, KeyAny>(layout, table, changetype<KeyAny>(key), hash, a, b, c, d);
  return result;
}

@inline function byTag<O, K>(
  table: usize, stage: usize, keys: usize, count: u32, values: usize, found: usize,
): u32 {
  if (layoutOf(table) == LAYOUT_TAGS) return changetype<O>(0).many<BlockTags, K>(table, stage, keys, count, values, found);
  return changetype<O>(0).many<BlockRefs, K>(table, stage, keys, count, values, found);
}

/** Does an operation with many keys packed at `keys`. */
@inline export function byKeys<O>(
  table: usize, stage: usize, keys: usize, count: u32, values: usize = 0, found: usize = 0,
): u32 {
  const size = field(table, KEY_SIZE);
  if (size == 4) {
    if (layoutOf(table) == LAYOUT_KEYS) {
      return changetype<O>(0).many<BlockKeys, u32>(table, stage, keys, count, values, found);
    }
    return byTag<O, u32>(table, stage, keys, count, values, found);
  }
  if (size == 8) return byTag<O, u64>(table, stage, keys, count, values, found);
  if (size == 16) return byTag<O, Key16>(table, stage, keys, count, values, found);
  if (hasTexts(table)) return changetype<O>(0).many<BlockTexts, KeyText>(table, stage, keys, count, values, found);
  return byTag<O, KeyAny>(table, stage, keys, count, values, found);
}
