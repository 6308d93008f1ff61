/** Which word of a segmented array's directory stands for a record. */
export function segmentOf(index: number, shift: number): number;

/** @param word reads a word of memory */
export function bucketAddress(
  word: (address: number) => number,
  table: number,
  index: number,
  shared: boolean,
): number;
