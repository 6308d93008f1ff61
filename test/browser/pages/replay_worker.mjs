// Runs one replay in a module worker and answers with its number of steps, or the error.
import { createHost } from "bpfmap";
import { generateOperations, openSubject, replayAndShrink } from "bpfmap/testing";

self.onmessage = ({ data: { seed, steps } }) => {
  const spec = { type: "rhash", keySize: 16, valueSize: 8, maxEntries: 1000 };
  try {
    const operations = generateOperations({ seed, steps, keys: 2000, maxEntries: 1000 });
    const summary = replayAndShrink(operations, () => openSubject(createHost({ seed }), spec), { seed });
    self.postMessage({ steps: summary.steps });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
