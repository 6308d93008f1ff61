// Writes the classes of hash maps by kind of key, src/maps/hash/map4.ts and its like, from scripts/hash_maps.template.ts:
// `node scripts/hash_maps.mjs`. What it writes is committed, so that it is read, linted and stepped through as any other source;
// test/hash_maps.test.ts says when it is not what the template says.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const TEMPLATE = new URL("hash_maps.template.ts", import.meta.url);
const ROOT = new URL("..", import.meta.url);
const NOTE = "// Written by scripts/hash_maps.mjs from scripts/hash_maps.template.ts: change that one.\n";

const BYTES = { take: "encodeKey", taken: "at", isAbsent: "at === 0", words: "at" };
/** What the names of the template stand for in each file. */
const KINDS = {
  "src/maps/hash/map4.ts": { N: "4", take: "word", taken: "word", isAbsent: "word < 0", words: "word" },
  "src/maps/hash/map8.ts": { N: "8", take: "low", taken: "low", isAbsent: "low < 0", words: "low, this.#high" },
  "src/maps/hash/map16.ts": { N: "16", ...BYTES },
  "src/maps/hash/map_any.ts": { N: "Any", ...BYTES },
};

/** The lines of a template that are for a kind, with what its names stand for. */
export function fill(template, kind) {
  let meant = true;
  let inBlock = false;
  const lines = template.split("\n").filter((line, index) => {
    const at = `line ${index + 1}: ${line}`;
    if (line.startsWith("//#if ")) {
      if (inBlock) throw new Error(`a block in a block: ${at}`);
      meant = line.slice("//#if ".length).split(" ").includes(kind.N);
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
  const [, template] = readFileSync(TEMPLATE, "utf8").split("//#begin\n");
  return Object.entries(KINDS).map(([file, kind]) => ({ file, text: NOTE + fill(template, kind) }));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { file, text } of hashMaps()) writeFileSync(new URL(file, ROOT), text);
}
