// The options of `npm run bench`: the common ones, and those that each workload adds.
import { parseArgs } from "node:util";
import { CONTENDERS, DEFAULT_CONTENDERS } from "../contenders/index.mjs";
import { formatSize } from "../run/format.mjs";
import { UsageError } from "../run/usage_error.mjs";
import { ONLY_THREADS } from "../threads/contenders/index.mjs";

/** What runs without a name. */
const DEFAULT_WORKLOADS = ["operations"];

const COMMON = {
  only: { type: "string", value: "LIST", help: "workloads, as an option" },
  contenders: { type: "string", value: "LIST", help: "contenders, or: default, all" },
  sizes: {
    type: "string",
    value: "LIST",
    help: "entries: 500,10k,100k,1M,4M,16M (each workload has its own default)",
  },
  rounds: {
    type: "integer",
    default: 7,
    help: "rounds that count; one to three come before them, to warm up",
  },
  queries: { type: "integer", default: 1 << 20, help: "operations of a timed pass" },
  seed: { type: "integer", default: 1, help: "of keys, queries and hashes" },
  json: {
    type: "file",
    help: "results as JSON, to a file (then after each workload) or instead of the tables",
  },
  markdown: { type: "file", help: "the tables as Markdown, to a file or instead of the tables" },
  help: { type: "boolean", help: "this text" },
};

const STANDARD_OUTPUT = "-";

/** `--json FILE`, `--json=FILE` or `--json` alone, which parseArgs cannot say: the file is what is neither option nor workload. */
function joinFiles(args, names) {
  const joined = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg !== "--json" && arg !== "--markdown") joined.push(arg);
    else if (i + 1 < args.length && !args[i + 1].startsWith("-") && !names.includes(args[i + 1])) {
      joined.push(`${arg}=${args[++i]}`);
    } else joined.push(`${arg}=${STANDARD_OUTPUT}`);
  }
  return joined;
}

/** A whole number, with k for thousands and M for millions. */
function parseInteger(what, text) {
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text);
  const number = match === null ? Number.NaN : Number(match[1]) * { "": 1, k: 1e3, M: 1e6 }[match[2]];
  if (!Number.isSafeInteger(number)) {
    throw new UsageError(
      `${what}: expected a whole number such as 500, 10k or 4M, got ${JSON.stringify(text)}`,
    );
  }
  return number;
}

function parseNumber(what, text) {
  const number = Number(text);
  if (!(number > 0 && number < Infinity)) {
    throw new UsageError(`${what}: expected a number above 0, got ${JSON.stringify(text)}`);
  }
  return number;
}

function parseOne(name, option, text = option.default) {
  const { type, choices, least = 1, most = Infinity } = option;
  if (text === undefined) return type === "boolean" ? false : undefined;
  const what = `--${name}`;
  const integer = (text) => {
    const number = typeof text === "number" ? text : parseInteger(what, text);
    if (number < least) throw new UsageError(`${what}: must be at least ${least}, got ${text}`);
    if (number > most) throw new UsageError(`${what}: must be at most ${most}, got ${text}`);
    return number;
  };
  if (type === "integer") return integer(text);
  if (type === "integers") return [...new Set(text.split(",").map(integer))];
  if (type === "number") return parseNumber(what, text);
  if (choices !== undefined && !choices.includes(text)) {
    throw new UsageError(`--${name}: expected one of ${choices.join(", ")}, got ${JSON.stringify(text)}`);
  }
  return text;
}

function parseList(what, text, known) {
  const names = text.split(",").filter((name) => name !== "");
  if (names.length === 0) throw new UsageError(`${what}: expected names separated by commas`);
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError(`${what}: there is no ${JSON.stringify(name)}; one of: ${known.join(", ")}`);
    }
  }
  return [...new Set(names)];
}

/** keySize is --key-size on the command line. */
const flagOf = (key) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * @param {string[]} args
 * @param {Record<string, object>} workloads modules by name
 */
export function parseOptions(args, workloads) {
  const all = Object.keys(workloads);
  const own = new Map();
  for (const [name, { options = {} }] of Object.entries(workloads)) {
    for (const [key, option] of Object.entries(options)) {
      const flag = flagOf(key);
      const entry = own.get(flag) ?? { option, owners: [] };
      entry.owners.push(name);
      own.set(flag, entry);
    }
  }
  const declared = {};
  for (const [flag, { type }] of [
    ...Object.entries(COMMON),
    ...[...own].map(([f, { option }]) => [f, option]),
  ]) {
    declared[flag] = { type: type === "boolean" ? "boolean" : "string" };
  }
  const { values, positionals } = parse(joinFiles(args, [...all, "all"]), declared);

  const names = selectWorkloads(positionals, values.only, all);
  for (const [flag, { owners }] of own) {
    if (values[flag] !== undefined && !owners.some((owner) => names.includes(owner))) {
      throw new UsageError(`--${flag} is an option of ${owners.join(", ")}, which is not to run`);
    }
  }
  const common = {};
  for (const [flag, option] of Object.entries(COMMON)) {
    const text = values[flag];
    common[flag] = option.type === "boolean" ? text === true : parseOne(flag, option, text);
  }
  if (common.json === STANDARD_OUTPUT && common.markdown === STANDARD_OUTPUT) {
    throw new UsageError("--json and --markdown: only one of them can go to standard output; name a file");
  }
  if (common.seed > 0xffff_ffff) throw new UsageError(`--seed: must be below 2^32, got ${common.seed}`);
  return {
    ...common,
    workloads: names,
    contenders: selectContenders(common.contenders),
    sizes: common.sizes === undefined ? undefined : parseSizes(common.sizes),
    optionsOf(name) {
      const options = {};
      for (const [key, option] of Object.entries(workloads[name].options ?? {})) {
        options[key] =
          option.type === "boolean"
            ? values[flagOf(key)] === true
            : parseOne(flagOf(key), option, values[flagOf(key)]);
      }
      return options;
    },
  };
}

function parse(args, options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function selectWorkloads(positionals, only, all) {
  const names = [...positionals, ...(only === undefined ? [] : only.split(","))];
  if (names.length === 0) return DEFAULT_WORKLOADS;
  const known = parseList("workloads", names.join(","), [...all, "all"]);
  return known.includes("all") ? all : known;
}

function selectContenders(text) {
  if (text === undefined) return undefined;
  const all = [...Object.keys(CONTENDERS), ...ONLY_THREADS];
  const names = parseList("--contenders", text, [...all, "default", "all"]);
  if (names.includes("all")) return all;
  return [...new Set(names.flatMap((name) => (name === "default" ? DEFAULT_CONTENDERS : [name])))];
}

function parseSizes(text) {
  const sizes = text.split(",").map((size) => parseInteger("--sizes", size));
  if (sizes.some((size) => size === 0))
    throw new UsageError("--sizes: a map of 0 entries has nothing to measure");
  return [...new Set(sizes)];
}

function describe(flag, { type, value, choices, default: fallback, help }) {
  const placeholder =
    {
      integer: " N",
      number: " N",
      integers: " LIST",
      string: ` ${choices?.join("|") ?? value ?? "TEXT"}`,
      file: " [FILE]",
    }[type] ?? "";
  const note = fallback === undefined ? "" : ` (default ${fallback})`;
  return `  ${`--${flag}${placeholder}`.padEnd(20)} ${help}${note}`;
}

export function helpText(workloads) {
  const lines = [
    "usage: npm run bench -- [WORKLOAD ...] [options]",
    "       npm run bench -- compare OLD.json NEW.json [--json]",
    "       npm run bench -- plots RESULT.json ... [--out DIR]",
    "",
    "Measures bpfmap beside its peers: in one process, in turn, round by round. Tables give the median of the rounds, how",
    "many times as long as bpfmap a contender takes, and the 10th to 90th percentile of that ratio over the rounds.",
    "compare flags what changed by more than both spreads, and exits with 1 when something became slower. plots draws what files of",
    "--json hold of operations, memory and grow-pause, to bench/results unless --out says where.",
    "",
    "options:",
    ...Object.entries(COMMON).map(([flag, option]) => describe(flag, option)),
    "",
    "workloads (all: every one of them; without a name: operations):",
  ];
  for (const [name, { title, options = {}, defaultSizes }] of Object.entries(workloads)) {
    const sizes = defaultSizes === undefined ? "" : ` (sizes ${defaultSizes.map(formatSize).join(",")})`;
    lines.push(`  ${name.padEnd(20)} ${title}${sizes}`);
    for (const [key, option] of Object.entries(options)) lines.push(`  ${describe(flagOf(key), option)}`);
  }
  const asked = Object.keys(CONTENDERS).filter((name) => !DEFAULT_CONTENDERS.includes(name));
  lines.push(
    "",
    "contenders:",
    `  default              ${DEFAULT_CONTENDERS.join(", ")}`,
    `  others               ${asked.slice(0, 5).join(", ")},`,
    `                       ${asked.slice(5).join(", ")}`,
    `  only in threads      ${ONLY_THREADS.join(", ")}`,
    "  Without --contenders, a workload takes those of the default ones that it is about, and the kernel's where it is theirs.",
    "  Those from npm are installed into bench/peers when one is asked for first; the kernel's need root, hashbrown-wasm a rustc",
    "  with the target wasm32-unknown-unknown. Who cannot run is left out, with the reason.",
  );
  return lines.join("\n");
}
