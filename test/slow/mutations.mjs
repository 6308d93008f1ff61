// Mutation testing: breaks the core in one place at a time and requires that the model tests notice.
//
//   node test/slow/mutations.mjs [part of a name]      all mutations, or those whose name contains the text
//
// Every mutation is a replacement of source text that must match exactly once, so a change of the core that makes one obsolete
// fails loudly instead of testing nothing. Works on a copy of the project in a temporary folder.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const TESTS = [
  "test/model_rhash.test.ts",
  "test/model_hash.test.ts",
  "test/scan.test.ts",
  "test/guarantees_scans.test.ts",
  "test/guarantees_size.test.ts",
  "test/number_values.test.ts",
];
/** A core that loops for ever is noticed, too: when the tests take so many times as long as on the core as it is. */
const HUNG_FACTOR = 3;
const NEVER = 2 ** 31 - 1;

const MUTATIONS = [
  {
    name: "cursor filter off: entries before the cursor come again after a merge",
    file: "table/scan.ts",
    find: "      if (order < position) continue;\n",
    replace: "",
  },
  {
    name: "cursor inside a bucket: the bucket is emitted as a whole",
    file: "table/scan.ts",
    find: "    if (position & (width - 1)) break;\n",
    replace: "",
  },
  {
    name: "cursor inside a bucket: goes too far from there",
    file: "table/scan.ts",
    find: "position = (position & ~(width - 1)) + width;",
    replace: "position = position + width;",
  },
  {
    name: "equal hashes: the cursor's own key comes again",
    file: "table/scan.ts",
    find: "if (after && order == position && compareBytes(key, after, keySize) <= 0) continue;",
    replace: "if (after && order == position && compareBytes(key, after, keySize) < 0) continue;",
  },
  {
    name: "equal hashes: in slot order instead of key order",
    file: "table/scan.ts",
    find: "(below == order && compareBytes(keyOf<B>(table, bucket, entry), key, keySize) < 0)",
    replace: "below == order",
  },
  {
    name: "wrong split bit",
    file: "table/block_keys.ts",
    find: "(hash4With(key, s0, s1, s2) & bit) != 0",
    replace: "(hash4With(key, s0, s1, s2) & (bit << 1)) != 0",
  },
  {
    name: "wrong split bit (tags and refs)",
    file: "table/distribute.ts",
    find: "from.side(table, slot, bit, true)",
    replace: "from.side(table, slot, bit << 1, true)",
  },
  {
    name: "a split leaves behind what it moved",
    file: "table/block_keys.ts",
    find: "      stay ^= moves << slot;\n",
    replace: "",
  },
  {
    name: "a block with entries for both sides of a split is hung on one",
    file: "table/resize.ts",
    find: "if (leftLow && leftHigh) {",
    replace: "if (false) {",
  },
  {
    name: "wrong split bit in overflow blocks",
    file: "table/resize.ts",
    find: "changetype<B>(block).side(table, slot, bit, false)",
    replace: "changetype<B>(block).side(table, slot, bit >> 1, false)",
  },
  {
    name: "wrong split bit beyond 65536 buckets, where tags tell",
    file: "table/block_refs.ts",
    find: "& (bit >> TAG_SHIFT)) != 0;",
    replace: "& (bit >> (TAG_SHIFT - 1))) != 0;",
  },
  {
    name: "overflow link lost when a block is chained",
    file: "table/overflow.ts",
    find: "changetype<B>(block).setLink(false, changetype<B>(bucket).link(true));",
    replace: "changetype<B>(block).setLink(false, 0);",
  },
  {
    name: "overflow blocks of a merged bucket lost",
    file: "table/resize.ts",
    find: "  joinChains<B>(low, high);\n",
    replace: "",
  },
  {
    name: "tag comparison broken: a tag is as good as the key (tags)",
    file: "table/block_tags.ts",
    find: "if (keyEquals<K>(at + TAGS_KEYS + slot * keyStride<K>(size), key, size)) return 1 << slot;",
    replace: "return 1 << slot;",
  },
  {
    name: "tag comparison broken: a tag is as good as the key (refs)",
    file: "table/block_refs.ts",
    find: "if (keyEquals<K>(this.entryAt(slot) + ELEMENT_KEY, key, size)) return 1 << slot;",
    replace: "return 1 << slot;",
  },
  {
    name: "only the first slot with a fitting tag is looked at (tags)",
    file: "table/block_tags.ts",
    find: "candidates &= candidates - 1;",
    replace: "candidates = 0;",
  },
  {
    name: "only the first slot with a fitting tag is looked at (refs)",
    file: "table/block_refs.ts",
    find: "candidates &= candidates - 1;",
    replace: "candidates = 0;",
  },
  {
    name: "entries move in a section",
    file: "table/resize.ts",
    find: "return changetype<B>(0).holdsValues() && inSection();",
    replace: "return false;",
  },
  {
    name: "a slot deleted in a section is used again at once (keys)",
    file: "table/block_keys.ts",
    find: "pinned ? word | (word >> DEAD) : word",
    replace: "word",
  },
  {
    name: "a slot deleted in a section is used again at once (tags)",
    file: "table/block_tags.ts",
    find: "const least = pinned ? DEAD_TAG : LEAST_TAG;",
    replace: "const least = LEAST_TAG;",
  },
  {
    name: "an element that fills a hole is not repointed",
    file: "table/elements.ts",
    find: "    repoint(table, element, from);\n",
    replace: "",
  },
  {
    name: "capacity off by one",
    file: "table/low_water.ts",
    find: "if (entries >= field(table, MAX_ENTRIES)) return E2BIG;",
    replace: "if (entries > field(table, MAX_ENTRIES)) return E2BIG;",
  },
  {
    name: "capacity tested before the flag",
    file: "table/linear.ts",
    find: "  if (flags == EXIST) return ENOENT;\n",
    replace: "  if (flags == EXIST && field(table, COUNT) < field(table, MARK)) return ENOENT;\n",
  },
  {
    name: "more splits per call than promised",
    file: "table/resize.ts",
    find: "const MOST_SPLITS: u32 = 2;",
    replace: "const MOST_SPLITS: u32 = 3;",
  },
  {
    name: "merges of any number of entries",
    file: "table/resize.ts",
    find: "if (together > most || fromHigh > MOST_MERGED) return REFUSED;",
    replace: "if (together > most + 1000) return REFUSED;",
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
    file: "table/linear.ts",
    find: "changetype<B>(bucket).link(true) ? settle<B>(table, bucket) : 0;",
    replace: "0;",
  },
  {
    name: "a number set into memory that grew is not reported",
    file: "maps/number.ts",
    find: "return memoryEnd() == end ? 0 : GREW;",
    replace: "return 0;",
  },
  {
    name: "the number that means absent is given for a present one",
    file: "maps/number.ts",
    find: "return value == ABSENT ? NaN : value;",
    replace: "return value;",
  },
  {
    name: "a u16 takes what does not fit",
    file: "maps/number.ts",
    find: "if (kind == U16) return <f64>(<u32>value & 0xffff) == value;",
    replace: "if (kind == U16) return <f64>(<u32>value) == value;",
  },
];

/**
 * Runs the tests in `folder` until the first one fails. Result: "passed", "hung", or how the failing test is called. The test
 * runner is not waited for: a broken core may hang in one worker while another has noticed.
 */
function runTests(folder, timeoutMs) {
  return new Promise((resolve) => {
    const vitest = join(folder, "node_modules/vitest/vitest.mjs");
    const child = spawn(process.execPath, [vitest, "run", "--reporter", "verbose", ...TESTS], {
      cwd: folder,
      env: { ...process.env, TEST_SEED: process.env.TEST_SEED ?? "1", NO_COLOR: "1" },
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
      const failed = /^ *[×✗❯] (test\/.*?)( \d+ms)?$/m.exec(output);
      if (failed) finish(failed[1]);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("exit", (code) => finish(code === 0 ? "passed" : `failed without a failing test:\n${output}`));
  });
}

/** Compiles the core of the copy and embeds it, in a process of its own because the module knows its folder. */
function build(folder) {
  const script = `import(${JSON.stringify(join(folder, "scripts/build.mjs"))}).then((build) => build.embedCores())`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", script], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`the core does not build:\n${stderr}`);
}

const folder = mkdtempSync(join(tmpdir(), "bpfmap-mutations-"));
const problems = [];
try {
  for (const part of [
    "assembly",
    "src",
    "test",
    "scripts",
    "asconfig.json",
    "package.json",
    "tsconfig.json",
    "vitest.config.ts",
  ]) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const assembly = (file) => join(folder, "assembly", file);

  const wanted = MUTATIONS.filter(({ name }) => name.includes(process.argv[2] ?? ""));
  for (const { name, file, find } of wanted) {
    const matches = readFileSync(assembly(file), "utf8").split(find).length - 1;
    if (matches !== 1) problems.push(`${name}: the text to replace is ${matches} times in assembly/${file}`);
  }

  build(folder);
  const begin = Date.now();
  const unchanged = await runTests(folder, NEVER);
  if (unchanged !== "passed") throw new Error(`the tests do not pass on the core as it is: ${unchanged}`);
  const timeoutMs = HUNG_FACTOR * (Date.now() - begin);
  for (const { name, file, find, replace } of wanted) {
    const source = readFileSync(assembly(file), "utf8");
    if (source.split(find).length !== 2) continue;
    writeFileSync(
      assembly(file),
      source.replace(find, () => replace),
    );
    const start = Date.now();
    try {
      build(folder);
      const result = await runTests(folder, timeoutMs);
      const seconds = Math.round((Date.now() - start) / 1000);
      if (result === "passed") {
        console.log(`SURVIVED  ${name}`);
        problems.push(`${name}: no test notices`);
      } else if (result.startsWith("failed without")) problems.push(`${name}: ${result}`);
      else console.log(`noticed   ${name}\n          after ${seconds} s by: ${result}`);
    } finally {
      writeFileSync(assembly(file), source);
    }
  }
  if (wanted.length === 0) problems.push(`no mutation is named like ${JSON.stringify(process.argv[2])}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
