// Messages on a byte stream: 4 bytes of length, little-endian, and as many bytes.
const LENGTH_BYTES = 4;

export function frame(payload) {
  const bytes = Buffer.alloc(LENGTH_BYTES + payload.length);
  bytes.writeUInt32LE(payload.length);
  bytes.set(payload, LENGTH_BYTES);
  return bytes;
}

/** Puts messages together again, however the stream was cut. */
export class Frames {
  #chunks = [];
  #bytes = 0;

  /** The messages that a chunk completes. */
  *push(chunk) {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= LENGTH_BYTES) {
      const length = this.#head(LENGTH_BYTES).readUInt32LE();
      if (this.#bytes < LENGTH_BYTES + length) return;
      const whole = this.#head(LENGTH_BYTES + length);
      this.#chunks[0] = this.#chunks[0].subarray(whole.length);
      this.#bytes -= whole.length;
      yield whole.subarray(LENGTH_BYTES);
    }
  }

  /** The first bytes, in one piece. */
  #head(bytes) {
    if (this.#chunks[0].length < bytes) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0].subarray(0, bytes);
  }
}
