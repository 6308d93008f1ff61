/**
 * Bugs of the protocol, planted one at a time into a copy of the core, which the tests must find: replacements of source text that must
 * match exactly once, so a change of the core that makes one obsolete fails loudly.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileStepped, ROOT } from "./core.ts";

interface Replacement {
  /** Below assembly/. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Planted {
  readonly name: string;
  readonly replacements: readonly Replacement[];
  /** Part of the names of the programs or lists of kills that must find it. */
  readonly interleavings?: string;
  readonly kills?: string;
  readonly pools?: string;
  /** Name of a shape in whose maps inserts evict or sweep beside locks (try_lock.ts). */
  readonly besideLocks?: string;
}

const replaced = (file: string, find: string, replace: string): Replacement => ({ file, find, replace });

export const PLANTED: readonly Planted[] = [
  {
    name: "a reader does not look at the version again",
    replacements: [
      replaced(
        "table/entries/shared_read.ts",
        "load<u32>(lock) == version && load<u32>(table, RETIRED) == <u32>(head >> 32) &&",
        "",
      ),
      // Between finding a value and copying it there is no step.
      replaced(
        "table/entries/shared_read.ts",
        "if (value && action == COPY_OUT) copyBytes(",
        "if (STEPPING) step(STEP_READ);\n    if (value && action == COPY_OUT) copyBytes(",
      ),
    ],
    interleavings: "get and another key in its slot: rhash tags",
  },
  {
    name: "the number of buckets is stored before the commit point",
    replacements: [
      replaced(
        "table/resize/shared_resize.ts",
        "publish(table + BUCKETS, buckets + 1);",
        "atomic.store<u32>(table + BUCKETS, buckets + 1);",
      ),
    ],
    kills: "rhash keys",
  },
  {
    name: "a reader does not look at the width of a bucket",
    replacements: [
      replaced(
        "table/layout/buckets.ts",
        "return (hash & ((1 << width) - 1)) == index && width < GONE_WIDTH;",
        "return true;",
      ),
    ],
    interleavings: "get and split: rhash tags",
  },
  {
    name: "absent without a look at the width of a bucket",
    replacements: [
      replaced(
        "table/entries/shared_read.ts",
        "const own = belongs(hash, index, link & WIDTH_BITS) || !(field(table, FLAGS) & GROWABLE);",
        "const own = true;",
      ),
    ],
    interleavings: "get and split: rhash keys",
  },
  {
    name: "absent without a look at the chain of a bucket",
    replacements: [
      replaced("table/entries/shared_read.ts", "moved | (link & ~WIDTH_BITS) || !own", "moved || !own"),
    ],
    interleavings: "writes in chains: rhash keys",
  },
  {
    name: "moving an entry does not journal the slot that it overwrites",
    replacements: [
      replaced(
        "table/layout/block_tags.ts",
        "      logBytes(block.keyAt(table, to, targetFirst), field(table, KEY_SIZE));\n      logBytes(block.valueAt(table, to, targetFirst), field(table, VALUE_SIZE));\n",
        "",
      ),
    ],
    kills: "buckets with chains",
  },
  {
    name: "a lock is noted after it was taken",
    replacements: [
      replaced(
        "sync/lock.ts",
        "  setMine(LOCKS, <u32>word);\n  setMine(LOCKS + 4, version);\n  setMine(HELD, 1);\n",
        "",
      ),
      replaced(
        "sync/lock.ts",
        "    return true;\n  }\n  setMine(HELD, 0);\n",
        "    setMine(LOCKS, <u32>word);\n    setMine(LOCKS + 4, version);\n    setMine(HELD, 1);\n    return true;\n  }\n  setMine(HELD, 0);\n",
      ),
    ],
    kills: "rhash keys",
  },
  {
    name: "a writer of its own slot does not announce itself",
    replacements: [
      replaced(
        "table/entries/shared_read.ts",
        "if (value && action >= COPY_IN) announce(lock);\n    else fence();",
        "fence();",
      ),
      // Between the look at the version and the write there is no step.
      replaced(
        "table/entries/shared_read.ts",
        "if (same && !expired) writeOwn(",
        "if (STEPPING && same) step(STEP_CHECK);\n      if (same && !expired) writeOwn(",
      ),
    ],
    interleavings: "local adds and take",
  },
  {
    name: "credits are taken without the journal",
    replacements: [
      replaced("table/limit/credits.ts", "  logCredit(line, word, taken);\n", ""),
      replaced("table/limit/credits.ts", "  unlogCredit();\n", ""),
    ],
    kills: "rhash keys",
  },
  {
    name: "a split goes on with the journal of the one before",
    replacements: [
      replaced("sync/journal.ts", "  setMine(LOG_COUNT, 0);\n  releaseToFirst();\n", "  releaseToFirst();\n"),
    ],
    kills: "batches that resize",
  },
  {
    name: "a writer does not look again whether the bucket is still its own",
    replacements: [
      replaced(
        "table/entries/lock_bucket.ts",
        "plainBucketOf<B>(table, hash) == bucket && !field(table, PER_CPU)",
        "!field(table, PER_CPU)",
      ),
    ],
    interleavings: "two splits",
  },
  {
    name: "splits and merges do not mind sections",
    replacements: [
      replaced(
        "table/resize/resize.ts",
        "return changetype<B>(0).holdsValues() && inSection();",
        "return false;",
      ),
    ],
    interleavings: "an address and a split",
  },
  {
    name: "credits of others are taken without the lock",
    replacements: [
      replaced("table/limit/credits.ts", "if (!acquireOnce(table + POOL_LOCK)) return false;", ""),
    ],
    interleavings: "two inserts at the limit",
  },
  {
    name: "the length of an array is stored before the commit point",
    replacements: [
      replaced(
        "arrays/grow.ts",
        "publish(table + MAX_ENTRIES, entries);",
        "atomic.store<u32>(table, entries, MAX_ENTRIES);",
      ),
    ],
    kills: "arrays that grow",
  },
  {
    name: "the length of an array is stored before its memory is there",
    replacements: [
      replaced(
        "arrays/grow.ts",
        "  if (held < needed) {\n    if",
        "  if (held < needed) {\n    publish(table + MAX_ENTRIES, entries);\n    if",
      ),
    ],
    interleavings: "growth and who uses the new elements: array of 24 bytes",
  },
  {
    name: "a low-water mark is claimed by an insert that is undone",
    replacements: [
      replaced(
        "table/limit/credits.ts",
        "atomic.store<u32>(table, 1, MARKED); //",
        "setField(table, MARKED, 1); //",
      ),
    ],
    interleavings: "two inserts at a low-water mark",
  },
  {
    name: "clearing up behind one dead thread waits for the locks of another",
    replacements: [replaced("sync/lock.ts", "if (mine(SLOT_FLAGS) & IN_HASTE) {", "if (false) {")],
    pools: "rhash keys: maps and maps",
  },
  {
    name: "who waits for a dead thread does not see that its recoverer is dead, too",
    replacements: [
      replaced("sync/recover.ts", "      cpu = state >> WHO;\n      continue;", "      return false;"),
    ],
    pools: "rhash keys: inserts and inserts",
  },
  {
    name: "who waits does not ask whether the owner is gone",
    replacements: [
      replaced(
        "sync/recover.ts",
        "& IN_HASTE || !isGone(cpu)) return false;",
        "& IN_HASTE || true) return false;",
      ),
    ],
    pools: "rhash keys: inserts and inserts",
  },
  {
    name: "a sweep forgets the table that it could not destroy before",
    replacements: [replaced("host/registry.ts", "  if (mine(ORPHAN) && !adoptOrphan(SLOT)) return;\n", "")],
    interleavings: "clearing up behind a dead thread while maps are made",
  },
  {
    name: "an entry whose slot the newcomer takes is not journaled",
    replacements: [
      replaced(
        "table/entries/evict.ts",
        "  if (SHARED) changetype<B>(block).logEntry(table, slot, first);",
        "  ",
      ),
    ],
    kills: "lru_hash tags, 60",
  },
  {
    name: "an insert that evicts waits for the lock of its victim's bucket",
    replacements: [
      replaced(
        "table/entries/shared_noted.ts",
        "if (!tryAcquire(lock)) return false;",
        "if (!acquire(lock)) return false;",
      ),
      replaced("table/entries/shared_noted.ts", "import { lockErrno, ", "import { acquire, lockErrno, "),
    ],
    besideLocks: "lru_hash keys, 60",
  },
  {
    name: "a victim is not looked at again under the lock of its bucket",
    replacements: [
      replaced(
        "table/entries/shared_noted.ts",
        "if (free && isEntry<B>(table, bucket, victim & ~SLOT_OF, <u32>(victim & SLOT_OF))) {",
        "if (free) {",
      ),
    ],
    interleavings: "delete and an insert that evicts",
  },
  {
    name: "an insert evicts from a bucket in which somebody counts",
    replacements: [
      replaced(
        "table/entries/shared_noted.ts",
        "const free = !field(table, PER_CPU) || isUnannounced(lock);",
        "const free = true;",
      ),
    ],
    interleavings: "local adds and an insert that evicts",
  },
  {
    name: "an eviction is counted as a delete",
    replacements: [replaced("table/entries/drop.ts", "  if (!replaced) {", "  if (true) {")],
    kills: "lru_hash keys, 60",
  },
  {
    name: "an insert that can evict nothing gives up",
    replacements: [
      replaced(
        "table/entries/shared_noted.ts",
        "return value == BLOCKED ? obtainAgain<B, K>(table, key, hash, flags) : value;",
        "return value;",
      ),
    ],
    interleavings: "inserts that evict, one for an empty bucket",
  },
  {
    name: "an entry that is revived is not journaled",
    replacements: [replaced("table/entries/shared_noted.ts", "    logExpired(table, value);\n", "")],
    kills: "rhash tags, expiring",
  },
  {
    name: "what was swept is not committed before the insert",
    replacements: [
      replaced("table/entries/shared_sweep.ts", "return !swept || goOn(table, told);", "return true;"),
    ],
    kills: "rhash tags, expiring",
  },
  {
    name: "a sweep waits for the lock of the bucket at the hand",
    replacements: [
      replaced(
        "table/entries/shared_sweep.ts",
        "if (!tryAcquire(lock)) return 0;",
        "if (!acquire(lock)) return 0;",
      ),
      replaced("table/entries/shared_sweep.ts", "import { releaseLast, ", "import { acquire, releaseLast, "),
    ],
    besideLocks: "hash keys, expiring",
  },
  {
    name: "a bucket is swept in which somebody counts",
    replacements: [
      replaced("table/entries/shared_sweep.ts", "(!field(table, PER_CPU) || isUnannounced(lock))", "true"),
    ],
    interleavings: "local adds, a tick, and inserts where they were",
  },
  {
    name: "a key that has expired is found",
    replacements: [
      replaced(
        "maps/shared_access.ts",
        "return <u32>!(isTimed(table) && hasCopyExpired(table, target));",
        "return 1;",
      ),
    ],
    interleavings: "gets and an insert that sweeps",
  },
];

/** How often the text that a bug replaces is in the core as it is. */
export function matches({ file, find }: Replacement): number {
  return readFileSync(join(ROOT, "assembly", file), "utf8").split(find).length - 1;
}

/** The stepped core with a bug. */
export function compilePlanted({ replacements }: Planted): WebAssembly.Module {
  const folder = mkdtempSync(join(tmpdir(), "bpfmap-planted-"));
  try {
    for (const part of ["assembly", "asconfig.json"])
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    for (const { file, find, replace } of replacements) {
      const path = join(folder, "assembly", file);
      writeFileSync(
        path,
        readFileSync(path, "utf8").replace(find, () => replace),
      );
    }
    const output = join(folder, "core.wasm");
    compileStepped(folder, output);
    return new WebAssembly.Module(readFileSync(output));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
