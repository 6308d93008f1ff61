// Writes the classes of hash maps by kind of key, for plain hosts and for shared ones (src/maps/hash/map4.ts, shared_map4.ts,
// numbers/f64.ts, shared_numbers/f64.ts, noted/map4.ts, shared_noted/map4.ts and their like), and iterators by kind of value (src/ops/iterators/f64.ts and its like), from
// scripts/*.template.ts, by `node scripts/hash_maps.mjs`. What it writes is committed: it is read, linted and stepped through as
// any other source. test/hash_maps.test.ts says when it is not what the templates say.
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
    file: "map_text.ts",
    name: "MapText",
    about: "Maps with keys that are texts of any length, by address.",
    N: "Text",
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
/** Exports of the core for maps with a filter of absent keys (plain hosts). */
const FILTERED = { lookup: "lookupFiltered4", getPart: "getPartFiltered4" };
const FILTERED_MAP = {
  file: "map4_filtered.ts",
  name: "MapFiltered4",
  about: "Maps with keys of 4 bytes and a filter of absent keys.",
  ...WORD,
  ...FILTERED,
};
/** Kinds of numbers that have a class of their own, for keys of u32; `unclear`: some values even the plain core does not give as they are. */
const SCALARS = [
  { Kind: "F64", unclear: true },
  { Kind: "U53", unclear: true },
  { Kind: "U32" },
  { Kind: "I32" },
  { Kind: "F32" },
].map(({ Kind, unclear = false }) => ({
  file: `${Kind.toLowerCase()}.ts`,
  name: `Map${Kind}`,
  about: `Maps of u32 to ${Kind.toLowerCase()}: keys and values go to the core as arguments.`,
  ...WORD,
  isNumber: true,
  scalar: { get: `get${Kind}`, set: `set${Kind}`, andKind: "", unclear },
}));
const FILTERED_NUMBER = {
  file: "filtered.ts",
  name: "MapFilteredNumber",
  about: "Maps of u32 to numbers, with a filter of absent keys: keys and values go to the core as arguments.",
  ...WORD,
  ...FILTERED,
  isNumber: true,
  scalar: {
    get: "getFiltered4",
    set: "setNumber4",
    andKind: ", this.valueScalar",
    unclear: true,
  },
};
/** Of maps that evict or whose entries expire: exports of the core, and what these are told beside the rest. */
const noted = (N) => ({
  isNoted: true,
  lookup: `seek${N}`,
  upsert: `keep${N}`,
  get: "getNoted4",
  set: "setNoted4",
  done: "this.told()",
  remove: `discard${N}`,
  remove4: "discard4",
  used: ", 1",
  unused: ", 0",
  ofMap: ", ttl",
  asIs: ", TTL_AS_IS",
  orOptions: "",
  andOptions: ", options",
  optionsOf: ", options?: SetOptions",
  refuseOptions: "",
  takeTtl:
    "\n    if (this.timed) this.clock.renew();\n    const ttl = options === undefined ? TTL_OF_MAP : this.ttlOf(options);",
  touch: "\n    if (this.timed) this.clock.touch();",
  renew: "\n    if (this.timed) this.clock.renew();",
});
const NOTED_MAPS = KEYS.filter(({ N }) => N !== "16").map(({ file, name, about, ...key }) => ({
  file,
  name: name.replace("Map", "MapNoted"),
  about: about
    .replace("Maps", "Maps that evict or whose entries expire,")
    .replace("any other size", "other sizes"),
  ...key,
  ...noted(key.N),
}));
const NOTED_NUMBER = {
  file: "noted.ts",
  name: "MapNotedNumber",
  about:
    "Maps of u32 to numbers that evict or whose entries expire: keys and values go to the core as arguments.",
  ...WORD,
  isNumber: true,
  ...noted("4"),
  scalar: { get: "getNoted4", set: "setNoted4", andKind: ", this.valueScalar", unclear: true },
};
/** What they stand for by host. */
const HOSTS = [
  { host: "plain", prefix: "", Prefix: "", Base: "HashMap", base: "./hash_map.ts" },
  { host: "shared", prefix: "shared_", Prefix: "Shared", Base: "SharedHashMap", base: "./shared_hash.ts" },
];

/** What they stand for by kind of value: those of iterators.template.ts. */
const VALUES = [
  {
    file: "f64.ts",
    N: "F64",
    what: "f64, and keys u32",
    call: "call(doubles[address >>> 3] as V, words[keys + i] as K, map);",
  },
  {
    file: "u32.ts",
    N: "U32",
    what: "u32, and keys u32",
    call: "call(words[address >>> 2] as V, words[keys + i] as K, map);",
  },
  {
    file: "u53.ts",
    N: "U53",
    what: "u53, and keys u32",
    call: "call(read(walk, address), words[keys + i] as K, map);",
  },
  {
    file: "any.ts",
    N: "Any",
    what: "of any other kind, or keys",
    call: "call(walk.value(address), key, map);",
  },
];

/** The import of what the border says. */
function abiImport(isNumber, handles, isNoted, isPlain) {
  const names = isNumber
    ? [
        "ABSENT as ABSENT_NUMBER",
        ...(handles === "nobody" ? ["NOBODY"] : []),
        "GREW as SET_GREW",
        "UNFIT as SET_UNFIT",
      ]
    : isNoted && isPlain
      ? []
      : ["ABSENT as ABSENT_NUMBER"];
  if (isNoted && isPlain) names.push("TTL_AS_IS", "TTL_OF_MAP");
  else if (isNoted && isNumber) names.push("TTL_OF_MAP");
  const sorted = names.sort((a, b) => (a.split(" ").at(-1) < b.split(" ").at(-1) ? -1 : 1));
  const line = `import { ${sorted.join(", ")} } from "../../generated/abi.js";`;
  if (names.length === 0) return "";
  return line.length <= 110
    ? line
    : `import {\n${sorted.map((name) => `  ${name},\n`).join("")}} from "../../generated/abi.js";`;
}

function kindOf({ name, isNumber = false, isNoted = false, scalar, ...key }, { Prefix, ...on }) {
  const isPlain = on.host === "plain";
  // NaN may also mean that the shared core gave up: the long way says why.
  const isClear = scalar !== undefined && isPlain && !scalar.unclear;
  const numbers = scalar === undefined ? "number" : "scalar";
  const values = isNumber ? numbers : "coded";
  const scalarFunctions = ["fitsScalar", "isU53", "readScalar", "writeScalar"]
    .filter((name) => (name === "isU53" ? key.N === "8" : name === "readScalar" || isPlain))
    .filter((name) => name !== "readScalar" || !isClear)
    .join(", ");
  const handles = isPlain
    ? { handles: "nobody", read: "this.#read", written: "this.#written" }
    : { handles: "asked", read: "this.reading", written: "this.writing" };
  const set = isNumber
    ? { setBytes: "#setBytes", otherSet: isPlain ? "this.#setBytes" : "super.set" }
    : { setBytes: "override set" };
  const parts = isPlain && !isNumber ? "parts" : "";
  const flags = parts ? "BPF_ANY, BPF_EXIST" : "BPF_ANY";
  const ofHandles = scalar && handles.handles;
  const errors = isPlain || "4 8".includes(key.N) ? "ERRNO, type Operation" : "ERRNO";
  return {
    lookup: `lookup${key.N}`,
    upsert: `upsert${key.N}`,
    getPart: `getPart${key.N}`,
    get: "getNumber4",
    set: "setNumber4",
    remove: `remove${key.N}`,
    remove4: "removeNumber4",
    done: "this",
    orOptions: " || options !== undefined",
    andOptions: "",
    optionsOf: "",
    refuseOptions: isPlain ? "\n    if (options !== undefined) this.refuseTtl();" : "",
    takeTtl: "",
    touch: "",
    renew: "",
    touched: isNoted && scalar !== undefined ? "touched" : "",
    sets: isPlain || isNumber ? "sets" : "",
    used: "",
    unused: "",
    ofMap: "",
    asIs: "",
    abi: abiImport(isNumber, ofHandles, isNoted, isPlain),
    parted: isNumber || (isNoted && isPlain) ? "" : "parted",
    zeroes: isPlain && !isNoted ? "zeroes" : "",
    ...key,
    ...on,
    ...set,
    ...(scalar && { ...scalar, ...handles, clearness: isClear ? "clear" : "unclear" }),
    given: isClear ? "value" : "(Number.isNaN(value) ? this.#decoded(key) : value)",
    values,
    parts,
    flags,
    errors,
    Class: `${Prefix}${name}`,
    scalarFunctions,
  };
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
        .some((word) =>
          [
            kind.N,
            kind.values,
            kind.clearness,
            kind.host,
            kind.parts,
            kind.parted,
            kind.zeroes,
            kind.touched,
            kind.sets,
            kind.handles,
          ].includes(word),
        );
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

function written(file, name, kind) {
  const source = `${name}.template.ts`;
  const [, template] = readFileSync(new URL(source, import.meta.url), "utf8").split("//#begin\n");
  const note = `// Written by scripts/hash_maps.mjs from scripts/${source}: change that one.\n`;
  return { file: `src/${file}`, text: note + fill(template, kind) };
}

/** What each of the files should hold. */
export function hashMaps() {
  const mapOf = ({ file, ...key }, { prefix, ...on }) =>
    written(`maps/hash/${prefix}${file}`, "hash_maps", kindOf(key, on));
  const [plain, shared] = HOSTS;
  const maps = KEYS.flatMap((key) => HOSTS.map((on) => mapOf(key, on)));
  maps.push(mapOf(FILTERED_MAP, plain));
  const onSharedNoted = {
    ...shared,
    Base: "SharedNotedHashMap",
    base: "./shared_noted/shared_noted_hash.ts",
  };
  const onNoted = { ...plain, Base: "NotedHashMap", base: "./noted/noted_hash.ts" };
  const into =
    (name, on) =>
    ({ file, ...key }) => {
      const folder = `${on.prefix}${name}/`;
      const { text } = mapOf({ file, ...key }, on);
      // A folder below the others, so what they import is a folder further away, but for what is in their own.
      const deeper = text
        .replaceAll(/from "(\.\/|\.\.\/)/g, (_, up) => `from "../${up === "./" ? "" : up}`)
        .replace(`from "../${folder}`, 'from "./');
      return { file: `src/maps/hash/${folder}${file}`, text: deeper };
    };
  const inFolders = [
    ...NOTED_MAPS.map(into("noted", onNoted)),
    ...NOTED_MAPS.map(into("noted", onSharedNoted)),
    ...[...SCALARS, FILTERED_NUMBER].map(into("numbers", plain)),
    into("numbers", onNoted)(NOTED_NUMBER),
    ...SCALARS.map(into("numbers", shared)),
    into("numbers", onSharedNoted)(NOTED_NUMBER),
  ];
  const iterators = VALUES.map(({ file, ...kind }) => written(`ops/iterators/${file}`, "iterators", kind));
  return [...maps, ...inFolders, ...iterators];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const { file, text } of hashMaps()) writeFileSync(new URL(file, ROOT), text);
}
