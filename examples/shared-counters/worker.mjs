// Answers requests, and counts them in the host of the main thread.
import { workerData } from "node:worker_threads";
import { attachHost, cstring, u32, u53 } from "bpfmap";

const ROUTES = [
  "GET /index",
  "GET /index",
  "GET /index",
  "GET /news",
  "GET /news",
  "GET /cart",
  "POST /order",
];

const host = attachHost(workerData.handle);
const counts = host.open("/counts", { type: "percpu_hash", key: cstring(16), value: u53 });
const answered = host.open("/answered", { type: "array", key: u32, value: u53 });

for (let i = 0; i < workerData.requests; i++) {
  counts.add(ROUTES[i % ROUTES.length], 1); // in the slot of this thread, without a lock
  answered.add(host.cpu, 1);
}
host.detach();
