// The options of `npm run bench`: the common ones, and those that each workload adds.
import { Command, CommanderError, Option } from "commander";
import { ONLY_CACHES } from "../contenders/caches/index.mjs";
import { CONTENDERS, DEFAULT_CONTENDERS } from "../contenders/index.mjs";
import { formatSize } from "../run/format.mjs";
import { UsageError } from "../run/usage_error.mjs";
import { ONLY_THREADS } from "../threads/contenders/index.mjs";

/** What runs without a name. */
const DEFAULT_WORKLOADS = ["operations"];
const ALL_CONTENDERS = [...Object.keys(CONTENDERS), ...ONLY_THREADS, ...ONLY_CACHES];
const STANDARD_OUTPUT = "-";

/** A whole number, with k for thousands and M for millions. */
function parseInteger(flag, text, { least = 1, most = Infinity }) {
  const match = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text);
  const number = match === null ? Number.NaN : Number(match[1]) * { "": 1, k: 1e3, M: 1e6 }[match[2]];
  if (!Number.isSafeInteger(number)) {
    throw new UsageError(
      `${flag}: expected a whole number such as 500, 10k or 4M, got ${JSON.stringify(text)}`,
    );
  }
  if (number < least) throw new UsageError(`${flag}: must be at least ${least}, got ${text}`);
  if (number > most) throw new UsageError(`${flag}: must be at most ${most}, got ${text}`);
  return number;
}

function parseIntegers(flag, text, bounds) {
  return [...new Set(text.split(",").map((part) => parseInteger(flag, part, bounds)))];
}

function parseNumber(flag, text) {
  const number = Number(text);
  if (number > 0 && number < Infinity) return number;
  throw new UsageError(`${flag}: expected a number above 0, got ${JSON.stringify(text)}`);
}

function parseNames(what, text, known) {
  const names = text.split(",").filter((name) => name !== "");
  if (names.length === 0) throw new UsageError(`${what}: expected names separated by commas`);
  for (const name of names) {
    if (!known.includes(name)) {
      throw new UsageError(`${what}: there is no ${JSON.stringify(name)}; one of: ${known.join(", ")}`);
    }
  }
  return [...new Set(names)];
}

function parseContenders(flag, text) {
  const names = parseNames(flag, text, [...ALL_CONTENDERS, "default", "all"]);
  if (names.includes("all")) return ALL_CONTENDERS;
  return [...new Set(names.flatMap((name) => (name === "default" ? DEFAULT_CONTENDERS : [name])))];
}

/** What an option takes: how the help shows it, and how it is read. */
const TYPES = {
  integer: ["<N>", parseInteger],
  integers: ["<LIST>", parseIntegers],
  number: ["<N>", parseNumber],
  contenders: ["<LIST>", parseContenders],
  names: ["<LIST>", (_flag, text) => text.split(",")],
  file: ["[FILE]", (_flag, text) => text],
};

/** Of a workload, too: `type`, `help`, perhaps `default`, and for numbers `least` and `most`. */
const COMMON = {
  only: { type: "names", help: "workloads, as an option" },
  contenders: { type: "contenders", help: "contenders, or: default, all" },
  sizes: {
    type: "integers",
    help: "entries: 500,10k,100k,1M,4M,16M (each workload has its own default)",
  },
  rounds: {
    type: "integer",
    default: 7,
    help: "rounds that count; one to three come before them, to warm up",
  },
  queries: { type: "integer", default: 1 << 20, help: "operations of a timed pass" },
  seed: { type: "integer", default: 1, most: 2 ** 32 - 1, help: "of keys, queries and hashes" },
  json: {
    type: "file",
    help: "results as JSON, to a file (then after each workload) or instead of the tables",
  },
  markdown: { type: "file", help: "the tables as Markdown, to a file or instead of the tables" },
};

/** `keySize` is `--key-size` on the command line. */
function newOption(key, { type, help, default: fallback, ...bounds }) {
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  const [placeholder, parse] = TYPES[type];
  const option = new Option(`${flag} ${placeholder}`, help).argParser((text) => parse(flag, text, bounds));
  return fallback === undefined ? option : option.default(fallback, String(fallback));
}

/**
 * Reads a command line. Mistakes are UsageErrors.
 *
 * @param {Command} command
 * @param {string[]} args
 * @returns {boolean} false when it was asked for its help, which has been shown
 */
export function parseCommand(command, args) {
  command.exitOverride().configureOutput({ writeErr() {} });
  try {
    command.parse(args, { from: "user" });
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return false;
    throw new UsageError(error.message.replace(/^error: /, ""));
  }
}

/**
 * @param {string[]} args
 * @param {Record<string, object>} workloads modules by name
 * @returns what is to run, and how; undefined when the help was asked for
 */
export function parseOptions(args, workloads) {
  const known = [...Object.keys(workloads), "all"];
  const command = new Command("npm run bench --").argument("[WORKLOAD...]").helpOption("--help", "this text");
  for (const [key, option] of Object.entries(COMMON)) command.addOption(newOption(key, option));
  /** Options of workloads, with those that have them. One name means the same in all of them. */
  const owned = new Map();
  for (const [name, { options = {} }] of Object.entries(workloads)) {
    for (const [key, described] of Object.entries(options)) {
      const { option = newOption(key, described), owners = [] } = owned.get(key) ?? {};
      if (owners.length === 0) command.addOption(option.hideHelp());
      owned.set(key, { option, owners: [...owners, name] });
    }
  }
  addTexts(command, workloads);
  if (!parseCommand(command, withoutFile(args, known))) return undefined;

  const values = command.opts();
  const names = selectWorkloads([...command.args, ...(values.only ?? [])], known);
  for (const [key, { option, owners }] of owned) {
    if (command.getOptionValueSource(key) === "cli" && !owners.some((owner) => names.includes(owner))) {
      throw new UsageError(`${option.long} is an option of ${owners.join(", ")}, which is not to run`);
    }
  }
  const { json, markdown } = values;
  if (json === STANDARD_OUTPUT && markdown === STANDARD_OUTPUT) {
    throw new UsageError("--json and --markdown: only one of them can go to standard output; name a file");
  }
  const own = (name) => Object.keys(workloads[name].options ?? {}).map((key) => [key, values[key]]);
  return { ...values, json, markdown, workloads: names, optionsOf: (name) => Object.fromEntries(own(name)) };
}

/** `--json` alone is `--json -`, also before an option or the name of a workload. */
function withoutFile(args, known) {
  return args.map((arg, i) => {
    const { [i + 1]: next = "--" } = args;
    const alone = next.startsWith("--") || known.includes(next);
    return alone && (arg === "--json" || arg === "--markdown") ? `${arg}=${STANDARD_OUTPUT}` : arg;
  });
}

function selectWorkloads(names, known) {
  if (names.length === 0) return DEFAULT_WORKLOADS;
  const list = parseNames("workloads", names.join(","), known);
  return list.includes("all") ? known.slice(0, -1) : list;
}

const COLUMN = 20;
const WIDTH = 120;

/** The texts of `--help`. */
function addTexts(command, workloads) {
  const { optionDescription } = command.createHelp();
  const line = (option) =>
    `    ${option.flags.replace(/[<>]/g, "").padEnd(COLUMN)} ${optionDescription(option)}`;
  const lines = ["", "Workloads (all: every one of them; without a name: operations):"];
  for (const [name, { title, options = {}, defaultSizes }] of Object.entries(workloads)) {
    const sizes = defaultSizes === undefined ? "" : ` (sizes ${defaultSizes.map(formatSize).join(",")})`;
    lines.push(`  ${name.padEnd(COLUMN)} ${title}${sizes}`);
    for (const [key, option] of Object.entries(options)) lines.push(line(newOption(key, option)));
  }
  const asked = Object.keys(CONTENDERS).filter((name) => !DEFAULT_CONTENDERS.includes(name));
  lines.push(
    "",
    "Contenders:",
    `  default              ${DEFAULT_CONTENDERS.join(", ")}`,
    `  others               ${asked.slice(0, 5).join(", ")},`,
    `                       ${asked.slice(5).join(", ")}`,
    `  only in threads      ${ONLY_THREADS.join(", ")}`,
    `  only in cache        ${ONLY_CACHES.join(", ")}`,
    "  Without --contenders, a workload takes those of the default ones that it is about, and the kernel's where it is",
    "  theirs. Those from npm are installed into bench/peers when one is asked for first; the kernel's need root,",
    "  hashbrown-wasm a rustc with the target wasm32-unknown-unknown. A contender that cannot run is left out, with the",
    "  reason.",
  );
  command
    .configureHelp({ helpWidth: WIDTH })
    .usage(
      `[WORKLOAD ...] [options]
       npm run bench -- compare OLD.json NEW.json [--json]
       npm run bench -- plots RESULT.json ... [--out DIR]
       npm run bench -- tables [RESULT.json ...]`,
    )
    .description(
      "Measures bpfmap beside its peers: in one process, in turn, round by round. Tables give the median of the rounds, how " +
        "many times as long as bpfmap a contender takes, and the 10th to 90th percentile of that ratio over the rounds.\n" +
        "compare flags what changed by more than both spreads, and exits with 1 when something became slower.\n" +
        "plots draws what files of --json hold of operations, memory and grow-pause, to bench/results unless --out says where.\n" +
        "tables writes the tables of result files beside them, as Markdown; without a file, of all in bench/results.",
    )
    .addHelpText("after", lines.join("\n"));
}
