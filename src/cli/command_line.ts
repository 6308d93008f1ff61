import { readFileSync } from "node:fs";
import { FLOWS_HELP, flows } from "./flows/command.ts";
import { prog } from "./prog/command.ts";
import { UsageError } from "./usage.ts";

const HELP = `Usage: bpfmap COMMAND [options]

Commands:
  flows CAPTURE   count packets and bytes per flow of a packet capture
  prog COMMAND    verify, dump and run the eBPF programs of an object file

Options:
  --help          print this; "bpfmap COMMAND --help" or "bpfmap help COMMAND" prints the options of a command
  --version       print the version

`;

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

async function run([command, ...args]: string[]): Promise<number> {
  switch (command) {
    case "flows":
      return flows(args);
    case "prog":
      return prog(args);
    case "--version":
    case "-v":
      process.stdout.write(`${version()}\n`);
      return 0;
    case "help":
      // `help flows` is `flows --help`, in the words that git and others have for it.
      return run(args.length === 0 ? ["--help"] : [args[0], "--help"]);
    case "--help":
    case "-h":
      process.stdout.write(HELP);
      return 0;
    case undefined:
      throw new UsageError("expected a command");
    default:
      throw new UsageError(
        `unknown ${command.startsWith("-") ? "option" : "command"} ${JSON.stringify(command)}`,
      );
  }
}

/** `parseArgs` reports what it cannot parse as a TypeError with such a code. */
function isUsage(error: unknown): error is Error {
  const { code } = error as { code?: unknown };
  return error instanceof UsageError || (typeof code === "string" && code.startsWith("ERR_PARSE_ARGS_"));
}

/** Runs `bpfmap` with these arguments. Returns the exit status. */
export async function commandLine(args: string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    if (!isUsage(error)) {
      // Whatever it is, a line says more to a user than a stack.
      process.stderr.write(`bpfmap: ${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    }
    process.stderr.write(`bpfmap: ${error.message}\n\n${args[0] === "flows" ? FLOWS_HELP : HELP}`);
    return 2;
  }
}
