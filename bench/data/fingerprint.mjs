import { createHash } from "node:crypto";

/**
 * A hash of what was done and what came out of it: equal fingerprints are the same work with the same results, on any machine.
 */
export class Fingerprint {
  #hash = createHash("sha256");

  /** @param {...(ArrayBufferView | string | number)} parts */
  add(...parts) {
    for (const part of parts) {
      if (ArrayBuffer.isView(part)) this.#hash.update(part);
      else this.#hash.update(`${part}\n`);
    }
    return this;
  }

  toString() {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}
