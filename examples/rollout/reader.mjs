// Counts requests and reads the settings, all the time, whatever is rolled out meanwhile; and says how often it saw which manifest, and
// whether it ever saw a mix of two.
import { parentPort, workerData } from "node:worker_threads";
import { attachHost, ManifestMismatchError } from "bpfmap";
import { isWhole, v1, v2 } from "./manifests.mjs";

const host = attachHost(workerData.handle);
const running = new Int32Array(workerData.running);
const settings = host.openKvStore("/settings", { manifest: v1 });
let manifest = v1;
let requests = settings.pair("requests");
const seen = { v1: 0, v2: 0, mixed: 0, rebound: 0, requests: 0 };

/** Another manifest is in force: goes on with that one, or with the one that comes while it looks. */
function rebind() {
  for (;;) {
    const now = settings.manifest.pairs.some(({ name }) => name === "zone") ? v2 : v1;
    try {
      requests = settings.bind(now).pair("requests");
      manifest = now;
      seen.rebound++;
      return;
    } catch (error) {
      if (!(error instanceof ManifestMismatchError)) throw error;
    }
  }
}

while (Atomics.load(running, 0) === 1) {
  try {
    requests.set(requests.get() + 1);
    seen.requests++;
    if (!isWhole(settings.read(), manifest)) seen.mixed++;
    seen[manifest === v1 ? "v1" : "v2"]++;
    Atomics.add(running, manifest === v1 ? 1 : 2, 1);
  } catch (error) {
    // What it says: the manifest has changed, and nothing was read or written.
    if (!(error instanceof ManifestMismatchError)) throw error;
    rebind();
  }
}
host.detach();
parentPort.postMessage(seen);
