// A backend, in a thread of its own: answers each request with its own number and the same bytes.
import { once } from "node:events";
import { createServer } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { Frames, frame } from "./frames.mjs";

/** What it has seen, without connections that never said anything: those that watch whether it lives. */
const report = { connections: 0, received: 0, sent: 0 };

const server = createServer((socket) => {
  const frames = new Frames();
  let silent = true;
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    if (silent) report.connections++;
    silent = false;
    report.received += chunk.length;
    for (const payload of frames.push(chunk)) {
      const answer = frame(Buffer.concat([Buffer.of(workerData.number), payload]));
      report.sent += answer.length;
      if (!socket.write(answer)) {
        socket.pause();
        socket.once("drain", () => socket.resume());
      }
    }
  });
});
await once(server.listen(0, "127.0.0.1"), "listening");
parentPort.postMessage(server.address().port);
parentPort.on("message", () => parentPort.postMessage(report));
