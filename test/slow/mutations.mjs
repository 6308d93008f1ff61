// Mutation testing: breaks the core in one place at a time and requires that tests notice.
//
//   node test/slow/mutations.mjs [part of a name] [--jobs N]      all mutations, or those whose name contains the text
//
// Each mutation meets the model tests of `npm test` first, then, if it survives them, all of `npm test`, then the model tests at the size that
// they have in `npm run test:all`. Two are tried at a time, in copies of the project in temporary folders.
//
// Every mutation is a replacement of source text that must match exactly once, so a change of the core that makes one obsolete
// fails loudly instead of testing nothing.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("../..", import.meta.url));
const MODEL_TESTS = [
  "test/testing/model_rhash.test.ts",
  "test/testing/model_hash.test.ts",
  "test/testing/model_texts.test.ts",
  "test/testing/scan.test.ts",
  "test/testing/absent_filter.test.ts",
  "test/maps/absent_filter.test.ts",
  "test/guarantees_scans.test.ts",
  "test/guarantees_size.test.ts",
  "test/ops/iteration_changes.test.ts",
  "test/maps/number_values.test.ts",
  "test/testing/model_lru.test.ts",
  "test/testing/model_timed.test.ts",
  "test/maps/expiry.test.ts",
  "test/maps/lru_book.test.ts",
];

/**
 * What a mutation meets, one after the other. The model tests need the plain core only, and not an optimized one: it compiles in a
 * fraction of the time.
 */
const STAGES = [
  { name: "npm test", size: "small", tests: MODEL_TESTS, build: 'embed("core", "quick")' },
  { name: "npm test", size: "small", tests: [], build: "buildPackage()" },
  { name: "npm run test:all", size: "full", tests: MODEL_TESTS, build: 'embed("core", "quick")' },
];
/** A core that loops for ever is noticed, too: when the tests take so many times as long as on the core as it is. */
const HUNG_FACTOR = 4;
const NEVER = 2 ** 31 - 1;

const MUTATIONS = [
  {
    name: "cursor filter off: entries before the cursor come again after a merge",
    file: "table/scan/in_order.ts",
    find: "      if (order < position) continue;\n",
    replace: "",
  },
  {
    name: "cursor inside a bucket: the bucket is emitted as a whole",
    file: "table/scan/cursor.ts",
    find: "    if (position & (width - 1)) break;\n",
    replace: "",
  },
  {
    name: "cursor inside a bucket: goes too far from there",
    file: "table/scan/scan.ts",
    find: "position = (position & ~(width - 1)) + width;",
    replace: "position = position + width;",
  },
  {
    name: "iterator's bucket descendants: only the first of those that its bucket was split into",
    file: "table/scan/columns.ts",
    find: "    position = behind;\n",
    replace: "    position = end;\n",
  },
  {
    name: "iterator's bucket after a merge: entries of other parts come, too",
    file: "table/scan/columns.ts",
    find: "if (order < from || order >= to) continue;",
    replace: "if (order < from) continue;",
  },
  {
    name: "iterator's part in a long chain: goes on beyond its end",
    file: "table/scan/columns.ts",
    find: "    if (<u64>position >= to) break;\n",
    replace: "",
  },
  {
    name: "iterator takes part j for bucket j after a resize",
    file: "table/scan/columns.ts",
    find: " && field(table, BUCKETS) == parts",
    replace: "",
  },
  {
    name: "inserts do not tell iterators that entries move",
    file: "table/entries/entries.ts",
    find: "  setField(table, VERSION, field(table, VERSION) + 1);\n  if (mayBeFiltered",
    replace: "  if (mayBeFiltered",
  },
  {
    name: "equal hashes: the cursor's own key comes again",
    file: "table/scan/in_order.ts",
    find: "if (after && order == position && changetype<B>(0).order(key, after, keySize) <= 0) continue;",
    replace: "if (after && order == position && changetype<B>(0).order(key, after, keySize) < 0) continue;",
  },
  {
    name: "equal hashes: in slot order instead of key order",
    file: "table/scan/in_order.ts",
    find: "(below == order && changetype<B>(0).order(keyOf<B>(table, bucket, entry), key, keySize) < 0)",
    replace: "below == order",
  },
  {
    name: "texts of one hash and length are one",
    file: "table/layout/texts.ts",
    find: "return equalRuns(at + TEXT, changetype<usize>(key) + TEXT, bytes);",
    replace: "return true;",
  },
  {
    name: "the end of a text does not count",
    file: "memory/bytes.ts",
    find: "return !bytes || lastBytes(a, bytes) == lastBytes(b, bytes);",
    replace: "return true;",
  },
  {
    name: "a text has a class too small",
    file: "table/layout/texts.ts",
    find: "return poolAt(table, classFor(bytesBefore(table) + bytes) - field(table, FIRST_CLASS));",
    replace:
      "return poolAt(table, classFor(bytesBefore(table) + bytes - <u32>(bytes > 8)) - field(table, FIRST_CLASS));",
  },
  {
    name: "dead texts stay where no write comes to",
    file: "table/layout/texts.ts",
    find: "  if (field(pool, DEAD_ELEMENTS)) setField(table, POOLS_TO_SWEEP, field(table, POOL_COUNT));\n",
    replace: "",
  },
  {
    name: "a text moves and its slot does not",
    file: "table/layout/texts.ts",
    find: "  if (field(table, POOLS_TO_SWEEP)) sweepPools<B>(table); // first: it moves no element that has no slot yet\n  const size = field(table, KEY_SIZE);\n  const element = newElement<B>(table, poolFor(table, textBytes(changetype<usize>(key), size)));\n",
    replace:
      "  const size = field(table, KEY_SIZE);\n  const element = newElement<B>(table, poolFor(table, textBytes(changetype<usize>(key), size)));\n  if (field(table, POOLS_TO_SWEEP)) sweepPools<B>(table);\n",
  },
  {
    name: "wrong split bit",
    file: "table/layout/block_keys.ts",
    find: "const moves = <u32>((hash & bit) != 0);",
    replace: "const moves = <u32>((hash & (bit << 1)) != 0);",
  },
  {
    name: "wrong split bit (tags and refs)",
    file: "table/layout/distribute.ts",
    find: "from.side(table, slot, bit, true)",
    replace: "from.side(table, slot, bit << 1, true)",
  },
  {
    name: "a split leaves behind what it moved",
    file: "table/layout/block_keys.ts",
    find: "      stay ^= moves << slot;\n",
    replace: "",
  },
  {
    name: "a block with entries for both sides of a split is hung on one",
    file: "table/resize/chains.ts",
    find: "if (leftLow && leftHigh) {",
    replace: "if (false) {",
  },
  {
    name: "wrong split bit in overflow blocks",
    file: "table/resize/chains.ts",
    find: "changetype<B>(block).side(table, slot, bit, false)",
    replace: "changetype<B>(block).side(table, slot, bit >> 1, false)",
  },
  {
    name: "wrong split bit beyond 65536 buckets, where tags tell",
    file: "table/layout/block_refs.ts",
    find: "& (bit >> TAG_SHIFT)) != 0;",
    replace: "& (bit >> (TAG_SHIFT - 1))) != 0;",
  },
  {
    name: "absent filter: an insert does not let its key pass",
    file: "table/entries/entries.ts",
    find: "  if (mayBeFiltered<B>() && flags & FILTERED) admit(table, hash);\n",
    replace: "",
  },
  {
    name: "absent filter: the common insert does not let its key pass",
    file: "table/layout/filter.ts",
    find: "  store<u32>(at, word);\n  return true;\n",
    replace: "  return true;\n",
  },
  {
    name: "absent filter: an insert that need not look further lets another key pass",
    file: "table/entries/entries.ts",
    find: "LEAN_MARK)) admit(table, hash);",
    replace: "LEAN_MARK)) admit(table, ~hash);",
  },
  {
    name: "absent filter not rewritten by a split: the new bucket",
    file: "table/layout/block_keys.ts",
    find: "      store<u32>(highWord, highBits);\n",
    replace: "",
  },
  {
    name: "absent filter not rewritten by a split: the bucket that is split keeps its bits",
    file: "table/layout/block_keys.ts",
    find: "store<u32>(lowWord, lowBits);",
    replace: "store<u32>(lowWord, load<u32>(lowWord));",
  },
  {
    name: "absent filter not rewritten by a split: keys of the chain are left out",
    file: "table/layout/filter.ts",
    find: "      store<u32>(at, load<u32>(at) | filterBits(hash));\n",
    replace: "",
  },
  {
    name: "absent filter: a merge leaves out the bits of the bucket that goes",
    file: "table/layout/filter.ts",
    find: " | load<u32>(wordAt(table, high));",
    replace: ";",
  },
  {
    name: "absent filter, bits wrong after a delete: written anew without the keys of the chain",
    file: "table/layout/filter.ts",
    find: "    if (!block) return bits;\n",
    replace: "    return bits;\n",
  },
  {
    name: "absent filter, bits wrong after a delete: written anew without the key to come",
    file: "table/layout/filter.ts",
    find: "bitsIn(table, bucket) | filterBits(hash)",
    replace: "bitsIn(table, bucket)",
  },
  {
    name: "absent filter, bits wrong after a delete: those that are left stay for ever",
    file: "table/layout/filter.ts",
    find: "return <u32>popcnt(word) > keys + (keys >> 1) + 4;",
    replace: "return false;",
  },
  {
    name: "absent filter: doubled by copying half of it",
    file: "table/layout/filter.ts",
    find: "memory.copy(filterSegment(table, 0), old, buckets << 2);",
    replace: "memory.copy(filterSegment(table, 0), old, buckets << 1);",
  },
  {
    name: "flat part copy: only half of the buckets come along",
    file: "table/layout/bucket_array.ts",
    find: "memory.copy(address, old, flat * stride);",
    replace: "memory.copy(address, old, (flat * stride) >> 1);",
  },
  {
    name: "flat part: halved while there is a bucket behind the half",
    file: "table/layout/bucket_array.ts",
    find: "if (buckets << 1 == field(table, FLAT_BUCKETS))",
    replace: "if ((buckets << 1) - 2 == field(table, FLAT_BUCKETS))",
  },
  {
    name: "flat part: missing in a new directory",
    file: "table/layout/bucket_array.ts",
    find: "segment < flat; segment++) store<u32>",
    replace: "segment < flat - 1; segment++) store<u32>",
  },
  {
    name: "overflow link lost when a block is chained",
    file: "table/layout/overflow.ts",
    find: "changetype<B>(block).setLink(false, changetype<B>(bucket).link(true));",
    replace: "changetype<B>(block).setLink(false, 0);",
  },
  {
    name: "overflow blocks of a merged bucket lost",
    file: "table/resize/chains.ts",
    find: "  if (changetype<B>(high).link(true)) joinChains<B>(low, high);\n",
    replace: "",
  },
  {
    name: "tag comparison broken: a tag is as good as the key (tags)",
    file: "table/layout/block_tags.ts",
    find: "if (keyEquals<K>(at + TAGS_KEYS + slot * keyStride<K>(size), key, size)) return 1 << slot;",
    replace: "return 1 << slot;",
  },
  {
    name: "tag comparison broken: a tag is as good as the key (refs)",
    file: "table/layout/block_refs.ts",
    find: "if (changetype<E>(0).matches<K>(table, entry, key, hash, size)) return 1 << slot;",
    replace: "return 1 << slot;",
  },
  {
    name: "only the first slot with a fitting tag is looked at (tags)",
    file: "table/layout/block_tags.ts",
    find: "candidates &= candidates - 1;",
    replace: "candidates = 0;",
  },
  {
    name: "only the first slot with a fitting tag is looked at (refs)",
    file: "table/layout/block_refs.ts",
    find: "candidates &= candidates - 1;",
    replace: "candidates = 0;",
  },
  {
    name: "entries move in a section",
    file: "table/resize/resize.ts",
    find: "return changetype<B>(0).holdsValues() && inSection();",
    replace: "return false;",
  },
  {
    name: "a slot deleted in a section is used again at once (keys)",
    file: "table/layout/block_keys.ts",
    find: "pinned ? word | (word >> DEAD) : word",
    replace: "word",
  },
  {
    name: "a slot deleted in a section is used again at once (tags)",
    file: "table/layout/block_tags.ts",
    find: "const least = pinned ? DEAD_TAG : LEAST_TAG;",
    replace: "const least = LEAST_TAG;",
  },
  {
    name: "an element that fills a hole is not repointed",
    file: "table/layout/elements.ts",
    find: "    repoint<B>(table, element, from);\n",
    replace: "",
  },
  {
    name: "capacity off by one",
    file: "table/limit/low_water.ts",
    find: "if (entries >= most) return E2BIG;",
    replace: "if (entries > most) return E2BIG;",
  },
  {
    name: "capacity tested before the flag",
    file: "table/entries/entries.ts",
    find: "  if (flags == EXIST) return ENOENT;\n",
    replace: "  if (flags == EXIST && field(table, COUNT) < field(table, MARK)) return ENOENT;\n",
  },
  {
    name: "more splits per call than promised",
    file: "table/resize/resize.ts",
    find: "const MOST_SPLITS: u32 = 2;",
    replace: "const MOST_SPLITS: u32 = 3;",
  },
  {
    name: "merges of any number of entries",
    file: "table/resize/chains.ts",
    find: "field(table, OVERFLOW_SLOTS) || fromHigh > MOST_MERGED;",
    replace: "field(table, OVERFLOW_SLOTS) + 1000;",
  },
  {
    name: "lookupMany leaves what was there for absent keys",
    file: "batch/lookup_many.ts",
    find: "else zeroBytes(values, valueSize);",
    replace: "else store<u8>(values, 0);",
  },
  {
    name: "lookupMany of the keys layout leaves what was there for absent keys",
    file: "batch/lookup_keys.ts",
    find: "    if (size == 8) store<u64>(values + i * 8, 0);\n",
    replace: "    if (size == 8) store<u8>(values + i * 8, 0);\n",
  },
  {
    name: "lookupMany of the keys layout does not search the chains",
    file: "batch/lookup_keys.ts",
    find: "    if (!value) continue;\n",
    replace: "    if (value) continue;\n",
  },
  {
    name: "a delete does not let its chain settle",
    file: "table/entries/drop.ts",
    find: "const moved = settle<B>(table, bucket);",
    replace: "const moved: u32 = 0;",
  },
  {
    name: "an insert in a section takes a slot that is dead",
    file: "table/layout/block_keys.ts",
    find: "load<u32>(this.at(), LINK) | <u32>inSection()) return 0;",
    replace: "load<u32>(this.at(), LINK)) return 0;",
  },
  {
    name: "an insert does not ask whether the table must grow",
    file: "table/limit/low_water.ts",
    find: "return min(mark, field(table, GROW_ABOVE));",
    replace: "return mark;",
  },
  {
    name: "a number set into memory that grew is not reported",
    file: "maps/number.ts",
    find: "  return memory.size() == pages ? 0 : GREW;\n}\n\nexport function setF64",
    replace: "  return 0;\n}\n\nexport function setF64",
  },
  {
    name: "the number that means absent is given for a present one",
    file: "maps/number.ts",
    find: "const value = load<f64>(at, CELLS);\n    return value == ABSENT ? NaN : value;",
    replace: "return load<f64>(at, CELLS);",
  },
  {
    name: "a u16 takes what does not fit",
    file: "maps/number.ts",
    find: "if (kind == U16) return <f64>(<u32>value & 0xffff) == value;",
    replace: "if (kind == U16) return <f64>(<u32>value) == value;",
  },
  {
    name: "a ghost is not taken when its key comes back",
    file: "table/notes/marks.ts",
    find: "  store<u8>(record + from + <u32>ctz(equal), 0);\n",
    replace: "",
  },
  {
    name: "ghosts never cleared: they stay when the map is",
    file: "table/notes/book.ts",
    find: "  if (evicts(table)) zeroBytes(recordOf(table, 0), field(table, BUCKETS) * RECORD_BYTES);\n",
    replace: "",
  },
  {
    name: "the mark of an entry that moves out of a chain is lost",
    file: "table/entries/drop.ts",
    find: " || evicts(table)",
    replace: "",
  },
  {
    name: "a sweep skips every second bucket",
    file: "table/entries/noted.ts",
    find: "  setWord(table, SWEEP_AT, index + 1);\n",
    replace: "  setWord(table, SWEEP_AT, index + 2);\n",
  },
  {
    name: "an expiry is rounded down",
    file: "table/notes/expiry.ts",
    find: "min(ceil((clock() + ms)",
    replace: "min(floor((clock() + ms)",
  },
  {
    name: "a dead entry is revived with the expiry that it had",
    file: "table/entries/keep.ts",
    find: "(revives || expiry != AS_IS)",
    replace: "expiry != AS_IS",
  },
  {
    name: "a try lock waits",
    file: "sync/lock.ts",
    find: "  if (!(seen & LOCKED)) return tryLock(word, seen, mine(HELD));\n  relieve(ownerOf(seen));\n  return false;",
    replace: "  if (seen & LOCKED) return acquire(word);\n  return tryLock(word, seen, mine(HELD));",
  },
  {
    name: "the mark of an entry in a chain is that of a slot of the bucket",
    file: "table/notes/book.ts",
    find: "return (first ? recordOf(table, bucket) : recordOfBlock<B>(table, block)) + slot;",
    replace: "return recordOf(table, bucket) + slot;",
  },
  {
    name: "the hand of evictions stays where it is",
    file: "table/notes/victim.ts",
    find: "  setWord(table, HAND, after(table, hand));\n  count(table, LOOKED, 2);\n",
    replace: "  count(table, LOOKED, 2);\n",
  },
  {
    name: "a map that evicts counts as full while CPUs hold credits",
    file: "table/limit/credits.ts",
    find: "  for (let cpu: u32 = 0; cpu < cpus; cpu++) if (creditsOf(atomic.load<u32>(lineOf(table, cpu)))) return false;\n",
    replace: "",
  },
  {
    name: "credits of a group: more than a CPU may hold near the limit",
    file: "table/limit/credits.ts",
    find: "max(chunkOf(handedOut), min(mine(AHEAD), MARGIN))",
    replace: "max(chunkOf(handedOut), mine(AHEAD))",
  },
  {
    name: "credits of a group: what is left is not given back",
    file: "table/limit/credits.ts",
    find: "  giveToPool(table, line, 0);\n",
    replace: "",
  },
  {
    name: "credits of a group: counted twice when they are given back",
    file: "table/limit/credits.ts",
    find: "      back += surplus;\n",
    replace: "      back += surplus << 1;\n",
  },
];

/** A failed test in what the verbose reporter prints: its name. */
const FAILED = /^ *[×✗❯] (test\/.*?)( \d+ms)?$/m;

/**
 * Runs the tests of a stage in `folder` until the first one fails. Result: "passed", "hung", or how the failing test is called. The
 * test runner is not waited for: a broken core may hang in one worker while another has noticed.
 */
function runTests(folder, { size, tests }, timeoutMs) {
  return new Promise((resolve) => {
    const vitest = join(folder, "node_modules/vitest/vitest.mjs");
    // Vitest's own limit is for a machine that does nothing else. A loop is ended by the time of the whole run.
    const args = ["run", "--reporter", "verbose", "--bail", "1", "--testTimeout", "600000"];
    const child = spawn(process.execPath, [vitest, ...args, ...tests], {
      cwd: folder,
      env: { ...process.env, TEST_SEED: process.env.TEST_SEED ?? "1", TEST_SIZE: size, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true, // a group of its own, which can be stopped with its workers
    });
    let output = "";
    const finish = (result) => {
      clearTimeout(timer);
      child.removeAllListeners("exit");
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch (error) {
        if (error.code !== "ESRCH") throw error; // all of them have ended
      }
      resolve(result);
    };
    const timer = setTimeout(() => finish("hung"), timeoutMs);
    const read = (data) => {
      output += data;
      const failed = FAILED.exec(output);
      if (failed) finish(failed[1]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", (code) => finish(code === 0 ? "passed" : `failed without a failing test:\n${output}`));
  });
}

/** A copy of the project in which one mutation at a time is tried. */
class Copy {
  folder = mkdtempSync(join(tmpdir(), "bpfmap-mutations-"));
  /** For each stage that was run on the core as it is: the ms after which a run hangs. */
  #limits = new Map();

  constructor() {
    const left = new Set([".git", "node_modules", "dist"]);
    const filter = (path) =>
      !relative(root, path)
        .split(sep)
        .some((part) => left.has(part));
    cpSync(root, this.folder, { recursive: true, preserveTimestamps: true, filter });
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
    utimesSync(join(this.folder, "package-lock.json"), 0, 0); // nothing is to be installed
  }

  /** Compiles what a stage needs, in a process of its own because scripts/build.mjs knows its folder. */
  #build({ build }) {
    const script = `import(${JSON.stringify(join(this.folder, "scripts/build.mjs"))}).then((build) => build.${build})`;
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, ["-e", script], {
        cwd: this.folder,
        stdio: ["ignore", "ignore", "pipe"],
      });
      let errors = "";
      child.stderr.on("data", (data) => {
        errors += data;
      });
      child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`does not build:\n${errors}`))));
    });
  }

  /** On the core as it is the tests of a stage pass, and so long they take. */
  async #limit(stage) {
    if (!this.#limits.has(stage)) {
      await this.#build(stage);
      const begin = Date.now();
      const unchanged = await runTests(this.folder, stage, NEVER);
      if (unchanged !== "passed") throw new Error(`the tests do not pass on the core as it is: ${unchanged}`);
      this.#limits.set(stage, HUNG_FACTOR * (Date.now() - begin));
    }
    return this.#limits.get(stage);
  }

  /** The stage that notices a mutation, and by what; undefined when none does. */
  async try({ file, find, replace }) {
    const path = join(this.folder, "assembly", file);
    const source = readFileSync(path, "utf8");
    for (const stage of STAGES) {
      const limit = await this.#limit(stage);
      writeFileSync(
        path,
        source.replace(find, () => replace),
      );
      try {
        await this.#build(stage);
        const result = await runTests(this.folder, stage, limit);
        if (result !== "passed") return { stage, result };
      } finally {
        writeFileSync(path, source);
      }
    }
    return undefined;
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  options: { jobs: { type: "string", default: "2" } },
  allowPositionals: true,
});
const [part = ""] = positionals;
const wanted = MUTATIONS.filter(({ name }) => name.includes(part));
const problems = [];
if (wanted.length === 0) problems.push(`no mutation is named like ${JSON.stringify(part)}`);

const queue = [];
for (const mutation of wanted) {
  const { name, file, find } = mutation;
  const matches = readFileSync(join(root, "assembly", file), "utf8").split(find).length - 1;
  if (matches === 1) queue.push(mutation);
  else problems.push(`STALE     ${name}: the text to replace is ${matches} times in assembly/${file}`);
}
for (const problem of problems) console.error(problem);

// The copies begin with what is built.
const { status } = spawnSync(process.execPath, [join(root, "scripts/run.mjs"), "build"], {
  stdio: "inherit",
});
if (status !== 0) process.exit(1);

const noticed = new Map();
async function work() {
  const copy = new Copy();
  try {
    for (let mutation = queue.shift(); mutation; mutation = queue.shift()) {
      const { name } = mutation;
      const start = Date.now();
      const found = await copy.try(mutation);
      const seconds = Math.round((Date.now() - start) / 1000);
      if (found === undefined) {
        console.log(`SURVIVED  ${name}`);
        problems.push(`${name}: no test notices`);
      } else if (found.result.startsWith("failed without")) problems.push(`${name}: ${found.result}`);
      else {
        noticed.set(found.stage.name, (noticed.get(found.stage.name) ?? 0) + 1);
        console.log(
          `noticed   ${name}\n          by ${found.stage.name} after ${seconds} s: ${found.result}`,
        );
      }
    }
  } finally {
    copy.remove();
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work));

const counts = [...noticed].map(([stage, count]) => `${count} by ${stage}`).join(", ");
console.log(`${wanted.length} mutations; noticed: ${counts || "none"}; ${problems.length} problems`);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
