import type { Defect } from "../capture/frame.ts";
import { linkName } from "../capture/link.ts";
import type { CaptureReader } from "../capture/reader.ts";
import type { Flow } from "./flow.ts";
import { DRAIN_BATCH, type FlowTable } from "./flow_table.ts";
import type { Sample } from "./growth.ts";
import { topFlows } from "./top.ts";
import type { Count } from "./totals.ts";

/** What `bpfmap flows --json` prints. Bytes of packets are those of whole frames on the wire, times are seconds. */
export interface Summary {
  capture: {
    /** As given; "-" is standard input. */
    file: string;
    format: string;
    linkTypes: string[];
    /** Where and why reading stopped before the end; null when all was read. */
    defect: Defect | null;
  };
  totals: Count & {
    /** 5-tuples, each direction counted as its own. */
    flows: number;
    /** From the earliest packet to the latest. */
    duration: number;
    /** Since 1970, with nine decimals; null when no packet has a time. */
    first: string | null;
    last: string | null;
    tcp: Count;
    udp: Count;
    other: Count;
    unreadable: Count;
    /** Part of tcp and udp: packets of flows for which no table had room. */
    untracked: Count;
  };
  top: Flow[];
  /** The table of active flows. */
  table: {
    type: "rhash";
    interval: number;
    idle: number;
    batch: number;
    drains: number;
    /** Idle flows that drains took out; a flow that comes back and goes idle again counts again. */
    evicted: number;
    peakEntries: number;
    /** When the table had its most entries, since the first packet. */
    peakTime: number;
    /** Bytes and buckets of the table then. */
    peakTableBytes: number;
    peakBuckets: number;
    splits: number;
    merges: number;
    /** A sample per drain, thinned out to 127. */
    growth: Sample[];
  };
  memory: {
    /** Bytes of all tables and buffers: the most at any drain, and in the end. */
    peak: number;
    end: number;
  };
  rate: {
    /** Seconds that it took to read and count. */
    elapsed: number;
    packetsPerSecond: number;
  };
}

export interface SummaryOptions {
  file: string;
  /** Seconds. */
  interval: number;
  idle: number;
  top: number;
  elapsed: number;
}

/** Puts together what is known when the capture has been read and the table is finished. */
export function summarize(reader: CaptureReader, table: FlowTable, options: SummaryOptions): Summary {
  const { totals, growth } = table;
  const { elapsed } = options;
  return {
    capture: {
      file: options.file,
      format: reader.format,
      linkTypes: [...reader.links].map((link) => linkName(link) ?? `link type ${link}`),
      defect: reader.defect ?? null,
    },
    totals: {
      packets: totals.packets,
      bytes: totals.bytes,
      flows: table.flows,
      duration: totals.duration,
      first: totals.first ?? null,
      last: totals.last ?? null,
      tcp: totals.tcp,
      udp: totals.udp,
      other: totals.other,
      unreadable: totals.unreadable,
      untracked: table.untracked,
    },
    top: topFlows(table, options.top).map((flow) => ({
      ...flow,
      first: flow.first / 1e6,
      last: flow.last / 1e6,
    })),
    table: {
      type: "rhash",
      interval: options.interval,
      idle: options.idle,
      batch: DRAIN_BATCH,
      drains: table.drains,
      evicted: table.evicted,
      peakEntries: growth.peak?.entries ?? 0,
      peakTime: (growth.peak?.time ?? 0) / 1e6,
      peakTableBytes: growth.peak?.bytes ?? 0,
      peakBuckets: growth.peak?.buckets ?? 0,
      splits: growth.last?.splits ?? 0,
      merges: growth.last?.merges ?? 0,
      growth: growth.samples.map((sample) => ({ ...sample, time: sample.time / 1e6 })),
    },
    memory: { peak: growth.peakBytes, end: table.host.memoryUsage().bytes },
    rate: { elapsed, packetsPerSecond: elapsed > 0 ? Math.round(totals.packets / elapsed) : 0 },
  };
}
