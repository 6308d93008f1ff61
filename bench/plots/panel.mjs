import { FAINT_INK, GRID, INK } from "./style.mjs";
import { element, line, polyline, textAt } from "./svg.mjs";

const LABEL_HEIGHT = 15;
const DOT_RADIUS = 2.6;
const RING_RADIUS = 5;

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {string} color
 * @property {[number, number][]} points
 * @property {number} [width] of the line
 * @property {string} [dash]
 * @property {"dot" | "ring"} [markers] what each point is; a ring stands alone, without a line
 */

/**
 * The inside of a chart: grid, axes and lines.
 *
 * @param {object} panel
 * @param {{ left: number, top: number, right: number, bottom: number }} panel.box where the axes are
 * @param {import("./scale.mjs").Scale} panel.x
 * @param {import("./scale.mjs").Scale} panel.y
 * @param {(value: number) => string} panel.formatX
 * @param {(value: number) => string} panel.formatY
 * @param {Series[]} panel.series those drawn later lie above
 */
export function panel({ box, x, y, formatX, formatY, series }) {
  const { left, top, right, bottom } = box;
  const parts = [];
  for (const tick of y.ticks) {
    const at = y.at(tick);
    parts.push(line(left, at, right, at, { stroke: GRID }));
    parts.push(
      textAt(left - 8, at + 4, formatY(tick), { "text-anchor": "end", fill: FAINT_INK, "font-size": 11 }),
    );
  }
  for (const tick of x.ticks) {
    const at = x.at(tick);
    parts.push(line(at, top, at, bottom, { stroke: GRID }));
    parts.push(
      textAt(at, bottom + 17, formatX(tick), { "text-anchor": "middle", fill: FAINT_INK, "font-size": 11 }),
    );
  }
  parts.push(line(left, bottom, right, bottom, { stroke: FAINT_INK }));
  for (const { color, points, width = 1.8, dash, markers } of series) {
    const places = points.filter(([a, b]) => x.inside(a) && y.inside(b)).map(([a, b]) => [x.at(a), y.at(b)]);
    if (markers !== "ring") {
      parts.push(polyline(places, { stroke: color, "stroke-width": width, "stroke-dasharray": dash }));
    }
    if (markers === undefined) continue;
    const look =
      markers === "dot"
        ? { r: DOT_RADIUS, fill: color }
        : { r: RING_RADIUS, fill: "none", stroke: color, "stroke-width": 1.6 };
    for (const [cx, cy] of places) parts.push(element("circle", { cx, cy, ...look }));
  }
  return element("g", {}, ...parts);
}

/** The labels of the lines at their right ends, moved apart where they would overlap. */
export function endLabels({ box, x, y, series }) {
  const labels = [];
  for (const { label, color, points } of series) {
    const last = points.findLast(([a, b]) => x.inside(a) && y.inside(b));
    if (last !== undefined) labels.push({ label, color, at: y.at(last[1]) });
  }
  labels.sort((a, b) => a.at - b.at);
  for (let i = 1; i < labels.length; i++) {
    labels[i].at = Math.max(labels[i].at, labels[i - 1].at + LABEL_HEIGHT);
  }
  // And up again, when the last ones were pushed below the axis.
  let floor = box.bottom;
  for (let i = labels.length - 1; i >= 0; i--) {
    labels[i].at = Math.min(labels[i].at, floor);
    floor = labels[i].at - LABEL_HEIGHT;
  }
  return labels
    .map(({ label, color, at }) =>
      textAt(box.right + 10, at + 4, label, { fill: color, "font-weight": "bold" }),
    )
    .join("");
}

/** Title, one line below it, and what the axes are. */
export function frame({ box, title, subtitle, xLabel, yLabel }) {
  return [
    textAt(24, 32, title, { "font-size": 17, "font-weight": "bold", fill: INK }),
    textAt(24, 52, subtitle, { fill: FAINT_INK }),
    textAt(box.left, box.top - 12, yLabel, { fill: INK, "text-anchor": "start" }),
    textAt((box.left + box.right) / 2, box.bottom + 40, xLabel, { fill: INK, "text-anchor": "middle" }),
  ].join("");
}
