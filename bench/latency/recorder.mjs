import { newHistogram } from "./histogram.mjs";

/** Operations below this are not worth asking the scheduler about. */
const SLOW_NS = 20_000;
const SLOWEST = 8;

/** What is known of the operations of one class: their histogram, and the slowest of them with what happened meanwhile. */
export class Recorder {
  histogram = newHistogram();
  /** The slowest one during which the scheduler did not take the core away: a pause of the map, not of the machine. */
  worstUndisturbed = 0;
  slowest = [];
  #threshold = 0;
  #readSwitches;
  #switches;

  /** @param {() => number} readSwitches see `switches.mjs` */
  constructor(readSwitches) {
    this.#readSwitches = readSwitches;
    this.#switches = readSwitches();
  }

  /**
   * @param {number} ns
   * @param {number} entries of the map after it
   * @param {boolean} grewMemory whether it grew the memory of the map
   */
  record(ns, entries, grewMemory) {
    this.histogram.recordValue(ns);
    if (ns > SLOW_NS) this.#recordSlow(ns, entries, grewMemory);
    else if (ns > this.worstUndisturbed) this.worstUndisturbed = ns;
  }

  /** Forgets the switches so far, so that no slow operation is blamed on one long before it. */
  forgetSwitches() {
    this.#switches = this.#readSwitches();
  }

  #recordSlow(ns, entries, grewMemory) {
    const switches = this.#readSwitches();
    const preempted = switches !== this.#switches;
    this.#switches = switches;
    if (!preempted) this.worstUndisturbed = Math.max(this.worstUndisturbed, ns);
    if (ns <= this.#threshold) return;
    this.slowest.push({ ns, entries, grewMemory, preempted });
    this.slowest.sort((a, b) => b.ns - a.ns);
    this.slowest.length = Math.min(this.slowest.length, SLOWEST);
    if (this.slowest.length === SLOWEST) this.#threshold = this.slowest.at(-1).ns;
  }
}
