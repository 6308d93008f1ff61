/** Options of the workloads that run in threads. */
export const SECONDS = { type: "number", default: 0.5, help: "how long the threads of one turn run" };

export const THREADS = {
  type: "integers",
  default: [1, 2],
  most: 63,
  help: "numbers of threads, each measured",
};
