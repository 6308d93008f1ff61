// Links and paths lead somewhere: in the repository those of every document and comment, in the package those of its documents.
import { describe, expect, it } from "vitest";
import {
  commentsOf,
  DOCUMENTS,
  hasAnchor,
  isNamed,
  isThere,
  linksOf,
  pathsIn,
  prose,
  read,
  SOURCES,
  targetOf,
} from "./support/package/documents.ts";
import { isPacked, packed } from "./support/package/packed.ts";

/** `where: what` for each that is not there. */
const missing = (where: string, what: string[], found: (what: string) => boolean) =>
  what.filter((one) => !found(one)).map((one) => `${where}: ${one}`);

describe("links", () => {
  it.each([...DOCUMENTS])("of %s lead to a file and a heading in it", (document) => {
    const leads = (link: string) => isThere(targetOf(document, link)) && hasAnchor(document, link);
    expect(missing(document, linksOf(document), leads)).toEqual([]);
  });

  it("of the packed documents lead to a file of the package", () => {
    const documents = packed().files.filter(
      (file) => file.endsWith(".md") && !file.startsWith("bench/results/"),
    );
    expect(documents).toEqual(expect.arrayContaining(["README.md", "docs/README.md", "docs/guide/maps.md"]));
    const dead = documents.flatMap((document) =>
      missing(document, linksOf(document), (link) => isPacked(targetOf(document, link))),
    );
    expect(dead).toEqual([]);
  });

  it("are found", () => {
    expect(DOCUMENTS.flatMap(linksOf).length).toBeGreaterThan(100);
  });
});

describe("paths", () => {
  it.each([...DOCUMENTS])("that %s names are there", (document) => {
    expect(missing(document, pathsIn(prose(read(document))), isNamed)).toEqual([]);
  });

  it("that comments name are there", () => {
    const dead = SOURCES.flatMap((source) => missing(source, commentsOf(source).flatMap(pathsIn), isNamed));
    expect(dead).toEqual([]);
  });

  it("are found", () => {
    expect(pathsIn("see src/maps, `test/kv/*.test.ts` and lock.ts. Not core.wasm or its/e.g.")).toEqual([
      "src/maps",
      "test/kv/*.test.ts",
      "lock.ts",
    ]);
    expect([isNamed("src/no_such.ts"), isNamed("src/index.ts"), isNamed("errors.ts")]).toEqual([
      false,
      true,
      true,
    ]);
    expect(SOURCES.flatMap(commentsOf).flatMap(pathsIn).length).toBeGreaterThan(100);
  });
});

describe("docs/README.md", () => {
  it("has a line for each page", () => {
    const pages = DOCUMENTS.filter((file) => file.startsWith("docs/") && file !== "docs/README.md");
    const listed = linksOf("docs/README.md").map((link) => targetOf("docs/README.md", link));
    expect(listed.toSorted()).toEqual(pages.toSorted());
  });
});
