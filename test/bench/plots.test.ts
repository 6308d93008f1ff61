// The pictures: well-formed, with the series that the results hold, and the numbers where they belong.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { plots } from "../../bench/plots/index.mjs";
// @ts-expect-error plain JavaScript
import { endLabels } from "../../bench/plots/panel.mjs";
// @ts-expect-error plain JavaScript
import { enclosing, formatCount, formatTime, linearScale, logScale } from "../../bench/plots/scale.mjs";
// @ts-expect-error plain JavaScript
import { element, escapeText } from "../../bench/plots/svg.mjs";

const directory = mkdtempSync(join(tmpdir(), "bpfmap-plots-"));
afterAll(() => rmSync(directory, { recursive: true }));

const MACHINE = { node: "v20.0.0", cpu: 'A "fast" CPU <1 & 2>' };

function resultFile(name: string, results: object[], machine = MACHINE) {
  const file = join(directory, name);
  writeFileSync(file, JSON.stringify({ ...machine, results }));
  return file;
}

const curve = (worst: number) =>
  [1024, 4096, 10_000].map((entries, i) => ({ entries, worst: worst * 2 ** i, "p99.9999": worst }));

const growPause = {
  workload: "grow-pause",
  measurements: [{}],
  details: {
    sizes: [
      {
        size: 10_000,
        contenders: {
          bpfmap: { curve: curve(2000) },
          "js-map": { curve: curve(1e6) },
          clock: { curve: curve(90) },
        },
      },
    ],
  },
};

const memory = {
  workload: "memory",
  measurements: [
    { size: 100_000, operation: "accounting", contender: "js-map", unit: "bytes/entry", rounds: [44] },
    { size: 1_000_000, operation: "accounting", contender: "js-map", unit: "bytes/entry", rounds: [37] },
    { size: 1_000_000, operation: "RSS", contender: "js-map", unit: "bytes/entry", rounds: [46, 45, 47] },
  ],
  details: {
    accounting: {
      samples: [100, 1000, 100_000, 1_000_000].map((entries) => ({ entries, bytes: entries * 20 })),
    },
  },
};

const operations = {
  workload: "operations",
  measurements: ["get", "set, existing key"].flatMap((operation) =>
    ["bpfmap", "js-map", "a < new & contender"].flatMap((contender, i) =>
      [500, 100_000].map((size) => ({ size, operation, contender, unit: "ns", rounds: [10 * (i + 1)] })),
    ),
  ),
};

/** Reads the elements as a strict parser of XML would, as far as the pictures use it; the text outside of tags, unescaped. */
function parseXml(xml: string) {
  const open: string[] = [];
  const texts: string[] = [];
  const token =
    /<(\/?)([a-z]+)((?:\s[a-zA-Z][\w:-]*="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)\s*(\/?)>|([^<]+)/gy;
  let roots = 0;
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const match = token.exec(xml);
    if (match === null) throw new Error(`not well-formed at ${at}: ${xml.slice(at, at + 60)}`);
    const [, closing, name, , selfClosing, text] = match;
    if (text !== undefined) {
      if (/&(?!(?:amp|lt|gt|quot);)/.test(text)) throw new Error(`bare ampersand in ${text}`);
      if (text.trim() === "") continue;
      texts.push(
        text
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&quot;", '"')
          .replaceAll("&amp;", "&"),
      );
    } else if (closing === "/") {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
    } else {
      if (open.length === 0) roots++;
      if (selfClosing !== "/") open.push(name as string);
    }
  }
  expect([open, roots]).toEqual([[], 1]);
  return texts;
}

async function draw(...results: object[]) {
  const file = resultFile("results.json", results);
  const written: string[] = await plots([file], join(directory, "out"));
  const names = written.map((path) => path.slice(join(directory, "out/").length));
  return { names, pictures: written.map((path) => readFileSync(path, "utf8")) };
}

test("each workload has its picture, well-formed and with its series", async () => {
  const { names, pictures } = await draw(growPause, memory, operations);
  expect(names).toEqual(["pause.svg", "bytes_per_entry.svg", "ns_per_operation.svg"]);
  const [pause, bytes, ns] = pictures.map(parseXml);
  expect(pause).toEqual(
    expect.arrayContaining([
      "bpfmap, worst",
      "bpfmap, p99.9999",
      "JS Map, worst",
      "JS Map, p99.9999",
      "clock alone, worst",
      "1 ms",
    ]),
  );
  expect(pause).toEqual(
    expect.arrayContaining([expect.stringContaining('Node v20.0.0, A "fast" CPU <1 & 2>')]),
  );
  expect(bytes).toEqual(
    expect.arrayContaining(["bpfmap", "JS Map", "key and value, 12", "bytes per entry", "100k"]),
  );
  expect(ns).toEqual(
    expect.arrayContaining(["get", "set, existing key", "bpfmap", "a < new & contender", "10 ns"]),
  );
  for (const picture of pictures) {
    expect(picture).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(picture).not.toMatch(/NaN|undefined|Infinity/);
    expect(picture).toMatch(/<rect [^>]*fill="#ffffff"/);
  }
});

test("a line goes through its points, and each measured point is a dot", async () => {
  const { pictures } = await draw(memory);
  const [bytes] = pictures as [string];
  // 100 to 1,000,000 on a logarithmic axis from 64 to 680; a constant is a level line.
  const ours = /<polyline points="([^"]*)"[^>]*stroke="#0072b2"/.exec(bytes)?.[1]?.split(" ") ?? [];
  expect(ours.map((place) => Number(place.split(",")[0]))).toEqual([64, 218, 526, 680]);
  expect(new Set(ours.map((place) => place.split(",")[1])).size).toBe(1);
  // Two accounted dots of JS Map and a ring.
  expect(bytes.match(/<circle [^>]*fill="#d55e00"/g)).toHaveLength(2);
  expect(bytes.match(/<circle [^>]*fill="none"/g)).toHaveLength(1);
});

test("results of several files are drawn together, later ones in the place of earlier ones", async () => {
  const [small, ...others] = operations.measurements;
  const first = resultFile("first.json", [{ ...operations, measurements: others }]);
  const second = resultFile("second.json", [
    { ...operations, measurements: [small, { ...others[0], rounds: [70] }] },
  ]);
  const [path] = await plots([first, second], directory);
  const before = await plots([resultFile("all.json", [operations])], join(directory, "all"));
  const picture = readFileSync(path, "utf8");
  expect(picture.match(/<circle/g)).toHaveLength(12);
  expect(picture).not.toBe(readFileSync(before[0], "utf8"));
});

test("what cannot be drawn is an error that says why", async () => {
  const good = resultFile("good.json", [operations]);
  const other = resultFile("other.json", [operations], { ...MACHINE, node: "v24.0.0" });
  await expect(plots([good, other], directory)).rejects.toThrow("other.json is of Node v24.0.0");
  await expect(plots([resultFile("empty.json", [])], directory)).rejects.toThrow(
    /empty.json: no results of grow-pause/,
  );
  await expect(plots([join(directory, "none.json")], directory)).rejects.toThrow("ENOENT");
  writeFileSync(join(directory, "broken.json"), "{");
  await expect(plots([join(directory, "broken.json")], directory)).rejects.toThrow("broken.json");
});

test("scales", () => {
  const log = logScale([10, 1000], [0, 200]);
  expect([10, 100, 1000].map((value) => Math.round(log.at(value) * 1e6) / 1e6)).toEqual([0, 100, 200]);
  expect(log.ticks).toEqual([10, 100, 1000]);
  expect([log.inside(9), log.inside(10), log.inside(1001)]).toEqual([false, true, false]);
  expect(logScale([1024, 16_777_216], [0, 1]).ticks).toEqual([1e4, 1e5, 1e6, 1e7]);
  expect(linearScale(30, 10, [300, 0]).ticks).toEqual([0, 10, 20, 30]);
  expect(linearScale(30, 10, [300, 0]).at(10)).toBe(200);
  expect(enclosing([17, 2000])).toEqual([10, 3000]);
  expect(enclosing([30, 1000])).toEqual([30, 1000]);
  expect([500, 1024, 100_000, 16e6].map(formatCount)).toEqual(["500", "1.02k", "100k", "16M"]);
  expect([40, 1500, 3e6, 1.59e9].map(formatTime)).toEqual(["40 ns", "1.5 µs", "3 ms", "1.59 s"]);
});

test("labels at the ends of lines stand apart, inside of the picture", () => {
  const box = { left: 0, top: 0, right: 100, bottom: 60 };
  const scale = { at: (value: number) => value, ticks: [], inside: () => true };
  const series = [58, 59, 60].map((y) => ({ label: `at ${y}`, color: "#000000", points: [[5, y]] }));
  const places = [...endLabels({ box, x: scale, y: scale, series }).matchAll(/ y="([\d.]+)"/g)];
  expect(places.map((match) => Number(match[1]))).toEqual([34, 49, 64]);
});

test("text and attributes are escaped", () => {
  expect(escapeText(`<a & "b">`)).toBe("&lt;a &amp; &quot;b&quot;&gt;");
  expect(element("a", { b: '"<', c: undefined, d: 1.23456 })).toBe('<a b="&quot;&lt;" d="1.23"/>');
});
