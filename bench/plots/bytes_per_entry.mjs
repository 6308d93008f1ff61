import { linesOf } from "./measured.mjs";
import { endLabels, frame, panel } from "./panel.mjs";
import { formatCount, linearScale, logScale } from "./scale.mjs";
import { styleOf } from "./style.mjs";
import { picture } from "./svg.mjs";

const WIDTH = 860;
const HEIGHT = 500;
const BOX = { left: 64, top: 92, right: 680, bottom: 436 };
const STEP = 10;
/** Where the tables are large enough for what a process takes by itself not to show. */
const LEAST_FOR_DOMAIN = 100_000;
const PAYLOAD = { label: "key and value, 12", color: "#767676", dash: "2 3", width: 1.2 };
const PAYLOAD_BYTES = 12;
/** Between two measured sizes tables double: the line only leads the eye. */
const BETWEEN = { width: 1.2, dash: "4 4" };

/**
 * Bytes per entry against the number of entries: ours at many sizes, that of the others at those that were measured.
 *
 * @param {object[]} results of the workload memory
 * @param {string} machine
 */
export function bytesPerEntryPlot(results, machine) {
  const measurements = results.flatMap((result) => result.measurements);
  const curve = results
    .map(({ details }) => details.accounting.samples)
    .reduce((a, b) => (b.at(-1).entries > a.at(-1).entries ? b : a));
  const ours = curve.map(({ entries, bytes }) => [entries, bytes / entries]);
  const domain = [ours[0][0], ours.at(-1)[0]];
  const accounted = linesOf("accounting", measurements)
    .filter(({ contender }) => contender !== "bpfmap")
    .map((series) => ({ ...series, ...BETWEEN }));
  const resident = linesOf("RSS", measurements).map((series) => ({ ...series, markers: "ring" }));
  const payload = { ...PAYLOAD, points: domain.map((entries) => [entries, PAYLOAD_BYTES]) };
  const series = [payload, ...accounted, ...resident, { ...styleOf("bpfmap"), points: ours }];
  const highest = Math.max(
    ...series.flatMap(({ points }) =>
      points.filter(([size]) => size >= LEAST_FOR_DOMAIN).map(([, bytes]) => bytes),
    ),
    ...ours.map(([, bytes]) => bytes),
  );
  const x = logScale(domain, [BOX.left, BOX.right]);
  const y = linearScale(Math.ceil(highest / STEP) * STEP, STEP, [BOX.bottom, BOX.top]);
  const title = "Memory per entry";
  const chart = { box: BOX, x, y, formatX: formatCount, formatY: String, series };
  const labelled = series.filter(({ markers }) => markers !== "ring");
  return picture(
    { width: WIDTH, height: HEIGHT, title, description: "bytes per entry against the number of entries" },
    frame({
      box: BOX,
      title,
      subtitle: `Keys of 4, values of 8 bytes. Line and dots: as the map or V8's heap accounts; rings: resident memory. ${machine}`,
      xLabel: "entries in the map",
      yLabel: "bytes per entry",
    }),
    panel(chart),
    endLabels({ ...chart, series: labelled }),
  );
}
