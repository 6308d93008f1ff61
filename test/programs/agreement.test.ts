// Random programs over random layouts and random bytes: generated code, JavaScript and a reference made of bigints agree on every
// action and every counter.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { type Codec, createHost, type Host, program, u32 } from "../../src/index.ts";
import { type Layout, layouts, memoryOf, NUMBERS, type NumberName } from "../support/programs/layouts.ts";
import { type Counters, Reference } from "../support/programs/reference.ts";
import { Builder, type Expressions, type ProgramSpec, programs } from "../support/programs/specs.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";

const seed = testSeed("programs/agreement.test.ts");

const cases = layouts.chain((layout) =>
  fc.record({
    layout: fc.constant(layout),
    spec: programs,
    params: memoryOf(layout.paramsSize),
    entries: fc.array(fc.record({ key: memoryOf(layout.key.size), value: memoryOf(layout.value.size) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
);

const names = Object.keys(NUMBERS) as NumberName[];

function make(host: Host, layout: Layout, spec: ProgramSpec, backend: "wasm" | "js") {
  const map = host.createMap({ type: "hash", key: layout.key, value: layout.value, maxEntries: 1 });
  const counters = NUMBERS as Record<NumberName, Codec<number>>;
  const made = program(
    map,
    (entry, tools) =>
      new Builder(layout, {
        ...entry,
        ...tools,
        key: entry.key,
        value: entry.value,
      } as unknown as Expressions).body(spec),
    { params: layout.params, counters, backend },
  );
  expect(made.backend).toBe(backend);
  return made;
}

/** What u53 counters cannot show as a number is compared by its bytes. */
function counted(host: Host, made: ReturnType<typeof make>, layout: Layout): unknown[] {
  const start = Math.ceil(layout.paramsSize / 8) * 8;
  const size = made.tree.zeros - start;
  const view = new DataView(host.u8.slice(made.block + start, made.block + start + size).buffer);
  let at = 0;
  return names.map((name) => {
    const codec = NUMBERS[name] as Codec<unknown>;
    at = Math.ceil(at / codec.align) * codec.align;
    const value = name === "u53" ? view.getBigUint64(at, true) : codec.decode(view, at);
    at += codec.size;
    return value;
  });
}

const zero = (name: NumberName) => (name === "u64" || name === "i64" || name === "u53" ? 0n : 0);

describe.each([false, true])("on a host with shared: %s", (shared) => {
  const host = createHost(shared ? { shared, cpus: 1, maxMemory: 1 << 20 } : {});
  // Keeps the scratch while maps come and go.
  host.createMap({ type: "hash", key: u32, value: u32, maxEntries: 1 });
  const room = host.allocate(4096);
  afterAll(() => host.close());

  it("all three agree", { timeout: 120_000 }, () => {
    const property = fc.property(cases, ({ layout, spec, params, entries }) => {
      const wasm = make(host, layout, spec, "wasm");
      const js = make(host, layout, spec, "js");
      const counters = Object.fromEntries(names.map((name) => [name, zero(name)])) as Counters;
      for (const made of [wasm, js]) host.u8.set(params, made.block);
      for (const { key, value } of entries) {
        const expected = new Reference(layout, { key, value, params }, counters).run(spec);
        const valueAt = room + 1024;
        host.u8.set(key, room);
        host.u8.set(value, valueAt);
        const results = [wasm, js].map((made) => [
          made.evaluate(room, valueAt),
          ...counted(host, made, layout),
        ]);
        const reference = [
          expected,
          ...names.map((name) => {
            const value = counters[name];
            return typeof value === "bigint" && !["u53", "u64", "i64"].includes(name) ? Number(value) : value;
          }),
        ];
        expect({ program: String(js), js: results[1] }).toEqual({ program: String(wasm), js: reference });
        expect({ program: String(wasm), wasm: results[0] }).toEqual({
          program: String(wasm),
          wasm: reference,
        });
        expect(host.u8.slice(room, room + key.length)).toEqual(key);
        expect(host.u8.slice(valueAt, valueAt + value.length)).toEqual(value);
      }
      wasm.map.close();
      js.map.close();
    });
    fc.assert(property, { seed, numRuns: bySize(shared ? 10 : 40, shared ? 100 : 600) });
  });
});
