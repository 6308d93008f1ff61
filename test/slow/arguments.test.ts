/** Every row of test/arguments/encoded.ts. */
import { expect, test } from "vitest";
import { encodedRows } from "../arguments/encoded.ts";
import { tryRows } from "../arguments/kit.ts";

for (const shared of [false, true]) {
  for (const part of ["key", "value"] as const) {
    test(`a ${part} whose encoding runs code${shared ? ", on a shared host" : ""}`, () => {
      expect(tryRows(`${shared ? "shared " : ""}${part}s`, encodedRows(part, shared))).toEqual([]);
    });
  }
}
