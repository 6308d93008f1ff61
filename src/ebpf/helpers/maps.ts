/**
 * Helpers of maps: one element by its key.
 *
 * @module
 */
import { findLive, removeElement, writeElement } from "./elements.ts";
import type { Helper } from "./execution.ts";

export const mapLookupElem: Helper = (run) => findLive(run.host, run.map(1), run.word(2));

export const mapUpdateElem: Helper = (run) =>
  -writeElement(run.host, run.map(1), run.word(2), run.word(3), Number(run.state.register(4)));

export const mapDeleteElem: Helper = (run) => -removeElement(run.host, run.map(1), run.word(2));

/** The slot of any CPU. */
export const mapLookupPercpuElem: Helper = (run) => {
  const { host } = run;
  const map = run.map(1);
  const cpu = run.word(3);
  if (cpu >= host.cpus) return 0;
  const own = findLive(host, map, run.word(2));
  if (own === 0) return 0;
  return own - map.slotAt + cpu * map.stride;
};
