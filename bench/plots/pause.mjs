import { endLabels, frame, panel } from "./panel.mjs";
import { enclosing, formatCount, formatTime, logScale } from "./scale.mjs";
import { inOrder, styleOf } from "./style.mjs";
import { picture } from "./svg.mjs";

const WIDTH = 860;
const HEIGHT = 500;
const BOX = { left: 80, top: 92, right: 680, bottom: 436 };
/** What the machine does without a map. */
const MACHINE = ["clock", "fresh-memory"];
const P999999 = "p99.9999";

/**
 * The longest pause of an insert until a map has so many entries.
 *
 * @param {object[]} results of the workload grow-pause
 * @param {string} machine
 */
export function pausePlot(results, machine) {
  const sizes = results.flatMap(({ details }) => details.sizes);
  // The curve of the largest size goes through all the smaller ones.
  const { size, contenders } = sizes.reduce((a, b) => (b.size >= a.size ? b : a));
  const series = inOrder(Object.keys(contenders)).flatMap((name) => seriesOf(name, contenders[name].curve));
  const points = series.flatMap((line) => line.points);
  const x = logScale([points[0][0], size], [BOX.left, BOX.right]);
  const y = logScale(enclosing(points.map(([, ns]) => ns)), [BOX.bottom, BOX.top]);
  const title = "Pause while growing";
  const description = `the longest insert until a map has so many entries, growing to ${size.toLocaleString("en")}`;
  const chart = { box: BOX, x, y, formatX: formatCount, formatY: formatTime, series };
  return picture(
    { width: WIDTH, height: HEIGHT, title, description },
    frame({
      box: BOX,
      title,
      subtitle: `Slowest single insert so far, growing from empty; medians of rounds, clock included. ${machine}`,
      xLabel: "entries in the map",
      yLabel: "pause",
    }),
    panel(chart),
    endLabels(chart),
  );
}

function seriesOf(name, curve) {
  const style = styleOf(name);
  const worst = {
    ...style,
    label: `${style.label}, worst`,
    points: curve.map(({ entries, worst }) => [entries, worst]),
  };
  if (MACHINE.includes(name)) return [worst];
  const points = curve.map((point) => [point.entries, point[P999999]]);
  return [worst, { ...style, label: `${style.label}, p99.9999`, dash: "5 4", width: 1.8, points }];
}
