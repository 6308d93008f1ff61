/** Files of src/ outside of core/ that index views of host memory. */
export const HOT: readonly string[];
/** The lines of a source text that index a view. */
export function rawLines(text: string): number[];
/** What is wrong below a folder, a sentence each. */
export function problemsOf(root: string, hot: readonly string[]): string[];
