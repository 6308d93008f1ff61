/** `24,597` */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 packet`, `2 packets` */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** `712 bytes`, `2.3 MiB` */
export function formatBytes(count: number): string {
  let value = count;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? formatCount(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1.17 million`, `850 thousand`, `712` */
export function formatRate(count: number): string {
  if (count >= 1e6) return `${(count / 1e6).toFixed(2)} million`;
  return count >= 1e4 ? `${Math.round(count / 1e3)} thousand` : formatCount(count);
}

const LEVELS = "▁▂▃▄▅▆▇█";

/** One character per value, from 0 to the largest; neighbours are drawn together, as the larger one, beyond `columns`. */
export function sparkline(values: readonly number[], columns = 60): string {
  const largest = Math.max(...values, 1);
  const width = Math.min(columns, values.length);
  let line = "";
  for (let column = 0; column < width; column++) {
    const from = Math.floor((column * values.length) / width);
    const to = Math.floor(((column + 1) * values.length) / width);
    const value = Math.max(...values.slice(from, to));
    line += LEVELS[Math.round((value / largest) * (LEVELS.length - 1))];
  }
  return line;
}
