// The worker of an exploration: the second thread. It never goes back to its event loop, so the controller sends programs through a port.
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { COMMAND, EXIT, LOAD, Turns } from "./turns.mjs";

const SECOND = 1;
const { control, port, module } = workerData;
const turns = new Turns(control, SECOND);

let core;
let memory;
let calls;

function load() {
  const { message } = receiveMessageOnPort(port);
  ({ memory, calls } = message);
  const env = {
    memory,
    slot: new WebAssembly.Global({ value: "i32", mutable: false }, message.slot),
    now: () => turns.now(),
    isGone: () => false,
    step: (point) => turns.step(point),
    abort: (_message, _file, line, column) => {
      throw new Error(`assertion at ${line}:${column}`);
    },
  };
  core = new WebAssembly.Instance(module, { env }).exports;
}

while (true) {
  turns.awaitTurn(Number.POSITIVE_INFINITY);
  if (control[COMMAND] === EXIT) break;
  if (control[COMMAND] === LOAD) {
    load();
    turns.hand();
  } else turns.run(core, memory, calls);
}
