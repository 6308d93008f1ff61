// Makes calls of a core that were written down as data, so that the main thread can prepare what a worker does.
import { ERRNO_LIMIT } from "../../../src/generated/abi.js";

/** Calls beside the exports of the core: what JavaScript does with the memory between two of them. */
const LOCAL = {
  copy({ memory }, from, bytes, to) {
    new Uint8Array(memory.buffer).copyWithin(to, from, from + bytes);
    return 0;
  },
  storeWord({ memory }, at, value) {
    new Uint32Array(memory.buffer)[at >>> 2] = value;
    return 0;
  },
  addToWord({ memory }, at, delta) {
    new Uint32Array(memory.buffer)[at >>> 2] += delta;
    return 0;
  },
  unlockValueAt({ core }, address, table) {
    return core.unlockValue(table, address);
  },
};

/** A call whose first argument comes from an earlier one that failed is left out: its result is that errno. */
export function makeCalls(core, memory, calls, results, reached) {
  for (let i = 0; i < calls.length; i++) {
    reached?.(i);
    const { name, args } = calls[i];
    const numbers = args.map((argument) =>
      typeof argument === "number" ? argument : (results[argument.resultOf] >>> 0) + (argument.plus ?? 0),
    );
    const failed = typeof args[0] === "object" && results[args[0].resultOf] >>> 0 < ERRNO_LIMIT;
    if (failed) results[i] = results[args[0].resultOf];
    else
      results[i] = (name in LOCAL ? LOCAL[name]({ core, memory }, ...numbers) : core[name](...numbers)) ?? 0;
  }
  reached?.(calls.length);
}
