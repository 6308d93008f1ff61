/**
 * Helpers that tell a program about its surroundings: time, CPU, chance.
 *
 * @module
 */
import { ERRNO } from "../../errors.ts";
import type { Helper } from "./execution.ts";

const NS_IN_MS = 1_000_000;
/** ms from one jiffy to the next, CONFIG_HZ=250. */
const MS_IN_JIFFY = 4n;

/** ns of the host's clock. */
export const ktimeGetNs: Helper = ({ host }) => {
  const ms = host.clock.now();
  const whole = Math.floor(ms);
  return BigInt(whole) * BigInt(NS_IN_MS) + BigInt(Math.floor((ms - whole) * NS_IN_MS));
};

export const jiffies64: Helper = ({ host }) => BigInt(Math.floor(host.clock.now())) / MS_IN_JIFFY;

export const getPrandomU32: Helper = ({ surroundings }) => surroundings.random();

export const getSmpProcessorId: Helper = ({ host }) => host.cpu;

/** Programs run as a task of nobody: pid, tgid, uid and gid are 0. */
export const nobody: Helper = () => 0;

/** Reads of kernel memory, of which there is none: EFAULT, and zeros where the data would be. */
export const probeRead: Helper = (run) => {
  const to = run.word(1);
  run.host.u8.fill(0, to, to + run.word(2));
  return -ERRNO.EFAULT;
};
