import { closeSync, createReadStream, openSync, readSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { linkName } from "../capture/link.ts";
import { CaptureReader } from "../capture/reader.ts";
import { UsageError } from "../usage.ts";
import { FlowTable } from "./flow_table.ts";
import { formatPlural } from "./format.ts";
import { Progress } from "./progress.ts";
import { MOST_LINK_TYPES, report } from "./report.ts";
import { type Summary, summarize } from "./summary.ts";

export const FLOWS_HELP = `Usage: bpfmap flows [options] CAPTURE

Counts packets and bytes per flow (5-tuple, each direction on its own) of a packet capture in an rhash map.
CAPTURE is a pcap or pcapng file, "-" is standard input. One that is compressed has to be decompressed first:

  bpfmap flows --top 3 capture.pcapng
  tcpdump -i eth0 -s 96 -c 10000 -w - | bpfmap flows --json -
  xz -dc capture.pcap.xz | bpfmap flows -

Options:
  --top N        show the N flows with the most bytes (default 10)
  --interval S   drain the table whenever S seconds of packet time have passed (default 1)
  --idle S       evict flows that had no packet for S seconds (default 5)
  --json         print the report as JSON
  --help         print this

Bytes are those of whole frames on the wire. Fragments behind the first have no ports and count under ports 0.
Exit status: 0 all was read; 1 the capture could not be read, or not to its end (what was read is printed); 2 usage.
`;

const CHUNK = 1 << 20;

const WHOLE = /^\d{1,9}$/;
const DECIMAL = /^(\d{1,9}(\.\d*)?|\.\d+)$/;

interface Options {
  file: string;
  top: number;
  interval: number;
  idle: number;
  json: boolean;
}

/** Runs `bpfmap flows` with the arguments behind the command. Returns the exit status. */
export async function flows(args: string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === undefined) {
    process.stdout.write(FLOWS_HELP);
    return 0;
  }
  const table = new FlowTable({ interval: options.interval * 1e6, idle: options.idle * 1e6 });
  const reader = new CaptureReader((frame) => table.add(frame));
  const started = performance.now();
  const problem = await readAll(options.file, reader);
  if (problem !== undefined) {
    warn(`${options.file}: ${problem}`);
    return 1;
  }
  table.finish();
  const { defect } = reader;
  if (reader.format === "unknown" && defect !== undefined) {
    warn(`${options.file}: ${defect.message}`);
    return 1;
  }
  const elapsed = (performance.now() - started) / 1000;
  const summary = summarize(reader, table, { ...options, elapsed });
  const status = warnings(summary, reader) ? 1 : 0;
  process.stdout.write(options.json ? `${JSON.stringify(summary, undefined, 2)}\n` : report(summary));
  return status;
}

/** Undefined when help is wanted. */
function parseOptions(args: string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      top: { type: "string", default: "10" },
      interval: { type: "string", default: "1" },
      idle: { type: "string", default: "5" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  if (positionals.length !== 1) throw new UsageError(`expected one CAPTURE, got ${positionals.length}`);
  return {
    file: positionals[0],
    top: number("--top", values.top, WHOLE, 0, "a whole number from 0"),
    interval: number("--interval", values.interval, DECIMAL, 0.001, "seconds from 0.001"),
    idle: number("--idle", values.idle, DECIMAL, 0, "seconds from 0"),
    json: values.json,
  };
}

function number(option: string, text: string, form: RegExp, least: number, expected: string): number {
  if (form.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${option}: expected ${expected}, got ${JSON.stringify(text)}`);
}

/** Feeds the file, or standard input, to the reader. Returns why that was not possible. */
async function readAll(file: string, reader: CaptureReader): Promise<string | undefined> {
  let progress: Progress | undefined;
  try {
    const stat = file === "-" ? undefined : statSync(file);
    progress = new Progress(process.stderr, stat?.size ?? 0);
    const show = () => progress?.update(reader.received, reader.packets);
    if (stat?.isFile()) readFile(file, reader, show);
    else {
      const input = file === "-" ? process.stdin : createReadStream(file, { highWaterMark: CHUNK });
      for await (const chunk of input) {
        if (!reader.push(chunk as Uint8Array)) break;
        show();
      }
    }
  } catch (error) {
    return systemProblem(error);
  } finally {
    progress?.end();
  }
  reader.finish();
  return undefined;
}

/** A file on a disk has its bytes at hand: waiting for them in turns of the event loop, and copying them, takes longer. */
function readFile(file: string, reader: CaptureReader, show: () => void): void {
  const opened = openSync(file, "r");
  try {
    while (reader.pull(CHUNK, (bytes, at, most) => readSync(opened, bytes, at, most, null))) show();
  } finally {
    closeSync(opened);
  }
}

const PROBLEMS: Record<string, string> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EISDIR: "is a directory",
};

/** In words where it is an error of the file system; others are passed on. */
function systemProblem(error: unknown): string {
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code !== "string" || typeof syscall !== "string") throw error;
  return PROBLEMS[code] ?? `${syscall} failed (${code})`;
}

/** Says on standard error what is wrong with the result. True when the capture could not be read as a whole. */
function warnings({ capture, totals }: Summary, reader: CaptureReader): boolean {
  const { file, defect } = capture;
  const unknown = [...reader.links].filter((link) => linkName(link) === undefined);
  if (defect !== null) {
    const read = `${formatPlural(totals.packets, "packet")} before it ${totals.packets === 1 ? "was" : "were"} read`;
    warn(`${file}: ${defect.message}; at byte ${defect.offset}; ${read}`);
  }
  for (const link of unknown.slice(0, MOST_LINK_TYPES)) {
    warn(`${file}: link type ${link} is not supported, its packets are counted as other`);
  }
  if (unknown.length > MOST_LINK_TYPES) {
    const more = unknown.length - MOST_LINK_TYPES;
    warn(`${file}: ${formatPlural(more, "further link type")} ${more === 1 ? "is" : "are"} not supported`);
  }
  if (totals.untracked.packets > 0) {
    warn(
      `${file}: too many flows: ${formatPlural(totals.untracked.packets, "packet")} are in the totals only`,
    );
  }
  return defect !== null || unknown.length > 0;
}

function warn(message: string): void {
  process.stderr.write(`bpfmap flows: ${message}\n`);
}
