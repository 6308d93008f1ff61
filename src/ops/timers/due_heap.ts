/**
 * A heap of numbered records by the time when they are due.
 *
 * @module
 */

const FEWEST = 16;
/** Of a record. */
const RECORD_BYTES = 24;

/**
 * A binary heap in typed arrays. `records` is a permutation of all record numbers: the first `count` are the heap, each due no earlier
 * than its parent at `(place - 1) >> 1`; those behind are free.
 *
 * ```
 * records  0 the record that is due first | 1, 2 its children | ... | count - 1 | free records ...
 * places   of each record, where it stands in `records`
 * due      of each record, ms; of two that are due at the same time, the one with the lower order comes first
 * orders   of each record
 * ```
 */
export class DueHeap {
  count = 0;
  #records = new Uint32Array(0);
  #places = new Uint32Array(0);
  #due = new Float64Array(0);
  #orders = new Float64Array(0);

  /** How many records there are, free ones included. */
  get capacity(): number {
    return this.#records.length;
  }

  get bytes(): number {
    return RECORD_BYTES * this.capacity;
  }

  /** The one that is due first. Only while there is one. */
  get first(): number {
    return this.#records[0];
  }

  isUsed(record: number): boolean {
    return record < this.capacity && this.#places[record] < this.count;
  }

  due(record: number): number {
    return this.#due[record];
  }

  order(record: number): number {
    return this.#orders[record];
  }

  /** Makes room for one more. True when there are more records than before. */
  reserve(): boolean {
    if (this.count < this.capacity) return false;
    this.#resize(Math.max(FEWEST, 2 * this.capacity));
    return true;
  }

  /** Takes a free record; there is one. */
  add(due: number, order: number): number {
    const record = this.#records[this.count];
    this.#due[record] = due;
    this.#orders[record] = order;
    this.#rise(this.count++, record);
    return record;
  }

  /** Gives a record another time. */
  move(record: number, due: number, order: number): void {
    this.#due[record] = due;
    this.#orders[record] = order;
    this.#settle(this.#places[record], record);
  }

  /** Frees a record. */
  remove(record: number): void {
    const place = this.#places[record];
    const last = this.#records[--this.count];
    this.#put(this.count, record);
    if (last !== record) this.#settle(place, last);
  }

  /** Frees all records, and gives their memory back, but for a few. */
  clear(): void {
    this.count = 0;
    if (this.capacity > FEWEST) this.#resize(0);
  }

  #resize(capacity: number): void {
    const records = new Uint32Array(capacity);
    const places = new Uint32Array(capacity);
    const due = new Float64Array(capacity);
    const orders = new Float64Array(capacity);
    if (capacity > 0) {
      records.set(this.#records);
      places.set(this.#places);
      due.set(this.#due);
      orders.set(this.#orders);
    }
    for (let i = Math.min(this.capacity, capacity); i < capacity; i++) records[i] = places[i] = i;
    this.#records = records;
    this.#places = places;
    this.#due = due;
    this.#orders = orders;
  }

  #put(place: number, record: number): void {
    this.#records[place] = record;
    this.#places[record] = place;
  }

  #isEarlier(a: number, b: number): boolean {
    return (
      this.#due[a] < this.#due[b] || (this.#due[a] === this.#due[b] && this.#orders[a] < this.#orders[b])
    );
  }

  /** Puts a record where it belongs, from a place on whose record is gone or has moved. */
  #settle(place: number, record: number): void {
    if (!this.#rise(place, record)) this.#sink(place, record);
  }

  /** Puts a record there or nearer to the root; whether nearer. */
  #rise(from: number, record: number): boolean {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#records[parent];
      if (!this.#isEarlier(record, above)) break;
      this.#put(place, above);
      place = parent;
    }
    this.#put(place, record);
    return place < from;
  }

  /** Puts a record there or farther from the root. */
  #sink(from: number, record: number): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.count) break;
      const right = child + 1;
      if (right < this.count && this.#isEarlier(this.#records[right], this.#records[child])) child = right;
      const below = this.#records[child];
      if (!this.#isEarlier(below, record)) break;
      this.#put(place, below);
      place = child;
    }
    this.#put(place, record);
  }
}
