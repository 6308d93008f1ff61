// Numbers and tables as text.

/** Three significant digits or so: more are noise. */
export function formatNumber(value) {
  if (value === 0) return "0";
  if (Math.abs(value) < 1) return value.toPrecision(2);
  if (Math.abs(value) < 100) return value.toFixed(1);
  return Math.round(value).toLocaleString("en");
}

/** 1000000 as 1M. */
export function formatSize(size) {
  if (size >= 1e6 && size % 1e5 === 0) return `${size / 1e6}M`;
  if (size >= 1e4 && size % 100 === 0) return `${size / 1e3}k`;
  return String(size);
}

/** Nanoseconds of one operation, or of a pause: large ones in ms. Counts as they are. */
export function formatValue(value, unit) {
  if (unit === "count") return value.toLocaleString("en");
  if (unit === "ns" && value >= 100_000) return `${formatNumber(value / 1e6)} ms`;
  return formatNumber(value);
}

export const formatRatio = (ratio) => `${ratio < 10 ? ratio.toFixed(2) : formatNumber(ratio)}x`;
export const formatSpread = ({ low, high }) => `${formatRatio(low)} .. ${formatRatio(high)}`;

/** The columns as wide as they must be; the first of them to the left, numbers to the right. */
export function align(rows, left = 1) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i < left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}

/** The first lines of a page in bench/results that is written from a file there. */
export const pageHead = (name, source) =>
  `<!-- Written by \`npm run bench -- tables\` from ${source}. -->\n\n# Results: ${name}\n`;
