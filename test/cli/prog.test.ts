import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { commandLine } from "../../src/cli/command_line.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const object = (name: string) => join(root, `test/data/ebpf/${name}.bpf.o`);
const recorded = join(root, "examples/captures/loopback.pcap");
const expected = JSON.parse(readFileSync(join(root, "test/data/loopback.totals.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "bpfmap-prog-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said.out += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said.err += text;
    return true;
  });
  const status = await commandLine(["prog", ...args]);
  vi.restoreAllMocks();
  return { status, ...said };
}

test("verify says what is proven, and what is refused", async () => {
  const good = await run("verify", "--strict", object("flows"));
  expect(good).toMatchObject({ status: 0, err: "" });
  expect(good.out).toMatch(/^flow: accepted, \d+ accesses proven, 0 checked when it runs, \d+ instructions/);
  const bad = await run("verify", "--json", object("dump"));
  expect(bad.status).toBe(1);
  expect(JSON.parse(bad.out)[0]).toMatchObject({ name: "dump_text", accepted: false });
});

test("dump prints instructions and source, maps lists maps", async () => {
  const dumped = await run("dump", object("counters"));
  expect(dumped.out).toContain("; struct value *v = bpf_map_lookup_elem(&counters, &key);");
  const listed = await run("maps", object("counters"));
  expect(listed.out).toContain("counters: hash, keys of 4 bytes, values of 24, at most 10240\n");
});

test("run counts a capture, and one packet", async () => {
  const many = await run("run", object("flows"), "flow", "--capture", recorded, "--json");
  const { runs, traps, retvals, maps } = JSON.parse(many.out);
  expect({ runs, traps, retvals }).toEqual({
    runs: expected.packets,
    traps: 0,
    retvals: { 2: expected.packets },
  });
  expect(maps.flows.length).toBeGreaterThanOrEqual(expected.flows);
  const packet = join(folder, "packet");
  writeFileSync(packet, new Uint8Array(60));
  const one = await run("run", object("counters"), "count", "--data", packet, "--repeat", "3");
  expect(one.out).toContain("retval: 2\ncounters: 1 entries");
});

test("what cannot be understood is usage, what cannot be read an error", async () => {
  expect((await run("verify")).status).toBe(2);
  expect((await run("load", object("flows"))).status).toBe(2);
  expect((await run("run", object("flows"), "flow")).status).toBe(2);
  expect((await run("maps", join(folder, "none"))).status).toBe(1);
  expect(await run("maps", recorded)).toMatchObject({
    status: 1,
    err: "bpfmap: object: this is no ELF file\n",
  });
  expect((await run("--help")).out).toContain("Usage: bpfmap prog COMMAND");
});
