// The border between the core and JavaScript: what both know comes from the source of the core, and nobody types it again.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import * as abi from "../../src/generated/abi.js";
import { createHost } from "../../src/index.ts";
import { CoreConstants } from "../support/core/constants.ts";

const src = fileURLToPath(new URL("../../src", import.meta.url));
const NAMES = Object.keys(abi).map((name) => name.replace(/^(PLAIN|SHARED)_/, ""));
/** Rooms that deal with the core. The others know other worlds: the kernel's numbers, packets. */
const ROOMS = /^(core|entries|host|kv|maps|ops|programs|runs)\//;
/** Codes of WebAssembly. */
const ELSEWHERE = /^programs\/wasm\//;
/** Names that mean something else there. */
const OTHERS = ["ops/batch/parts.ts: MOST", "programs/evaluate/integers.ts: BITS", "runs/run.ts: MERGES"];

/** Whether a name is one of the border, with or without what it begins with there: VISITED is RUN_VISITED. */
const isKnown = (name: string) => NAMES.some((known) => known === name || known.endsWith(`_${name}`));

/** Constants with a number as their value. */
function typedByHand(text: string): string[] {
  const source = ts.createSourceFile("", text, ts.ScriptTarget.Latest);
  return source.statements.filter(ts.isVariableStatement).flatMap(({ declarationList }) =>
    declarationList.declarations.flatMap(({ name, initializer }) => {
      return initializer !== undefined && isNumber(initializer) && ts.isIdentifier(name) ? [name.text] : [];
    }),
  );
}

function isNumber(node: ts.Expression): boolean {
  return ts.isPrefixUnaryExpression(node) ? isNumber(node.operand) : ts.isNumericLiteral(node);
}

describe("the border", () => {
  it.each([false, true])("has the offsets that the core exports (shared: %s)", (shared) => {
    const host = createHost({ shared, maxMemory: 1 << 24 });
    const core = new CoreConstants(shared);
    const exported = Object.entries(host.core).flatMap(([name, value]) =>
      value instanceof WebAssembly.Global ? [[name, value.value] as const] : [],
    );
    expect(exported.length).toBeGreaterThan(10);
    const other: Record<string, string> = { SECRETS_ADDRESS: "SECRETS" };
    const missing = exported.filter(([name, value]) => {
      const plain = name.replace(/_OFFSET$/, "");
      const known = [other[name] ?? name, plain, `TABLE_${plain}`].find((candidate) =>
        NAMES.includes(candidate),
      );
      return known === undefined || core.named(known) !== value;
    });
    // What only calls are told of.
    expect(missing.map(([name]) => name)).toEqual(["SECRETS_BYTES", "STAGE_BYTES", "STAGE_ERRNO"]);
    host.close();
  });

  it("gives a word of the header one meaning, in both builds", () => {
    const words = new Map<unknown, string[]>();
    for (const [name, offset] of Object.entries(abi)) {
      if (!name.includes("TABLE_")) continue;
      words.set(offset, [...(words.get(offset) ?? []), name]);
    }
    const shared = [...words.values()].filter((names) => names.length > 1).map((names) => names.toSorted());
    expect(shared.toSorted()).toEqual([
      // The book of the plain build lies where the shared one has a spare node.
      ["PLAIN_TABLE_BOOK", "TABLE_SPARE_NODE"],
      // An array has its elements where a table has them, and its first block where a table has its first buckets.
      ["TABLE_ARRAY_BASE", "TABLE_FLAT_BUCKETS"],
      ["TABLE_ARRAY_DATA", "TABLE_FLAT"],
      ["TABLE_ARRAY_SEGMENTS", "TABLE_ELEMENT_SEGMENTS"],
      // A table of texts has its pools where another has its elements, and its keys where another has the values of overflow blocks.
      ["TABLE_DEAD_ELEMENTS", "TABLE_POOLS_TO_SWEEP"],
      ["TABLE_ELEMENTS", "TABLE_POOLS"],
      // The filter of absent keys, which the plain build has, lies where the shared one has words of its own.
      ["TABLE_FILTER", "TABLE_LIMITED"],
      ["TABLE_FREE_ELEMENT", "TABLE_POOL_COUNT"],
      ["TABLE_LEAN_MARK", "TABLE_LOCK_OFFSET"],
      // With the number of buckets one word of 8 bytes, in the shared build, which needs no mask.
      ["TABLE_MASK", "TABLE_RETIRED"],
      ["TABLE_OVERFLOW_VALUES", "TABLE_TEXT_KEY"],
    ]);
    expect([...words.values()].flat().filter((name) => !/^((PLAIN|SHARED)_)?TABLE_/.test(name))).toEqual([]);
  });

  it("finds a constant that is typed by hand", () => {
    const names = typedByHand("export const VISITED = 280;\nconst OTHER = 2 + 3;\nconst ABSENT = -1.5e-3;\n");
    expect(names).toEqual(["VISITED", "ABSENT"]);
    expect(names.every(isKnown)).toBe(true);
    expect(isKnown("NAP")).toBe(false);
  });

  it("is typed nowhere again", () => {
    const files = readdirSync(src, { recursive: true, encoding: "utf8" }).map((name) =>
      name.replaceAll("\\", "/"),
    );
    const rooms = files.filter(
      (file) => /(?<!\.d)\.ts$/.test(file) && ROOMS.test(file) && !ELSEWHERE.test(file),
    );
    expect(rooms.length).toBeGreaterThan(50);
    const copies = rooms.flatMap((file) =>
      typedByHand(readFileSync(`${src}/${file}`, "utf8")).flatMap((name) =>
        isKnown(name) ? [`${file}: ${name}`] : [],
      ),
    );
    expect(copies.toSorted()).toEqual(OTHERS);
  });
});
