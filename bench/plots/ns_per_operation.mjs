import { linesOf } from "./measured.mjs";
import { panel } from "./panel.mjs";
import { enclosing, formatCount, formatTime, logScale } from "./scale.mjs";
import { FAINT_INK, INK, inOrder, styleOf } from "./style.mjs";
import { line, picture, textAt } from "./svg.mjs";

const COLUMNS = 2;
const PANEL = { width: 330, height: 180 };
const GAP = { x: 84, y: 74 };
const MARGIN = { left: 76, top: 132, right: 24, bottom: 64 };
const LEGEND = { top: 78, entryWidth: 160, lineWidth: 24, rowHeight: 18 };

/**
 * Nanoseconds per operation against the number of entries, a panel for each operation, all on the same scales.
 *
 * @param {object[]} results of the workload operations
 * @param {string} machine
 */
export function nsPerOperationPlot(results, machine) {
  const measurements = results.flatMap((result) => result.measurements).filter(({ unit }) => unit === "ns");
  const operations = [...new Set(measurements.map(({ operation }) => operation))];
  const charts = operations.map((operation) => ({ operation, series: linesOf(operation, measurements) }));
  const contenders = inOrder(measurements.map(({ contender }) => contender));
  const points = charts.flatMap(({ series }) => series.flatMap((line) => line.points));
  const xDomain = spread(points.map(([size]) => size));
  const yDomain = enclosing(points.map(([, ns]) => ns));

  const rows = Math.ceil(charts.length / COLUMNS);
  const width = MARGIN.left + COLUMNS * PANEL.width + (COLUMNS - 1) * GAP.x + MARGIN.right;
  const legend = legendOf(contenders, width);
  const top = MARGIN.top + legend.height;
  const height = top + rows * PANEL.height + (rows - 1) * GAP.y + MARGIN.bottom;
  const title = "Time per operation";
  const drawn = charts.map(({ operation, series }, i) => {
    const left = MARGIN.left + (i % COLUMNS) * (PANEL.width + GAP.x);
    const upper = top + Math.floor(i / COLUMNS) * (PANEL.height + GAP.y);
    const box = { left, top: upper, right: left + PANEL.width, bottom: upper + PANEL.height };
    const x = logScale(xDomain, [box.left, box.right]);
    const y = logScale(yDomain, [box.bottom, box.top]);
    // Ours above all.
    const chart = { box, x, y, formatX: formatCount, formatY: formatTime, series: series.toReversed() };
    const heading = textAt(left, upper - 12, operation, {
      fill: INK,
      "font-weight": "bold",
      "font-size": 13,
    });
    const last = i >= charts.length - COLUMNS;
    const under = { fill: INK, "text-anchor": "middle" };
    const label = last ? textAt(left + PANEL.width / 2, box.bottom + 38, "entries in the map", under) : "";
    return heading + panel(chart) + label;
  });
  return picture(
    { width, height, title, description: "nanoseconds per operation against the number of entries" },
    textAt(24, 32, title, { "font-size": 17, "font-weight": "bold", fill: INK }),
    textAt(24, 52, `Medians, random u32 keys, 8-byte values; batches per key. ${machine}`, {
      fill: FAINT_INK,
    }),
    legend.text,
    ...drawn,
  );
}

/** Sizes from the smallest to the largest; a single one in the middle. */
function spread(sizes) {
  const low = Math.min(...sizes);
  const high = Math.max(...sizes);
  return low === high ? [low / 10, high * 10] : [low, high];
}

function legendOf(contenders, width) {
  const perRow = Math.floor((width - 48) / LEGEND.entryWidth);
  const parts = contenders.map((name, i) => {
    const { label, color, width = 1.8, dash } = styleOf(name);
    const x = 24 + (i % perRow) * LEGEND.entryWidth;
    const y = LEGEND.top + Math.floor(i / perRow) * LEGEND.rowHeight;
    const stroke = { stroke: color, "stroke-width": width, "stroke-dasharray": dash };
    return (
      line(x, y, x + LEGEND.lineWidth, y, stroke) +
      textAt(x + LEGEND.lineWidth + 6, y + 4, label, { fill: INK })
    );
  });
  return { text: parts.join(""), height: (Math.ceil(contenders.length / perRow) - 1) * LEGEND.rowHeight };
}
