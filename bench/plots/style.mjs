// Colours of the Okabe-Ito palette, which colour-blind people can tell apart (https://jfly.uni-koeln.de/color/); a contender has the
// same one in every plot.

const STYLES = {
  bpfmap: { label: "bpfmap", color: "#0072b2", width: 2.6 },
  "js-map": { label: "JS Map", color: "#d55e00" },
  "js-map-int32": { label: "JS Map, int32 keys", color: "#e69f00" },
  "js-map-string": { label: "JS Map, string keys", color: "#8c510a" },
  "open-addressing": { label: "typed arrays", color: "#009e73" },
  "hashbrown-wasm": { label: "hashbrown (wasm)", color: "#cc79a7" },
  "kernel-bpf": { label: "kernel HASH (BPF)", color: "#56b4e9" },
  "kernel-syscall": { label: "kernel HASH (bpf(2))", color: "#56b4e9", dash: "5 3" },
  "bare-lines": { label: "bare memory reads", color: "#767676", dash: "2 3" },
  clock: { label: "clock alone", color: "#8a8a8a", dash: "2 3" },
  "fresh-memory": { label: "fresh memory alone", color: "#4d4d4d", dash: "2 3" },
};

/** For contenders that are asked for: told apart by dashes. */
const OTHER_DASHES = ["6 3", "2 2", "8 3 2 3", "4 4", "1 3"];

export const INK = "#222222";
export const FAINT_INK = "#5f5f5f";
export const GRID = "#e4e4e4";

/** @returns {{ label: string, color: string, width?: number, dash?: string }} */
export function styleOf(contender) {
  if (contender in STYLES) return STYLES[contender];
  const sum = [...contender].reduce((total, character) => total + character.codePointAt(0), 0);
  return { label: contender, color: "#555555", dash: OTHER_DASHES[sum % OTHER_DASHES.length] };
}

/** Contenders in the order of the styles, unknown ones last. */
export function inOrder(contenders) {
  const order = Object.keys(STYLES);
  const rank = (name) => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...new Set(contenders)].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}
