/** The table of active flows at one drain. */
export interface Sample {
  /** Microseconds of packet time since the first packet. */
  time: number;
  /** Entries, buckets and bytes of the table before the drain. */
  entries: number;
  buckets: number;
  bytes: number;
  /** Flows that stayed and flows that left. */
  kept: number;
  finished: number;
  /** Buckets split and merged until then, since the start. */
  splits: number;
  merges: number;
  /** Most bytes of host memory in use during the drain: all tables with the finished flows, and buffers. */
  peakBytes: number;
}

/** Samples kept at most: a line of a terminal, times two. */
const MAX_SAMPLES = 128;

/**
 * How the table grew and shrank: one sample per drain, thinned out so that a capture of any length keeps a bounded number of
 * them. Thinning keeps the larger of two neighbours, so the peak stays.
 */
export class Growth {
  readonly samples: Sample[] = [];
  /** Drains that one sample stands for. */
  private stride = 1;
  private pending: Sample | undefined;
  private pendingCount = 0;
  private highest: Sample | undefined;
  private lastSample: Sample | undefined;
  private mostBytes = 0;

  add(sample: Sample): void {
    this.lastSample = sample;
    this.mostBytes = Math.max(this.mostBytes, sample.peakBytes);
    this.highest = larger(this.highest, sample);
    this.pending = larger(this.pending, sample);
    if (++this.pendingCount < this.stride) return;
    this.samples.push(this.pending);
    this.pending = undefined;
    this.pendingCount = 0;
    if (this.samples.length < MAX_SAMPLES) return;
    for (let i = 0; i < MAX_SAMPLES; i += 2)
      this.samples[i / 2] = larger(this.samples[i], this.samples[i + 1]);
    this.samples.length = MAX_SAMPLES / 2;
    this.stride *= 2;
  }

  /** The drain with the most entries. */
  get peak(): Sample | undefined {
    return this.highest;
  }

  get last(): Sample | undefined {
    return this.lastSample;
  }

  /** Bytes of host memory. */
  get peakBytes(): number {
    return this.mostBytes;
  }
}

function larger(a: Sample | undefined, b: Sample): Sample {
  return a !== undefined && a.entries >= b.entries ? a : b;
}
