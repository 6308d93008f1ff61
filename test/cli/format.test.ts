import { describe, expect, test } from "vitest";
import { formatBytes, formatCount, formatPlural, formatRate, sparkline } from "../../src/cli/flows/format.ts";
import { Growth, type Sample } from "../../src/cli/flows/growth.ts";
import { Progress } from "../../src/cli/flows/progress.ts";

describe("numbers", () => {
  test("counts, bytes and rates", () => {
    expect(formatCount(24_597)).toBe("24,597");
    expect([formatPlural(0, "flow"), formatPlural(1, "flow"), formatPlural(2000, "flow")]).toEqual([
      "0 flows",
      "1 flow",
      "2,000 flows",
    ]);
    expect([0, 1023, 1024, 2_429_236, 5 * 2 ** 30, 2 ** 52].map(formatBytes)).toEqual([
      "0 bytes",
      "1,023 bytes",
      "1.0 KiB",
      "2.3 MiB",
      "5.0 GiB",
      "4096.0 TiB",
    ]);
    expect([7, 9_999, 12_345, 1_234_567].map(formatRate)).toEqual([
      "7",
      "9,999",
      "12 thousand",
      "1.23 million",
    ]);
  });

  test("sparklines: from 0 to the largest, neighbours drawn as the larger one", () => {
    expect(sparkline([])).toBe("");
    expect(sparkline([0, 0])).toBe("▁▁");
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([0, 7, 7, 0, 0, 0], 3)).toBe("██▁");
    expect(sparkline(Array.from({ length: 1000 }, () => 3))).toHaveLength(60);
  });
});

describe("growth", () => {
  const sample = (entries: number): Sample => ({
    time: entries,
    entries,
    buckets: 1,
    bytes: entries * 10,
    kept: 0,
    finished: 0,
    splits: entries,
    merges: 0,
    peakBytes: entries * 20,
  });

  test.each([1, 127, 128, 129, 1_000, 100_000])("%i samples are thinned out, and the peak stays", (count) => {
    const growth = new Growth();
    const peak = Math.floor(count / 3);
    for (let i = 0; i < count; i++) growth.add(sample(i === peak ? 1e6 : i % 1000));
    expect(growth.samples.length).toBeLessThan(128);
    expect(growth.samples.length).toBeGreaterThanOrEqual(Math.min(count, 63));
    expect(growth.peak?.entries).toBe(1e6);
    expect(Math.max(...growth.samples.map(({ entries }) => entries))).toBe(1e6);
    expect(growth.peakBytes).toBe(2e7);
    expect(growth.last?.entries).toBe(count - 1 === peak ? 1e6 : (count - 1) % 1000);
  });
});

describe("progress bar", () => {
  class Terminal {
    isTTY: boolean;
    text = "";
    constructor(isTTY: boolean) {
      this.isTTY = isTTY;
    }
    write(text: string) {
      this.text += text;
    }
  }

  test("is drawn on a terminal for a large file, and removed", () => {
    const terminal = new Terminal(true);
    const progress = new Progress(terminal, 100 << 20);
    progress.update(50 << 20, 1000);
    expect(terminal.text).toMatch(/\[#{15}\.{15}\] 50% of 100\.0 MiB, .* packets\/s$/);
    const drawn = terminal.text;
    progress.update(51 << 20, 1001);
    expect(terminal.text).toBe(drawn); // too early for the next one
    progress.end();
    expect(terminal.text).toBe(`${drawn}\r\x1b[2K`);
  });

  test.each([
    ["a pipe", false, 100 << 20],
    ["a small file", true, 1 << 20],
    ["an input of unknown length", true, 0],
  ])("is not drawn for %s", (_, isTTY, size) => {
    const terminal = new Terminal(isTTY);
    const progress = new Progress(terminal, size);
    progress.update(1 << 19, 1000);
    progress.end();
    expect(terminal.text).toBe("");
  });
});
