// A worker thread of Node as a member of teams, of one after the other.
import { parentPort } from "node:worker_threads";
import { runMember } from "../kit/member.mjs";

parentPort.on("message", async (message) => {
  await runMember(
    message,
    (job) => import(`../jobs/${job}.mjs`),
    (answer) => parentPort.postMessage(answer),
  );
});
