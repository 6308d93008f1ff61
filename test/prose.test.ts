// How the documents are written: a README on a few screens, lines that fit.
import { describe, expect, it } from "vitest";
import { DOCUMENTS, prose, read } from "./support/package/documents.ts";

const WIDTH = 110;

describe("README.md", () => {
  it("has at most 150 lines", () => {
    expect(read("README.md").split("\n").length - 1).toBeLessThanOrEqual(150);
  });
});

describe("lines of prose", () => {
  it.each([...DOCUMENTS])("of %s have at most 110 characters", (document) => {
    const long = prose(read(document))
      .split("\n")
      .filter((line) => line.length > WIDTH && !line.startsWith("|") && line.trim().includes(" "));
    expect(long).toEqual([]);
  });
});
