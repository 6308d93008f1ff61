// Just enough of SVG (https://www.w3.org/TR/SVG11/) to draw charts: elements as strings.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escapeText = (text) => String(text).replace(/[&<>"]/g, (character) => ESCAPES[character]);

/** Two decimals are a hundredth of a pixel. */
const format = (value) => (typeof value === "number" ? String(Math.round(value * 100) / 100) : value);

/**
 * @param {string} name
 * @param {Record<string, string | number | undefined>} attributes those that are undefined are left out
 * @param {...string} children elements, as they are
 */
export function element(name, attributes, ...children) {
  let tag = name;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) tag += ` ${key}="${escapeText(format(value))}"`;
  }
  return children.length === 0 ? `<${tag}/>` : `<${tag}>${children.join("")}</${name}>`;
}

/** A line of text. */
export const textAt = (x, y, content, attributes = {}) =>
  element("text", { x, y, ...attributes }, escapeText(content));

export const line = (x1, y1, x2, y2, attributes) => element("line", { x1, y1, x2, y2, ...attributes });

/** A line through points. */
export function polyline(points, attributes) {
  const list = points.map(([x, y]) => `${format(x)},${format(y)}`).join(" ");
  return element("polyline", { points: list, fill: "none", "stroke-linejoin": "round", ...attributes });
}

/**
 * A whole picture on white, so that it reads on dark pages too.
 *
 * @param {{ width: number, height: number, title: string, description: string }} size title and description are for those who hear it
 */
export function picture({ width, height, title, description }, ...children) {
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "font-family": "Helvetica, Arial, sans-serif",
      "font-size": 12,
    },
    element("title", {}, escapeText(title)),
    element("desc", {}, escapeText(description)),
    element("rect", { width, height, rx: 6, fill: "#ffffff" }),
    ...children,
  );
  return `${svg}\n`;
}
