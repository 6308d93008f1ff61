// A module worker of a browser as a member of a team. It holds a lock of its name as long as it lives: `terminate()` of a
// worker answers nothing, and Chromium lets running code go on for up to two seconds.
import { runMember } from "../kit/member.mjs";

self.onmessage = async ({ data: { name, message } }) => {
  await new Promise((held) => {
    navigator.locks.request(name, () => {
      held();
      return new Promise(() => {});
    });
  });
  await runMember(
    message,
    (job) => import(`../jobs/${job}.mjs`),
    (answer) => self.postMessage(answer),
  );
};
