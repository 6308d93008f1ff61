// The jobs of test/threads in module workers, with the page as their coordinator: it may not wait for locks, only spin.
import { createHost, text, u32 } from "bpfmap";
import { checkHistories } from "/resolved/threads/histories/histories.js";
import { runJob } from "/resolved/threads/platform/browser.mjs";
import {
  countingRuns,
  every,
  fullRuns,
  growRuns,
  historyRuns,
  killRuns,
  lockRuns,
  scanRuns,
  sectionRuns,
  stressRuns,
  tornRuns,
} from "/resolved/threads/runs.js";
import { check, equal, ready, test } from "./define.mjs";

/** Chromium needs two seconds to end a worker that is in a loop. */
const SIZES = { ms: 150, rounds: 100, reads: 50_000, kills: 2, attaching: 0, scans: 6, counts: 10_000 };

test("the page is cross-origin isolated, and its main thread takes part in a shared host", () => {
  check("crossOriginIsolated", globalThis.crossOriginIsolated);
  const host = createHost({ shared: true, cpus: 2, maxMemory: 16 << 20 });
  const map = host.createMap({ type: "rhash", key: u32, value: u32, maxEntries: 1000 });
  for (let key = 0; key < 1000; key++) map.add(key, key);
  equal("problems", [], host.verify());
  equal("value", 999, map.get(999));
  host.close();
});

// Encoders and decoders of browsers take no shared memory.
test("texts of a shared host are encoded and decoded", () => {
  const host = createHost({ shared: true, cpus: 2, maxMemory: 16 << 20 });
  const map = host.createMap({ type: "rhash", key: text(), value: u32, maxEntries: 100 });
  const texts = ["", "a", "käse", "水🌊", "x".repeat(60), "é".repeat(100)];
  for (const [i, key] of texts.entries()) map.set(key, i);
  equal(
    "values",
    [0, 1, 2, 3, 4, 5],
    texts.map((key) => map.get(key)),
  );
  equal("keys", [...texts].sort(), [...map.keys()].sort());
  equal("problems", [], host.verify());
  host.close();
});

for (const { job, name, options } of every(2, historyRuns(SIZES))) {
  test(`${job}: ${name}`, async (seed) => {
    let checked = 0;
    const emit = (words) => {
      checked += checkHistories(words, options);
    };
    await runJob({ job, seed, options, emit });
    equal("histories", SIZES.rounds, checked);
  });
}

// Of most lists a part: what differs between engines is not the layouts.
for (const runs of [
  every(4, stressRuns(SIZES)),
  every(3, sectionRuns(SIZES)),
  every(6, tornRuns(SIZES)),
  every(3, killRuns(SIZES)),
  every(2, scanRuns(SIZES)),
  every(2, countingRuns(SIZES)),
  every(2, fullRuns(SIZES)),
  every(3, growRuns(SIZES)),
  lockRuns(SIZES),
]) {
  for (const { job, name, options } of runs) {
    test(`${job}: ${name}`, (seed) => runJob({ job, seed, options }));
  }
}

ready();
