// A worker thread of Node as a member of a team.
import { parentPort } from "node:worker_threads";
import { runMember } from "../kit/member.mjs";

parentPort.once("message", async (message) => {
  await runMember(
    message,
    (job) => import(`../jobs/${job}.mjs`),
    (answer) => parentPort.postMessage(answer),
  );
});
