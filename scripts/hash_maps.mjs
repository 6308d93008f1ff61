// Writes the classes of hash maps by kind of key, for plain hosts and for shared ones: src/maps/hash/map4.ts, shared_map4.ts
// and their like, from scripts/*.template.ts, by `node scripts/hash_maps.mjs`. What it writes is committed: it is read,
// linted and stepped through as any other source. test/hash_maps.test.ts says when it is not what the templates say.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const ROOT = new URL("..", import.meta.url);

/** What the names of hash_maps.template.ts stand for, by kind of key. */
const BYTES = { take: "encodeKey", taken: "at", isAbsent: "at === 0", words: "at" };
const KEYS = [
  { file: "map4.ts", N: "4", take: "word", taken: "word", isAbsent: "word < 0", words: "word" },
  { file: "map8.ts", N: "8", take: "low", taken: "low", isAbsent: "low < 0", words: "low, this.#high" },
  { file: "map16.ts", N: "16", ...BYTES },
  { file: "map_any.ts", N: "Any", ...BYTES },
];
/** What they stand for by host. */
const HOSTS = [
  { host: "plain", prefix: "", Prefix: "", Base: "HashMap", base: "./hash_map.ts" },
  { host: "shared", prefix: "shared_", Prefix: "Shared", Base: "SharedHashMap", base: "./shared_hash.ts" },
];

function keyClass({ file, ...key }, { prefix, Prefix, ...on }) {
  const scalarFunctions = ["fitsScalar", "isU53", "readScalar", "writeScalar"]
    .filter((name) => (name === "isU53" ? key.N === "8" : name === "readScalar" || on.host === "plain"))
    .join(", ");
  const kind = { ...key, ...on, Class: `${Prefix}Map${key.N}`, scalarFunctions };
  return { file: prefix + file, template: "hash_maps.template.ts", kind };
}

function numberClass({ host, prefix, Prefix }) {
  const kind = { host, Class: `${Prefix}MapNumber4`, Base: `${Prefix}Map4`, base: `./${prefix}map4.ts` };
  return { file: `${prefix}map4_number.ts`, template: "number_maps.template.ts", kind };
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
        .some((word) => word === kind.N || word === kind.host);
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
  const keyClasses = KEYS.flatMap((key) => HOSTS.map((on) => keyClass(key, on)));
  return [...keyClasses, ...HOSTS.map(numberClass)].map(({ file, template, kind }) => {
    const [, text] = readFileSync(new URL(template, import.meta.url), "utf8").split("//#begin\n");
    const note = `// Written by scripts/hash_maps.mjs from scripts/${template}: change that one.\n`;
    return { file: `src/maps/hash/${file}`, text: note + fill(text, kind) };
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { file, text } of hashMaps()) writeFileSync(new URL(file, ROOT), text);
}
