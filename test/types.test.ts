// The published types, as an editor and a compiler have them of the packed package: every example compiles, what is shown is short
// and true, and every name that it shows can be imported.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILD_MS } from "./support/built.ts";
import { type Consumer, installPackage } from "./support/package/consumer.ts";
import { writeExamples } from "./support/package/package_examples.ts";
import { TypedProject } from "./support/package/type_check.ts";
import { ENTRIES, unexportedNames } from "./support/package/unexported_names.ts";

const HOVERS = `
import {
  type BpfError, bytes, createHost, createMap, cstring, f64, type Infer, program, struct, u8, u16, u32, u53, u64,
} from "bpfmap";
import { generateOperations } from "bpfmap/testing";

const host = createHost();
const spec = { key: struct({ source: u32, target: u32 }), value: struct({ packets: u53, bytes: u53 }), maxEntries: 9 } as const;
const flows = createMap({ type: "rhash", ...spec });
type Flow = Infer<typeof spec.key>;
const found = flows.get({ source: 1, target: 2 });
const [entry] = flows;
flows.add({ source: 1, target: 2 }, 60, { field: "bytes" });
flows.addMany([{ source: 1, target: 2 }], [60], { field: "bytes" });

const hits = createMap({ type: "hash", key: u32, value: u32, maxEntries: 9 });
const sum = hits.add(1, 1);
const bigs = createMap({ type: "hash", key: u32, value: u64, maxEntries: 9 });
const bigSum = bigs.add(1, 1n);
const mixed = createMap({ type: "hash", key: u32, value: struct({ n: u32, m: u64, name: bytes(4) }), maxEntries: 9 });
const mixedSum = mixed.add(1, 1n, { field: "m" });

const nested = createMap({
  type: "rhash",
  key: u32,
  value: struct({ src: struct({ port: u16, name: cstring(8) }), total: u64, rate: f64 }),
  maxEntries: 9,
});
const port = nested.field("src.port");
const src = nested.field("src").get(1);
const total = nested.field("total").add(1, 1n);
nested.addFields(1, { "src.port": 1, total: 2n });
nested.add(1, 1, { field: "src.port" });
// @ts-expect-error: there is no such field
nested.field("src.prot");
// @ts-expect-error: the field is a number
nested.field("src.port").set(1, "80");
// @ts-expect-error: text cannot be added to
nested.field("src.name").add(1, 1);
// @ts-expect-error: total is a bigint
nested.addFields(1, { total: 1 });
// @ts-expect-error: there is no such field
nested.addFields(1, { packets: 1 });
// @ts-expect-error: numbers have no fields
hits.field("value");

const cells = createMap({ type: "array", key: u32, value: f64, maxEntries: 9 });
const view = cells.view();
const records = createMap({ type: "array", key: u32, value: struct({ a: u8 }), maxEntries: 9 });
const recordView = records.view();

const perCpu = createMap({ type: "percpu_hash", key: u32, value: struct({ n: u53 }), maxEntries: 9 });
const slots = perCpu.get(1);
const slotSum = perCpu.add(1, 1, { field: "n" });
const slotField = perCpu.field("n");
perCpu.addFields(1, { n: 1 });
const totals = createMap({ type: "percpu_array", key: u32, value: u64, maxEntries: 9 });
const totalsView = totals.view();

const sockets = createMap<{ send(data: unknown): void }>({ type: "sockmap", maxEntries: 9 });
const opened = host.open("/cells", { type: "array", key: u32, value: f64 });

const expire = program(flows, ({ key, value }) => value.bytes.lt(5).and(key.source.eq(1)).then(1), { params: { before: u32 } });
const before = expire.params.before;

const mail = createMap({
  type: "rhash",
  key: struct({ source: u32, name: cstring(8) }),
  value: struct({ packets: u53, bytes: u64 }),
  maxEntries: 9,
});
const letter = mail.get({ source: 1, name: "a" });
const following = mail.nextKey();
// @ts-expect-error: the key is a struct
mail.get(1);
// @ts-expect-error: bytes is a bigint
mail.set({ source: 1, name: "a" }, { packets: 1, bytes: 1 });
// @ts-expect-error: there is no such type
host.createMap({ type: "rhsah", key: u32, value: u32, maxEntries: 1 });
const operations = [...generateOperations({ seed: 1, steps: 1, keys: 1, maxEntries: 1 })];

declare const error: BpfError;
const told = [error.code, error.operation, error.map, error.syscall];
`;

const FLOW = "{ source: number; target: number; }";
const COUNTS = "{ packets: number; bytes: number; }";

/** What an editor shows over the last name of an expression. */
const SHOWN: [string, string][] = [
  ["const flows", `const flows: HashMap<${FLOW}, ${COUNTS}>`],
  ["type Flow", `type Flow = ${FLOW}`],
  ["const found", `const found: ${COUNTS} | undefined`],
  ["[entry", `const entry: [${FLOW}, ${COUNTS}]`],
  [
    "flows.add",
    `(method) HashMap<${FLOW}, ${COUNTS}>.add(key: ${FLOW}, delta: number, ` +
      'options: AddOptions<"packets" | "bytes">): number (+1 overload)',
  ],
  ["const hits", "const hits: HashMap<number, number>"],
  ["hits.add", "(method) HashMap<number, number>.add(key: number, delta: number): number (+1 overload)"],
  ["const sum", "const sum: number"],
  ["bigs.add", "(method) HashMap<number, bigint>.add(key: number, delta: bigint): bigint (+1 overload)"],
  ["const bigSum", "const bigSum: bigint"],
  ["const mixedSum", "const mixedSum: bigint"],
  ["const port", "const port: Field<number, number>"],
  ["const src", "const src: { port: number; name: string; } | undefined"],
  ["const total", "const total: bigint"],
  ["const slotField", "const slotField: Field<number, number>"],
  ["const cells", "const cells: ArrayMap<number, Float64Array<ArrayBufferLike>>"],
  ["const view", "const view: Float64Array<ArrayBufferLike>"],
  ["const records", "const records: ArrayMap<{ a: number; }, Uint8Array<ArrayBufferLike>>"],
  ["const recordView", "const recordView: Uint8Array<ArrayBufferLike>"],
  ["const perCpu", "const perCpu: PercpuHashMap<number, { n: number; }>"],
  ["const slots", "const slots: { n: number; }[] | undefined"],
  ["const slotSum", "const slotSum: number"],
  ["const totals", "const totals: PercpuArrayMap<bigint, BigUint64Array<ArrayBufferLike>>"],
  ["const totalsView", "const totalsView: BigUint64Array<ArrayBufferLike>"],
  ["const sockets", "const sockets: SockMap<{ send(data: unknown): void; }>"],
  ["const opened", "const opened: ArrayMap<number, Float64Array<ArrayBufferLike>>"],
  ["value.bytes", "(property) bytes: NumberExpression"],
  ["const before", "const before: number"],
  ["const letter", "const letter: { packets: number; bytes: bigint; } | undefined"],
  ["const following", "const following: { source: number; name: string; } | undefined"],
  ["const operations", "const operations: Operation[]"],
  ["error.code", "(property) BpfError.code: ErrnoCode"],
  ["error.operation", "(property) BpfError.operation: Operation"],
  ["error.map", "(property) BpfError.map: string | undefined"],
  ["error.syscall", "(property) BpfError.syscall: BpfCommand | undefined"],
];

let consumer: Consumer;
let examples: Map<string, string>;
let project: TypedProject;

beforeAll(async () => {
  consumer = installPackage();
  examples = await writeExamples(consumer);
  writeFileSync(join(consumer.folder, "hovers.mts"), HOVERS);
  const entries = ENTRIES.map((entry) => `import "${entry}";`).join("\n");
  writeFileSync(join(consumer.folder, "entries.mts"), entries);
  const files = ["hovers.mts", "entries.mts", ...examples.keys()];
  project = new TypedProject(ts, consumer.folder, files, { module: "NodeNext" });
}, BUILD_MS);

afterAll(() => consumer.remove());

it("every example compiles, and what is wrong does not", () => {
  const errors = Object.entries(project.errors()).map(([file, problems]) => ({
    example: examples.get(file) ?? file,
    problems,
  }));
  expect(errors).toEqual([]);
  expect(examples.size).toBeGreaterThan(100);
});

describe("an editor shows", () => {
  it.each(SHOWN)("%s", (expression, shown) => {
    expect(project.hover("hovers.mts", expression)).toBe(shown);
  });
});

describe("what a signature names can be imported", () => {
  it.each(ENTRIES)("%s", (entry) => {
    expect(unexportedNames(project.program, join(consumer.folder, "entries.mts"), entry)).toEqual([]);
  });
});
