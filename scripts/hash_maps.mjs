// Writes the classes of hash maps by kind of key, for plain hosts and for shared ones: src/maps/hash/map4.ts, shared_map4.ts
// and their like, from scripts/*.template.ts, by `node scripts/hash_maps.mjs`. What it writes is committed: it is read,
// linted and stepped through as any other source. test/hash_maps.test.ts says when it is not what the templates say.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const ROOT = new URL("..", import.meta.url);

/** What the names of the template stand for, by kind of key and value. */
const BYTES = { take: "encodeKey", taken: "at", isAbsent: "at === 0", words: "at" };
const WORD = { N: "4", take: "word", taken: "word", isAbsent: "word < 0", words: "word" };
const KEYS = [
  {
    file: "map4.ts",
    name: "Map4",
    about: "Maps with keys of 4 bytes, which go to the core as an argument.",
    ...WORD,
  },
  {
    file: "map8.ts",
    name: "Map8",
    about:
      "Maps with keys of 8 bytes, which go to the core as two words: a lower one, and an upper one that {@link low} leaves.",
    N: "8",
    take: "low",
    taken: "low",
    isAbsent: "low < 0",
    words: "low, this.#high",
  },
  {
    file: "map16.ts",
    name: "Map16",
    about: "Maps with keys of 16 bytes, which go to the core by address.",
    N: "16",
    ...BYTES,
  },
  {
    file: "map_any.ts",
    name: "MapAny",
    about: "Maps with keys of any other size, by address.",
    N: "Any",
    ...BYTES,
  },
  {
    file: "map4_number.ts",
    name: "MapNumber4",
    about: "Maps with keys of 4 bytes and values that are one number: both go to the core as arguments.",
    ...WORD,
    isNumber: true,
  },
];
/** What they stand for by host. */
const HOSTS = [
  { host: "plain", prefix: "", Prefix: "", Base: "HashMap", base: "./hash_map.ts" },
  { host: "shared", prefix: "shared_", Prefix: "Shared", Base: "SharedHashMap", base: "./shared_hash.ts" },
];

function kindOf({ name, isNumber = false, ...key }, { Prefix, ...on }) {
  const isPlain = on.host === "plain";
  const values = isNumber ? "number" : "coded";
  const scalarFunctions = ["fitsScalar", "isU53", "readScalar", "writeScalar"]
    .filter((name) => (name === "isU53" ? key.N === "8" : name === "readScalar" || isPlain))
    .join(", ");
  const set = isNumber
    ? { setBytes: "#setBytes", otherSet: isPlain ? "this.#setBytes" : "super.set" }
    : { setBytes: "override set" };
  return { ...key, ...on, ...set, values, Class: `${Prefix}${name}`, scalarFunctions };
}

/** The lines of a template that are for a kind, with what its names stand for. */
export function fill(template, kind) {
  let meant = true;
  let inBlock = false;
  const lines = template.split("\n").filter((line, index) => {
    const at = `line ${index + 1}: ${line}`;
    if (line.startsWith("//#if ")) {
      if (inBlock) throw new Error(`a block in a block: ${at}`);
      meant = line
        .slice("//#if ".length)
        .split(" ")
        .some((word) => [kind.N, kind.values, kind.host].includes(word));
      inBlock = true;
    } else if (line === "//#end") {
      if (!inBlock) throw new Error(`the end of no block: ${at}`);
      meant = true;
      inBlock = false;
    } else return meant;
    return false;
  });
  if (inBlock) throw new Error("a block without an end");
  return lines.join("\n").replace(/\$(\w+)/g, (name, key) => {
    if (!Object.hasOwn(kind, key)) throw new Error(`no meaning of ${name}`);
    return kind[key];
  });
}

/** What each of the files should hold. */
export function hashMaps() {
  const [, template] = readFileSync(new URL("hash_maps.template.ts", import.meta.url), "utf8").split(
    "//#begin\n",
  );
  const note = "// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.\n";
  return KEYS.flatMap(({ file, ...key }) =>
    HOSTS.map(({ prefix, ...on }) => ({
      file: `src/maps/hash/${prefix}${file}`,
      text: note + fill(template, kindOf(key, on)),
    })),
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { file, text } of hashMaps()) writeFileSync(new URL(file, ROOT), text);
}
