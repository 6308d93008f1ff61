import { formatEndpoint } from "./address.ts";
import { formatBytes, formatCount, formatPlural, formatRate, sparkline } from "./format.ts";
import type { Summary } from "./summary.ts";

/** The report as text, the totals last: that is where a terminal stops. */
export function report(summary: Summary): string {
  const { capture } = summary;
  const sections = [
    `${capture.file === "-" ? "standard input" : capture.file}: ${capture.format}; ${links(capture.linkTypes)}`,
    ...(summary.top.length > 0 ? [topSection(summary)] : []),
    tableSection(summary),
    totalsSection(summary),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** Link types that the report, and warnings, name. */
export const MOST_LINK_TYPES = 8;

function links(names: readonly string[]): string {
  const more = names.length - MOST_LINK_TYPES;
  return [...names.slice(0, MOST_LINK_TYPES), ...(more > 0 ? [`and ${formatCount(more)} more`] : [])].join(
    ", ",
  );
}

function topSection({ top, totals }: Summary): string {
  const rows = top.map((flow) => [
    formatCount(flow.bytes),
    formatCount(flow.packets),
    `${((flow.bytes / Math.max(totals.bytes, 1)) * 100).toFixed(1)}%`,
    flow.protocol,
    formatEndpoint(flow.source, flow.sourcePort),
    formatEndpoint(flow.destination, flow.destinationPort),
  ]);
  const header = ["bytes", "packets", "share", "", "from", "to"];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  const line = (cells: string[]) =>
    cells.map((cell, i) => (i < 3 ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  ");
  const title = `Top talkers: the ${top.length} of ${formatPlural(totals.flows, "flow")} with the most bytes (each direction is a flow)`;
  return [title, ...[header, ...rows].map((cells) => `  ${line(cells).trimEnd()}`)].join("\n");
}

function tableSection({ table, memory, rate, totals }: Summary): string {
  const entries = sparkline(table.growth.map((sample) => sample.entries));
  const bytes = sparkline(table.growth.map((sample) => sample.bytes));
  const peak = `peak ${formatCount(table.peakEntries)} at ${table.peakTime.toFixed(1)} s`;
  const size = `peak ${formatBytes(table.peakTableBytes)} in ${formatPlural(table.peakBuckets, "bucket")}`;
  const resizes = `${formatPlural(table.splits, "split")}, ${formatPlural(table.merges, "merge")}`;
  return [
    `Table of active flows: rhash, drained every ${table.interval} s of packet time, ${table.batch} flows at a time`,
    `  entries   ${entries}  ${peak}`,
    `  memory    ${bytes}  ${size}`,
    `  resizes   ${resizes}`,
    `  drains    ${formatCount(table.drains)}, ${formatPlural(table.evicted, "flow")} evicted after ${table.idle} s without a packet`,
    `  all       peak ${formatBytes(memory.peak)} of memory for all flows, past ones included`,
    `  rate      ${formatRate(rate.packetsPerSecond)} packets/s: ${formatPlural(totals.packets, "packet")} in ${rate.elapsed.toFixed(3)} s`,
  ].join("\n");
}

function totalsSection({ totals }: Summary): string {
  const rows: [string, string][] = [
    ["packets", formatCount(totals.packets)],
    ["bytes", `${formatCount(totals.bytes)} (on the wire)`],
    ["duration", `${trimZeros(totals.duration.toFixed(9))} s`],
    ["flows", formatCount(totals.flows)],
    ["tcp", formatPlural(totals.tcp.packets, "packet")],
    ["udp", formatPlural(totals.udp.packets, "packet")],
    ["other", formatPlural(totals.other.packets, "packet")],
  ];
  if (totals.unreadable.packets > 0) {
    rows.push([
      "unreadable",
      `${formatPlural(totals.unreadable.packets, "packet")}, headers damaged or not captured`,
    ]);
  }
  if (totals.untracked.packets > 0) {
    rows.push([
      "untracked",
      `${formatPlural(totals.untracked.packets, "packet")} of flows that there was no room for`,
    ]);
  }
  return ["Totals", ...rows.map(([name, value]) => `  ${name.padEnd(10)}${value}`)].join("\n");
}

/** Microseconds where nanoseconds say nothing. */
function trimZeros(text: string): string {
  return text.endsWith("000") ? text.slice(0, -3) : text;
}
