/**
 * The kit that checks maps: a reference model, operations as data with an encoding in bytes, a seeded generator, and a
 * replay that compares a map with the model step by step. The project's own tests are built from it, and fuzz harnesses
 * import it as `bpfmap/testing`. It runs in browsers as well.
 *
 * @module
 * @example
 * ```ts
 * import { createHost } from "bpfmap";
 * import { generateOperations, openSubject, replayAndShrink } from "bpfmap/testing";
 *
 * const seed = 42;
 * const spec = { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 1000 } as const;
 * const operations = generateOperations({ seed, steps: 20_000, keys: 2000, maxEntries: 1000 });
 * const summary = replayAndShrink(operations, () => openSubject(createHost({ seed }), spec), { seed });
 * console.log(`${summary.steps} operations, ${summary.scans} complete scans, no divergence`);
 * ```
 */
export { AddressBook, AddressViolation, type ReadMemory } from "./address_book.ts";
export { fromHex, keyBytes, toHex, valueBytes } from "./bytes.ts";
export { ReplayDivergence, type ReplayPosition } from "./divergence.ts";
export { type GeneratorOptions, generateOperations } from "./generator.ts";
export { type ReferenceEntry, ReferenceMap, type ReferenceMapOptions, type ReferenceType } from "./model.ts";
export {
  decodeOperations,
  encodeOperations,
  MAX_MANY,
  MAX_ROOM,
  type Operation,
  type OperationKind,
  OperationWriter,
  SLOTS,
} from "./operations.ts";
export { Random } from "./random.ts";
export type { ReferenceExpiryOptions } from "./reference_expiry.ts";
export { type ReplayOptions, type ReplaySummary, replay } from "./replay.ts";
export type { CompleteScans } from "./running_scans.ts";
export { ScanChecker, ScanViolation } from "./scan_checker.ts";
export { type OpenSubject, replayAndShrink } from "./shrink.ts";
export {
  type ManyFound,
  openSubject,
  type ScanStep,
  type Subject,
  type SubjectScan,
  type SubjectSpec,
  type SubjectStats,
} from "./subject.ts";
