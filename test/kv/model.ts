/** What a KV store does, as simply as can be: pages are lists with the key that each byte belongs to. */
export const PAGE = 4096;
const FREE = -1;

export interface Place {
  page: number;
  offset: number;
}

export class KvModel {
  readonly values = new Map<number, Uint8Array>();
  readonly places = new Map<number, Place>();
  readonly pages: (Int32Array | undefined)[];

  constructor(maxPages: number) {
    this.pages = new Array(maxPages).fill(undefined);
  }

  /** False: ENOSPC, and nothing has changed. */
  put(key: number, bytes: Uint8Array): boolean {
    const before = this.places.get(key);
    const size = bytes.length;
    const old = this.values.get(key)?.length ?? 0;
    if (before !== undefined) this.#own(before, old, FREE);
    const place = before !== undefined && this.#isFree(before, size) ? before : this.#place(size);
    if (place === undefined) {
      if (before !== undefined) this.#own(before, old, key);
      return false;
    }
    this.#own(place, size, key);
    this.values.set(key, bytes.slice());
    this.places.set(key, place);
    if (before !== undefined) this.#dropIfEmpty(before.page);
    return true;
  }

  delete(key: number): boolean {
    const place = this.places.get(key);
    if (place === undefined) return false;
    this.#own(place, this.values.get(key)!.length, FREE);
    this.values.delete(key);
    this.places.delete(key);
    this.#dropIfEmpty(place.page);
    return true;
  }

  /** The longest run of free bytes on any page; a page that is not there yet is one of 4096. */
  longestRun(): number {
    let longest = 0;
    for (const page of this.pages) {
      if (page === undefined) return PAGE;
      let run = 0;
      for (const owner of page) {
        run = owner === FREE ? run + 1 : 0;
        longest = Math.max(longest, run);
      }
    }
    return longest;
  }

  get pageCount(): number {
    return this.pages.filter((page) => page !== undefined).length;
  }

  #own({ page, offset }: Place, size: number, key: number): void {
    this.pages[page]!.fill(key, offset, offset + size);
  }

  /** Whether a value that begins where it did has room: its own, which is free here, and the bytes behind. */
  #isFree({ page, offset }: Place, size: number): boolean {
    return (
      offset + size <= PAGE &&
      this.pages[page]!.subarray(offset, offset + size).every((owner) => owner === FREE)
    );
  }

  /** The first run that is long enough, on the pages that are there; then a new page. */
  #place(size: number): Place | undefined {
    for (const [page, bytes] of this.pages.entries()) {
      if (bytes === undefined) continue;
      for (let offset = bytes.indexOf(FREE); offset >= 0; ) {
        let end = offset;
        while (end < offset + size && bytes[end] === FREE) end++;
        if (end === offset + size) return { page, offset };
        offset = bytes.indexOf(FREE, end);
      }
    }
    const page = this.pages.indexOf(undefined);
    if (page < 0) return undefined;
    this.pages[page] = new Int32Array(PAGE).fill(FREE);
    return { page, offset: 0 };
  }

  #dropIfEmpty(page: number): void {
    if (this.pages[page]!.every((owner) => owner === FREE)) this.pages[page] = undefined;
  }
}

/** The word of metadata of a value, as the source draws it, with size - 1 and the high bits of the page in its free bits. */
export function wordOf({ page, offset }: Place, size: number): number {
  return ((page & 7) | (offset << 3) | ((size - 1) << 15) | (1 << 27) | ((page >> 3) << 28)) >>> 0;
}
