import { formatBytes, formatRate } from "./format.ts";

/** Smaller files are read before a bar could be seen. */
const LARGE = 16 << 20;
const BAR_WIDTH = 30;
const REDRAW_MILLISECONDS = 100;
const CLEAR_LINE = "\r\x1b[2K";

interface Terminal {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** A bar on a terminal while a large file is read; silent everywhere else. */
export class Progress {
  private readonly out: Terminal;
  private readonly total: number;
  private readonly shown: boolean;
  private readonly started = performance.now();
  private drawn = 0;

  /** `total`: bytes of the file, 0 when that is not known. */
  constructor(out: Terminal, total: number) {
    this.out = out;
    this.total = total;
    this.shown = out.isTTY === true && total > LARGE;
  }

  update(bytes: number, packets: number): void {
    if (!this.shown) return;
    const now = performance.now();
    if (now - this.drawn < REDRAW_MILLISECONDS) return;
    this.drawn = now;
    const part = Math.min(bytes / this.total, 1);
    const bar = "#".repeat(Math.round(part * BAR_WIDTH)).padEnd(BAR_WIDTH, ".");
    const rate = formatRate(Math.round(packets / ((now - this.started) / 1000)));
    const percent = `${Math.floor(part * 100)}%`.padStart(4);
    this.out.write(`${CLEAR_LINE}[${bar}]${percent} of ${formatBytes(this.total)}, ${rate} packets/s`);
  }

  /** Removes the bar. */
  end(): void {
    if (this.drawn > 0) this.out.write(CLEAR_LINE);
  }
}
