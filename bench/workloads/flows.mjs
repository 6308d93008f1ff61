// `bpfmap flows` on a large capture: what a packet costs in each part of the program, and the whole beside other programs that count flows.
import { execFile } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";
import { Fingerprint } from "../data/fingerprint.mjs";
import { writeLargeCapture } from "../data/large_capture.mjs";
import { summarise } from "../run/statistics.mjs";

export const name = "flows";
export const title = "bpfmap flows on a large capture, ns per packet";
export const defaultSizes = [10_000_000];
export const options = {
  peerPackets: {
    type: "integer",
    default: 1_000_000,
    help: "flows: packets of the capture that tshark and nfpcapd read, too",
  },
};

const root = fileURLToPath(new URL("../..", import.meta.url));
const RECORDING = join(root, "examples/captures/loopback.pcap");
const CHUNK = 1 << 20;
const SECOND = 1e6;
/** No capture is that long: flows are drained at the end only. */
const NEVER = 1e15;
const WHOLE = "the whole program";

const runFile = promisify(execFile);

/** The parts of the command line, which the package does not export. */
async function importParts() {
  const file = join(root, "build", `flows-parts.${process.pid}.mjs`);
  const src = join(root, "src/cli");
  const entry = `
    export { CaptureReader } from ${JSON.stringify(join(src, "capture/reader.ts"))};
    export { readTuple } from ${JSON.stringify(join(src, "capture/packet.ts"))};
    export { flowKey } from ${JSON.stringify(join(src, "flows/flow.ts"))};
    export { FlowTable } from ${JSON.stringify(join(src, "flows/flow_table.ts"))};
    export { Totals } from ${JSON.stringify(join(src, "flows/totals.ts"))};`;
  const plugin = {
    name: "entry",
    resolveId: (id) => (id === "entry" ? id : /^@/.test(id) ? { id, external: true } : undefined),
    load: (id) => (id === "entry" ? entry : undefined),
  };
  const build = await rolldown({ input: "entry", plugins: [plugin], platform: "node", tsconfig: false });
  try {
    await build.write({ file, format: "esm" });
    await build.close();
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(file, { force: true });
  }
}

/** A capture of so many packets below the system's folder for such things; it stays there for the next run. */
function captureOf(packets, progress) {
  const file = join(tmpdir(), `bpfmap-flows-${packets}.pcap`);
  if (!existsSync(file)) {
    progress(`writing ${file}`);
    writeLargeCapture(RECORDING, file, packets);
  }
  return file;
}

/** Has a reader take a whole file; ms. */
function timeReading(file, reader, finish = () => {}) {
  const start = performance.now();
  const opened = openSync(file, "r");
  while (reader.pull(CHUNK, (bytes, at, most) => readSync(opened, bytes, at, most, null)));
  closeSync(opened);
  finish();
  return performance.now() - start;
}

/** What is timed: each stage does what the one before it does, and one thing more. */
function stagesOf({ CaptureReader, FlowTable, Totals, flowKey, readTuple }) {
  const bytes = new Uint8Array(CHUNK);
  const table = (file, interval) => {
    const flows = new FlowTable({ interval, idle: 5 * SECOND });
    const ms = timeReading(file, new CaptureReader((frame) => flows.add(frame)), () => flows.finish());
    const counted = [flows.totals.packets, flows.flows];
    flows.host.close();
    return { ms, counted };
  };
  return {
    reading: (file) => ({
      ms: timeReading(file, { pull: (most, read) => read(bytes, 0, most) > 0 }),
    }),
    "parsing of records": (file) => ({ ms: timeReading(file, new CaptureReader(() => {})) }),
    "decoding of headers, sums": (file) => {
      const key = new Uint8Array(flowKey.size);
      const view = new DataView(key.buffer);
      const totals = new Totals();
      const decode = (frame) =>
        totals.count(frame, readTuple(frame, view, flowKey.offsets), key[flowKey.offsets.proto]);
      return { ms: timeReading(file, new CaptureReader(decode)), counted: [totals.packets] };
    },
    "table, one drain at the end": (file) => table(file, NEVER),
    "a drain each second": (file) => table(file, SECOND),
  };
}

/** Programs that count flows: how they are started. */
const PROGRAMS = {
  bpfmap: (file) => [process.execPath, [join(root, "dist/cli/main.js"), "flows", "--json", file]],
  tshark: (file) => ["tshark", ["-q", "-z", "conv,tcp", "-r", file]],
  nfpcapd: (file, folder) => ["nfpcapd", ["-r", file, "-w", folder]],
};

async function timeProgram(program, file) {
  const folder = mkdtempSync(join(tmpdir(), "bpfmap-flows-"));
  try {
    const start = performance.now();
    await runFile(...PROGRAMS[program](file, folder), { maxBuffer: 2 ** 30 });
    return performance.now() - start;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function run(context) {
  const { rounds, progress } = context;
  const stages = stagesOf(await importParts());
  const fingerprint = new Fingerprint();
  const measurements = [];
  const notes = [];
  for (const size of context.sizes) {
    const file = captureOf(size, progress);
    const names = Object.keys(stages);
    const all = Object.fromEntries(names.map((stage) => [stage, []]));
    // Round 0 warms up.
    for (let round = 0; round <= rounds && !context.stopped; round++) {
      for (const stage of names) {
        progress(`${size} packets, round ${round} of ${rounds}: ${stage}`);
        const { ms, counted } = stages[stage](file);
        if (round > 0) all[stage].push((ms * 1e6) / size);
        else if (counted !== undefined) fingerprint.add(...counted);
      }
    }
    const medians = names.map((stage) => summarise(all[stage]).median);
    names.forEach((operation, i) => {
      measurements.push({
        size,
        operation: `up to: ${operation}`,
        contender: "bpfmap",
        unit: "ns",
        rounds: all[operation],
      });
      const apart = (medians[i] - (medians[i - 1] ?? 0)).toFixed(0);
      notes.push(`${operation}: ${apart} ns per packet`);
    });
    const rate = (1e3 / medians.at(-1)).toFixed(2);
    notes.push(`${rate} million packets/s, warm; ${Math.round(statSync(file).size / size)} bytes per packet`);
  }
  await comparePrograms(context, measurements, notes);
  return {
    parameters: { peerPackets: context.options.peerPackets },
    fingerprint: `${fingerprint}`,
    measurements,
    notes,
  };
}

/** Whole programs from start to end, in turn, on the same file. */
async function comparePrograms({ rounds, progress, options, skip }, measurements, notes) {
  const size = options.peerPackets;
  const file = captureOf(size, progress);
  const names = Object.keys(PROGRAMS);
  const all = Object.fromEntries(names.map((program) => [program, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const program of names) {
      if (all[program] === undefined) continue;
      progress(`${size} packets, round ${round} of ${rounds}: ${program}`);
      try {
        all[program].push(((await timeProgram(program, file)) * 1e6) / size);
      } catch (error) {
        if (program === "bpfmap") throw error;
        skip(program, `it does not run: ${error.message.split("\n")[0]}`);
        all[program] = undefined;
      }
    }
  }
  for (const program of names) {
    if (all[program] === undefined) continue;
    measurements.push({ size, operation: WHOLE, contender: program, unit: "ns", rounds: all[program] });
    if (program === "bpfmap") continue;
    const { median } = summarise(all[program].map((ns, round) => ns / all.bpfmap[round]));
    notes.push(`${program} takes ${median.toFixed(2)} times as long as bpfmap, both with their start`);
  }
}
