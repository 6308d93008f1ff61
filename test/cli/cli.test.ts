import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { commandLine } from "../../src/cli/command_line.ts";
import type { Summary } from "../../src/cli/flows/summary.ts";
import { BUILD_MS, builtRoot } from "../support/built.ts";
import { bySize } from "../support/size.ts";
import { bytes, interfaceBlock, pcap, section, tcp4, u32 } from "./build.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const main = join(root, "dist/cli/main.js");
const recorded = join(root, "examples/captures/loopback.pcap");
const expected = JSON.parse(readFileSync(join(root, "test/data/loopback.totals.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "bpfmap-cli-"));

/** Writes a file of the test, and gives its path. */
function file(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

function start(args: string[]): { child: ChildProcessWithoutNullStreams; done: Promise<Run> } {
  const child = spawn(process.execPath, [main, ...args]);
  const run: Run = { status: null, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.stderr += text;
  });
  // A child that exits early closes its end: what is left to write has no reader.
  child.stdin.on("error", () => {});
  const done = new Promise<Run>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ ...run, status }));
  });
  return { child, done };
}

/** Runs the program; `input` is what it finds on standard input. */
async function spawned(args: string[], input: Uint8Array = bytes()): Promise<Run> {
  const { child, done } = start(args);
  child.stdin.end(input);
  const run = await done;
  expect(run.stderr, "a stack trace").not.toMatch(/^\s+at /m);
  return run;
}

/** Does the same in this process. */
async function called(args: string[], input: Uint8Array = bytes()): Promise<Run> {
  const run: Run = { status: null, stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      run[name] += text;
      return true;
    }),
  );
  const stdin = vi
    .spyOn(process, "stdin", "get")
    .mockReturnValue(Readable.from(input.length === 0 ? [] : [input]) as typeof process.stdin);
  try {
    run.status = await commandLine(args);
  } finally {
    for (const spy of [...spies, stdin]) spy.mockRestore();
  }
  return run;
}

// To start a process takes far longer than what it does here.
const bpfmap = bySize(called, spawned);

beforeAll(() => {
  builtRoot();
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true }));

describe("bpfmap flows", () => {
  test("reports the recorded capture, the totals last", async () => {
    const { status, stdout, stderr } = await spawned(["flows", recorded]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const count = (value: number) => value.toLocaleString("en-US");
    expect(stdout).toContain(`Top talkers: the 10 of ${count(expected.flows)} flows`);
    expect(stdout).toContain(`  127.77.0.1:8080  127.0.0.1:${expected.top[0].destinationPort}`);
    expect(stdout.slice(stdout.indexOf("Totals")).split("\n")).toEqual([
      "Totals",
      `  packets   ${count(expected.packets)}`,
      `  bytes     ${count(expected.bytes)} (on the wire)`,
      `  duration  ${expected.duration} s`,
      `  flows     ${count(expected.flows)}`,
      `  tcp       ${count(expected.tcp.packets)} packets`,
      `  udp       ${count(expected.udp.packets)} packets`,
      "  other     1 packet",
      "",
    ]);
    for (const line of ["entries", "memory", "resizes", "drains", "rate"])
      expect(stdout).toContain(`\n  ${line} `);
  });

  test("--json, from standard input, in several writes", async () => {
    const { child, done } = start(["flows", "--json", "--top", "3", "--interval", "0.5", "--idle", "2", "-"]);
    const capture = readFileSync(recorded);
    for (let at = 0; at < capture.length; at += 333_333)
      child.stdin.write(capture.subarray(at, at + 333_333));
    child.stdin.end();
    const { status, stdout, stderr } = await done;
    expect([status, stderr]).toEqual([0, ""]);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.capture).toEqual({
      file: "-",
      format: "pcap, little-endian, microseconds",
      linkTypes: ["Ethernet"],
      defect: null,
    });
    expect(summary.totals).toMatchObject({
      packets: expected.packets,
      bytes: expected.bytes,
      flows: expected.flows,
    });
    const { protocol, ...top } = expected.top[0];
    expect(summary.top).toHaveLength(3);
    expect(summary.top[0]).toMatchObject({ ...top, protocol: protocol === 6 ? "tcp" : "udp" });
    expect(summary.table).toMatchObject({ type: "rhash", interval: 0.5, idle: 2, batch: 256 });
    expect(summary.table.drains).toBeGreaterThan(5);
    expect(summary.table.evicted).toBeGreaterThan(1_000);
    expect(summary.table.growth.length).toBe(summary.table.drains);
    expect(summary.memory.peak).toBeGreaterThan(100_000);
    expect(summary.rate.packetsPerSecond).toBeGreaterThan(0);
  });

  test("--top 0 leaves the top talkers out", async () => {
    const { status, stdout } = await bpfmap(["flows", "--top=0", recorded]);
    expect(status).toBe(0);
    expect(stdout).not.toContain("Top talkers");
    expect(stdout).toContain("Totals");
  });

  test("a capture that is cut off: what could be read, a warning with the offset, status 1", async () => {
    const whole = pcap([{ data: tcp4(1, 80) }, { data: tcp4(2, 80) }]);
    const path = file("cut.pcap", whole.subarray(0, whole.length - 10));
    const { status, stdout, stderr } = await bpfmap(["flows", path]);
    expect(status).toBe(1);
    expect(stderr).toBe(
      `bpfmap flows: ${path}: cut off: the packet record needs 70 bytes, 60 of them are there; at byte 94; 1 packet before it was read\n`,
    );
    expect(stdout).toContain("192.168.1.10:1  10.0.0.1:80");
    expect(stdout).toContain("  packets   1\n");
    const json = await bpfmap(["flows", "--json", "-"], whole.subarray(0, 30));
    expect(json.status).toBe(1);
    expect(json.stderr).toContain("at byte 24; 0 packets before it were read");
    expect((JSON.parse(json.stdout) as Summary).capture.defect).toEqual({
      offset: 24,
      message: "cut off: the packet record needs 16 bytes, 6 of them are there",
    });
  });

  test("a malformed capture: the same", async () => {
    const part = bytes(section(), interfaceBlock(1));
    const { status, stdout, stderr } = await bpfmap(
      ["flows", "-"],
      bytes(part, u32(6, true), u32(7, true), u32(0)),
    );
    expect(status).toBe(1);
    expect(stderr).toContain(`the enhanced packet block claims a length of 7 bytes; at byte ${part.length};`);
    expect(stdout).toContain("  packets   0\n");
  });

  test("many link types that are not supported are named in part", async () => {
    const links = Array.from({ length: 2000 }, (_, i) => interfaceBlock(30_000 + i));
    const { status, stdout, stderr } = await bpfmap(["flows", "-"], bytes(section(), ...links));
    expect(status).toBe(1);
    const lines = stderr.trimEnd().split("\n");
    expect(lines).toHaveLength(9);
    expect(lines[7]).toContain("link type 30007 is not supported");
    expect(lines[8]).toBe("bpfmap flows: -: 1,992 further link types are not supported");
    expect(stdout.split("\n")[0]).toMatch(/link type 30007, and 1,992 more$/);
  });

  test("a link type that is not supported is said, status 1", async () => {
    const { status, stdout, stderr } = await bpfmap(
      ["flows", "-"],
      pcap([{ data: tcp4(1, 2) }], { link: 105 }),
    );
    expect(status).toBe(1);
    expect(stderr).toBe(
      "bpfmap flows: -: link type 105 is not supported, its packets are counted as other\n",
    );
    expect(stdout).toContain("other     1 packet\n");
  });

  test.each<[string, () => string[], string]>([
    ["a missing file", () => ["flows", join(folder, "missing.pcap")], "missing.pcap: no such file\n"],
    ["a directory", () => ["flows", folder], ": is a directory\n"],
    ["an empty file", () => ["flows", file("empty.pcap", bytes())], "empty.pcap: the input is empty\n"],
    ["empty standard input", () => ["flows", "-"], "-: the input is empty\n"],
    [
      "a text file",
      () => ["flows", join(root, "package.json")],
      "package.json: not a pcap or pcapng capture",
    ],
  ])("%s: one line, status 1", async (_, args, message) => {
    const { status, stdout, stderr } = await bpfmap(args());
    expect(stdout).toBe("");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });

  test.each<[string[], string]>([
    [[], "expected a command"],
    [["watch"], 'unknown command "watch"'],
    [["--fast"], 'unknown option "--fast"'],
    [["flows"], "expected one CAPTURE, got 0"],
    [["flows", "a.pcap", "b.pcap"], "expected one CAPTURE, got 2"],
    [["flows", "--fast", recorded], "Unknown option '--fast'"],
    [["flows", "--top", "ten", recorded], '--top: expected a whole number from 0, got "ten"'],
    [["flows", "--top", "1.5", recorded], '--top: expected a whole number from 0, got "1.5"'],
    [["flows", "--top=-1", recorded], '--top: expected a whole number from 0, got "-1"'],
    [["flows", "--interval", "0", recorded], '--interval: expected seconds from 0.001, got "0"'],
    [["flows", "--interval", "", recorded], '--interval: expected seconds from 0.001, got ""'],
    [["flows", "--idle=-3", recorded], '--idle: expected seconds from 0, got "-3"'],
    [["flows", "--idle", "Infinity", recorded], '--idle: expected seconds from 0, got "Infinity"'],
    [["flows", "--json=yes", recorded], "--json"],
    [["flows", recorded, "--top"], "--top"],
  ])("%j: usage on standard error, status 2", async (args, message) => {
    const { status, stdout, stderr } = await bpfmap(args);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
    expect(stderr).toContain("Usage: bpfmap");
    expect(status).toBe(2);
  });

  test("the status of the process is that of the command", async () => {
    expect((await spawned(["flows", "--fast", recorded])).status).toBe(2);
    expect((await spawned(["flows", folder])).status).toBe(1);
  });

  test("help of a command", async () => {
    const help = await bpfmap(["flows", "--help"]);
    expect([help.status, help.stderr]).toEqual([0, ""]);
    for (const option of ["--top N", "--interval S", "--idle S", "--json"])
      expect(help.stdout).toContain(option);
    expect(await bpfmap(["help", "flows"])).toEqual(help);
    const unknown = await bpfmap(["help", "flow"]);
    expect([unknown.status, unknown.stderr.split("\n")[0]]).toEqual([2, 'bpfmap: unknown command "flow"']);
  });

  test("--help and --version", async () => {
    const help = await bpfmap(["--help"]);
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toContain("flows CAPTURE");
    expect(await bpfmap(["help"])).toEqual(help);
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(await spawned(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("a reader that goes away is no error", async () => {
    const { child, done } = start(["flows", "--json", "--top", "100000", recorded]);
    child.stdin.end();
    child.stdout.destroy();
    const { status, stderr } = await done;
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
});
