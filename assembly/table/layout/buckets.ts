// Which bucket a hash belongs to, and where that bucket is (linear hashing: Litwin, VLDB 1980).
//
// N buckets, 2^L <= N < 2^(L+1). Buckets below N - 2^L and from 2^L on are split at level L + 1, the others are not yet.
// Bucket b covers the hashes whose low bits are b; read with the bits reversed that is an interval, which a split halves.
import { SHARED } from "../../build";
import { insist } from "../../damage";
import { ZEROS } from "../../regions";
import { write32 } from "../../sync/journal";
import { GONE_WIDTH, WIDTH_BITS } from "../../sync/word";
import { BUCKETS, BUCKET_SEGMENTS, BUCKET_SHIFT, FLAT, FLAT_BUCKETS, MASK, field } from "./header";
import { firstOf, recordsOf, segmentOf } from "./segments";

/** Ends the call when the table counts more buckets than it has room for: what walks over all of them would not end. */
export function insistOnBuckets(table: usize): void {
  const array = table + BUCKET_SEGMENTS;
  const last = field(table, BUCKETS) - 1;
  if (SHARED) insist(segmentOf(last, load<u32>(array, 4)) < load<u32>(array, 8));
  else insist(load<u32>(array) ? last >> load<u32>(array, 4) < load<u32>(array, 8) : last < field(table, FLAT_BUCKETS));
}

/** MASK of a table with N buckets. The shared build takes it from N: two words cannot be read at once. */
@inline export function maskOf(buckets: u32): u32 {
  return 0xffffffff >> clz(buckets);
}

@inline export function indexIn(buckets: u32, hash: u32): u32 {
  const mask = maskOf(buckets);
  const bucket = hash & mask;
  return select<u32>(bucket, hash & (mask >> 1), bucket < buckets);
}

/** Bits of the hash that tell a bucket from the others: popcnt of `bucketMask`. */
@inline export function widthIn(buckets: u32, bucket: u32): u32 {
  const half = maskOf(buckets) >> 1;
  return 31 - clz(buckets) + <u32>(bucket > half || bucket + half + 1 < buckets);
}

/** The width that a bucket itself says, in the low bits of its link: shared build only. */
@inline export function bucketWidth<B>(bucket: usize): u32 {
  return load<u32>(bucket + changetype<B>(0).widthOffset()) & WIDTH_BITS;
}

export function setBucketWidth<B>(bucket: usize, width: u32): void {
  const word = bucket + changetype<B>(0).widthOffset();
  write32(word, (load<u32>(word) & ~WIDTH_BITS) | width);
}

@inline export function bucketIndex(table: usize, hash: u32): u32 {
  if (SHARED) return indexIn(atomic.load<u32>(table, BUCKETS), hash);
  const mask = field(table, MASK);
  const bucket = hash & mask;
  return select<u32>(bucket, hash & (mask >> 1), bucket < field(table, BUCKETS));
}

@inline export function bucketAddress<B>(table: usize, bucket: u32): usize {
  const start = bucket * changetype<B>(0).bucketBytes(table);
  const directory = <usize>field(table, BUCKET_SEGMENTS);
  if (!SHARED && !directory) return <usize>(field(table, FLAT) + start);
  const shift = load<u32>(table, BUCKET_SHIFT);
  const segment = SHARED ? segmentOf(bucket, shift) : bucket >> shift;
  return <usize>(load<u32>(directory + (<usize>segment << 2)) + start);
}

/** The same for who keeps the words of the header in locals. Nobody else but who allocates buckets goes by how they lie. */
@inline export function bucketIn(table: usize, directory: usize, shift: u32, bucket: u32, stride: u32): usize {
  if (SHARED) return <usize>(load<u32>(directory + (<usize>segmentOf(bucket, shift) << 2)) + bucket * stride);
  if (!directory) return <usize>(field(table, FLAT) + bucket * stride);
  return <usize>(load<u32>(directory + (<usize>(bucket >> shift) << 2)) + bucket * stride);
}

@inline export function bucketOf<B>(table: usize, hash: u32): usize {
  return bucketAddress<B>(table, bucketIndex(table, hash));
}

/** The hash bits that tell bucket `bucket` from the others: its index fills them. */
@inline export function bucketMask(table: usize, bucket: u32): u32 {
  if (SHARED) return <u32>(((<u64>1) << (<u64>widthIn(atomic.load<u32>(table, BUCKETS), bucket))) - 1);
  const mask = field(table, MASK);
  const half = mask >> 1;
  return bucket <= half && bucket + half + 1 >= field(table, BUCKETS) ? half : mask;
}

/** Directory entry of a segment that nobody has written to: its buckets read as the zeros at ZEROS, which are empty buckets. Shared build. */
@inline export function untouchedEntry(segment: u32, shift: u32, stride: u32): u32 {
  return <u32>ZEROS - firstOf(segment, shift) * stride;
}

/** Records of a segment of a table whose number of buckets is fixed: the last segment is cut to what is needed. Shared build. */
@inline export function fixedRecords(table: usize, segment: u32, shift: u32): u32 {
  return min(recordsOf(segment, shift), field(table, BUCKETS) - firstOf(segment, shift));
}

/** Whether a hash belongs to a bucket of a width, also when that is not the one that N said. Never, when a merge has taken it away. */
@inline export function belongs(hash: u32, index: u32, width: u32): bool {
  return (hash & ((1 << width) - 1)) == index && width < GONE_WIDTH;
}
