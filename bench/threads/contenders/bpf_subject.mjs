// The loops of a thread over a bpfmap map, u32 to u53.
import { MapSubject } from "./map_subject.mjs";
import { GROUP } from "./sizes.mjs";

const WORD = 2 ** 32;

/** A batch with views of its buffers. A u53 is two words, the lower one first. */
class Buffers {
  constructor(map) {
    this.batch = map.createBatch(GROUP);
    const { keys, values } = this.batch;
    this.keys = new Uint32Array(keys.buffer, keys.byteOffset, GROUP);
    this.bytes = values;
    this.values = new Uint32Array(values.buffer, values.byteOffset, 2 * GROUP);
  }

  sum(count) {
    const { values } = this;
    let total = 0;
    for (let i = 0; i < count; i++) total += values[2 * i] + values[2 * i + 1] * WORD;
    return total;
  }
}

/** @implements {import("./map_subject.mjs").Subject} */
export class BpfSubject extends MapSubject {
  /** Made at the first call, and until then the map may grow. */
  #reads;
  #writes;
  #ones = new Uint32Array(GROUP).fill(1);

  getGroup({ keys }, from, to) {
    const { map } = this;
    this.#reads ??= new Buffers(map);
    const reads = this.#reads;
    let total = 0;
    for (let start = from; start < to; start += GROUP) {
      reads.keys.set(keys.subarray(start, start + GROUP));
      map.lookupMany(reads.keys, reads.bytes);
      total += reads.sum(GROUP);
    }
    return total;
  }

  /** What is read in one call, then what is written in one call. */
  mixedGroup({ keys, values, writes }, from, to) {
    const { map } = this;
    this.#reads ??= new Buffers(map);
    this.#writes ??= new Buffers(map);
    const reads = this.#reads;
    const written = this.#writes;
    let total = 0;
    for (let start = from; start < to; start += GROUP) {
      let readCount = 0;
      let writeCount = 0;
      for (let i = start; i < start + GROUP; i++) {
        if (writes[i] === 1) {
          written.keys[writeCount] = keys[i];
          written.values[2 * writeCount] = values[i];
          written.values[2 * writeCount + 1] = 0;
          writeCount++;
        } else reads.keys[readCount++] = keys[i];
      }
      map.lookupMany(reads.keys.subarray(0, readCount), reads.bytes);
      total += reads.sum(readCount);
      if (writeCount === 0) continue;
      written.batch.count = writeCount;
      map.updateBatch(written.batch);
    }
    return total;
  }

  add({ keys }, from, to) {
    const { map } = this;
    for (let i = from; i < to; i++) map.add(keys[i], 1);
    return to - from;
  }

  addGroup({ keys }, from, to) {
    const { map } = this;
    const ones = this.#ones;
    for (let start = from; start < to; start += GROUP) map.addMany(keys.subarray(start, start + GROUP), ones);
    return to - from;
  }
}
