// bench/results/counters.md: the counts of bench/baseline.json as a page.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pageHead } from "../run/format.mjs";
import { textOf } from "./report.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The page, and where it stands. */
export function countersPage() {
  const counts = JSON.parse(readFileSync(at("../baseline.json"), "utf8"));
  const intro = `${pageHead("counters", "baseline.json")}
What the core does in a fixed program, counted: the same on every machine. \`npm run bench -- counters\` measures it again,
\`npm run bench:check\` compares it with bench/baseline.json.`;
  return { path: at("../results/counters.md"), text: `${intro}\n\n\`\`\`\n${textOf(counts)}\n\`\`\`\n` };
}
