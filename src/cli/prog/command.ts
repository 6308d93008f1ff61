import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parseObject } from "../../ebpf/elf/object_file.ts";
import {
  type BpfObject,
  loadObject,
  type ObjectOptions,
  ProgramTrap,
  VerifierError,
} from "../../ebpf/index.ts";
import { createHost } from "../../index.ts";
import { CaptureReader } from "../capture/reader.ts";
import { UsageError } from "../usage.ts";

export const PROG_HELP = `Usage: bpfmap prog COMMAND [options] FILE.o [NAME]

Verifies and runs the programs of an object that clang has compiled, without a kernel.

Commands:
  verify   verify all programs, or the one of that name
  dump     print the instructions under the lines of the source
  maps     list the maps
  run      run the program NAME on --data or --capture, then print what it returned and its maps

Options:
  --strict         refuse what cannot be proven, as a kernel does
  --log N          verify: 1 prints all paths, 2 registers, too
  --data FILE      run: one packet, from the Ethernet header on
  --capture FILE   run: all packets of a pcap or pcapng file
  --repeat N       run: how often, with --data (default 1)
  --json           print JSON
  --help           print this

Exit status: 0 all is well; 1 a program was refused or ended with a trap, or a file could not be read; 2 usage.
`;

interface Options {
  readonly command: string;
  readonly file: string;
  readonly name: string | undefined;
  readonly load: ObjectOptions;
  readonly data: string | undefined;
  readonly capture: string | undefined;
  readonly repeat: number;
  readonly json: boolean;
}

/** What a command prints, as JSON and as lines, and its exit status. */
interface Printed {
  readonly json: unknown;
  readonly lines: readonly string[];
  readonly status: number;
}

const COMMANDS: Readonly<Record<string, (options: Options) => Printed>> = { verify, dump, maps, run };

/** Runs `bpfmap prog` with the arguments behind the command. Returns the exit status. */
export function prog(args: string[]): number {
  const options = parseOptions(args);
  if (options === undefined) {
    process.stdout.write(PROG_HELP);
    return 0;
  }
  const { json, lines, status } = COMMANDS[options.command](options);
  const text = options.json
    ? JSON.stringify(json, (_key, value) => (typeof value === "bigint" ? `${value}` : value), 2)
    : lines.join("\n");
  process.stdout.write(`${text}\n`);
  return status;
}

/** Undefined when help is wanted. */
function parseOptions(args: string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      strict: { type: "boolean", default: false },
      log: { type: "string", default: "0" },
      data: { type: "string" },
      capture: { type: "string" },
      repeat: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const [command = "", file, name] = positionals;
  if (!Object.hasOwn(COMMANDS, command)) {
    throw new UsageError(
      `prog: expected one of ${Object.keys(COMMANDS).join(", ")}, got ${JSON.stringify(command)}`,
    );
  }
  if (file === undefined || positionals.length > 3)
    throw new UsageError(`prog ${command}: expected FILE.o [NAME]`);
  if (!/^[012]$/.test(values.log)) throw new UsageError("--log: expected 0, 1 or 2");
  if (!/^[1-9]\d{0,5}$/.test(values.repeat)) throw new UsageError("--repeat: expected a whole number from 1");
  const { data, capture, json } = values;
  if (command === "run" && (name === undefined || (data === undefined) === (capture === undefined))) {
    throw new UsageError("prog run: expected FILE.o NAME, and --data or --capture");
  }
  const load = { verify: values.strict ? "strict" : "check", log: Number(values.log) as 0 | 1 | 2 } as const;
  return { command, file, name, load, data, capture, repeat: Number(values.repeat), json };
}

/** Loads the object with these programs, uses it and closes it. */
function withObject<T>(
  { file, load }: Options,
  programs: readonly string[],
  use: (object: BpfObject) => T,
): T {
  const host = createHost();
  try {
    return use(loadObject(host, readFileSync(file), { ...load, programs }));
  } finally {
    host.close();
  }
}

/** The program of a name, or all that are loaded by themselves. */
function namesIn({ file, name }: Options): string[] {
  if (name !== undefined) return [name];
  return parseObject(readFileSync(file))
    .programs.filter(({ autoload }) => autoload)
    .map((program) => program.name);
}

function verify(options: Options): Printed {
  const results = namesIn(options).map((name) => {
    try {
      const { log, ...found } = withObject(options, [name], ({ programs }) => programs[name].verified);
      return { name, accepted: true, ...found, log };
    } catch (error) {
      const log = error instanceof VerifierError ? error.log : "";
      return { name, accepted: false, error: (error as Error).message, log };
    }
  });
  const lines = results.flatMap((result) => {
    const { name, log } = result;
    const said =
      "error" in result
        ? `refused: ${result.error}`
        : `accepted, ${result.proven} accesses proven, ${result.checked} checked when it runs, ${result.instructions} instructions looked at`;
    return options.load.log === 0 ? [`${name}: ${said}`] : [log, `${name}: ${said}`];
  });
  return { json: results, lines, status: results.every(({ accepted }) => accepted) ? 0 : 1 };
}

function dump(options: Options): Printed {
  const names = namesIn(options);
  const texts = withObject(options, names, ({ programs }) => names.map((name) => `${programs[name]}`));
  return { json: names.map((name, i) => ({ name, text: texts[i] })), lines: texts, status: 0 };
}

function maps(options: Options): Printed {
  const infos = withObject(options, [], (object) =>
    Object.entries(object.maps).map(([name, map]) => ({ ...map.info, name })),
  );
  const lines = infos.map(
    ({ name, type, keySize, valueSize, maxEntries }) =>
      `${name}: ${type}, keys of ${keySize} bytes, values of ${valueSize}, at most ${maxEntries}`,
  );
  return { json: infos, lines, status: 0 };
}

function packetsOf(file: string): Uint8Array[] {
  const packets: Uint8Array[] = [];
  const reader = new CaptureReader((frame) => packets.push(frame.bytes.slice(frame.start, frame.end)));
  reader.push(readFileSync(file));
  reader.finish();
  if (reader.defect !== undefined) throw new Error(`${file}: ${reader.defect.message}`);
  return packets;
}

function run(options: Options): Printed {
  const { name, data, capture, repeat } = options;
  return withObject(options, [name!], (object) => {
    const program = object.programs[name!];
    let status = 0;
    let json: Record<string, unknown>;
    if (capture !== undefined) {
      const { runs, retvals, traps } = program.runMany(packetsOf(capture));
      json = { runs, traps, retvals: Object.fromEntries(retvals) };
      status = traps > 0 ? 1 : 0;
    } else {
      try {
        const { retval, redirect } = program.run({ data: readFileSync(data!), repeat });
        json = { runs: repeat, retval, ...(redirect !== undefined && { redirect }) };
      } catch (error) {
        if (!(error instanceof ProgramTrap)) throw error;
        json = { trap: error.message };
        status = 1;
      }
    }
    const said = Object.entries(json).map(([what, value]) => `${what}: ${JSON.stringify(value)}`);
    const contents = Object.entries(object.maps).map(([map, entries]) => [map, [...entries]] as const);
    const listed = contents.map(([map, entries]) => `${map}: ${entries.length} entries`);
    return {
      json: { ...json, maps: Object.fromEntries(contents), data: object.data },
      lines: [...said, ...listed],
      status,
    };
  });
}
