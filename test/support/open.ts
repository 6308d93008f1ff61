import { createHost } from "../../src/hosts.ts";
import type { OpenSubject, SubjectSpec } from "../../src/testing/index.ts";
import { bySize } from "./size.ts";
import { type AnySpec, openAnySubject } from "./text_subject.ts";

/** Bytes; small, because some engines reserve the address space of every host at once. */
const MAX_MEMORY = 256 * 1024 * 1024;

/** Opens the map on a host of its own with a fixed seed: the same layout every time. */
export function opener(spec: AnySpec, seed: number): OpenSubject {
  // Time passes by operations alone.
  return () => openAnySubject(createHost({ seed, cpus: 2, maxMemory: MAX_MEMORY, clock: () => 0 }), spec);
}

/** What test names and messages show of a spec. */
export function describeSpec(spec: SubjectSpec): string {
  const { type, keySize, valueSize, maxEntries, eviction, flags = 0, mapExtra, absentFilter = false } = spec;
  const { ttl, ttlResolution = 10, updateAgeOnGet = false, numbers = false } = spec;
  const time = ttl === undefined ? "" : ` ttl ${ttl}/${ttlResolution}${updateAgeOnGet ? " renewed" : ""}`;
  const prealloc = type === "hash" && flags !== 0 ? " NO_PREALLOC" : "";
  const policy = eviction === undefined ? "" : ` by ${eviction}`;
  const hint = mapExtra === undefined ? "" : ` hint ${mapExtra}`;
  const texts = "texts" in spec ? " of texts" : numbers ? " of numbers" : "";
  const filter = absentFilter ? ", filter" : "";
  return `${type}${policy}${texts}${prealloc} ${keySize}+${valueSize} bytes, ${maxEntries} entries${hint}${filter}${time}`;
}

/**
 * Sizes of key and value that lead to each kind of layout: 4-byte keys with small values, 8-byte keys, other small entries, the
 * largest that still may be inline, and entries out of line.
 */
export const LAYOUT_SIZES = [
  { keySize: 4, valueSize: 8 },
  { keySize: 4, valueSize: 3 },
  { keySize: 8, valueSize: 8 },
  { keySize: 13, valueSize: 5 },
  { keySize: 16, valueSize: 8 },
  { keySize: 16, valueSize: 32 },
  { keySize: 5, valueSize: 120 },
] as const;

/** Those that a suite goes through: in npm test every other one, which are of as many kinds. */
export const layoutSizes = () => LAYOUT_SIZES.filter((_, i) => i % bySize(2, 1) === 0);
