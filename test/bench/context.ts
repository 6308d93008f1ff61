/** What a workload gets from bench/main.mjs, without its output. */
export function workloadContext({ sizes, rounds = 1 }: { sizes?: number[]; rounds?: number }) {
  const skipped: { contender: string; reason: string }[] = [];
  const context = {
    sizes,
    rounds,
    seed: 1,
    queries: 1000,
    options: {},
    contenders: undefined as string[] | undefined,
    progress: () => {},
    note: () => {},
    skip: (contender: string, reason: string) => skipped.push({ contender, reason }),
    stopped: false,
  };
  return { context, rounds, skipped };
}
