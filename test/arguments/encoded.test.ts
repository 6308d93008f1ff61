import { expect, test } from "vitest";
import { testSeed } from "../support/seed.ts";
import { encodedRows } from "./encoded.ts";
import { type Row, tryRows } from "./kit.ts";

/** One row in so many is tried here, all of them in test/slow/arguments.test.ts. */
const SHARE = 24;
const offset = testSeed("test/arguments/encoded.test.ts") % SHARE;

const sample = (rows: readonly Row[]) => rows.filter((_, i) => i % SHARE === offset);

for (const shared of [false, true]) {
  for (const part of ["key", "value"] as const) {
    test(`a ${part} whose encoding runs code${shared ? ", on a shared host" : ""}`, () => {
      expect(tryRows(`${shared ? "shared " : ""}${part}s`, sample(encodedRows(part, shared)))).toEqual([]);
    });
  }
}
