import { type Batch, BpfError, bytes, createHost, type HashMap, type Host } from "../../index.ts";
import type { Frame } from "../capture/frame.ts";
import { Found, readTuple } from "../capture/packet.ts";
import {
  addCounters,
  type Counters,
  countPacket,
  flowCounters,
  flowKey,
  lastSeen,
  readCounters,
} from "./flow.ts";
import { Growth } from "./growth.ts";
import { Totals } from "./totals.ts";

/** Flows that a drain takes at a time. */
export const DRAIN_BATCH = 256;

/** Most flows that are tracked at a time, and most that are told apart in the end. */
const MAX_FLOWS = 1 << 24;

const MAX_TIME = Number.MAX_SAFE_INTEGER;

/** Keys are raw bytes for the map: the parser writes them in the layout of `flowKey` already. */
type FlowMap = HashMap<Uint8Array, Counters>;

export interface FlowTableOptions {
  /** Microseconds of packet time between two drains. */
  interval: number;
  /** Microseconds without a packet after which a drain evicts a flow. */
  idle: number;
  /** For tests: fewer flows than the default, so that the table fills up. */
  maxFlows?: number;
}

/**
 * Counts packets and bytes per flow. Three rhash maps:
 *
 * - `active` holds the flows seen lately; every packet looks its flow up there and counts in place.
 * - When `interval` of packet time has passed, `active` is emptied in batches of 256. Idle flows go to `finished`, the others
 *   to `spare`; then `active` and `spare` change places. A second map, because putting a flow back into the one that is
 *   being drained could hand it out again: this way each flow is met once per drain and `active` is empty at its end.
 * - `finished` has the flows of the past, a flow that comes back adds to its old entry. At the end everything is drained into
 *   it, so what it holds does not depend on interval and idle time: every packet is counted in exactly one entry throughout.
 *
 * `active` stays as small as the traffic of the moment, and gives its memory back when a burst is over.
 *
 * Where a map is full or the memory used up, flows are finished early; when `finished` is full as well, their packets are
 * still counted in the totals and in `untracked`, but no longer as flows of their own.
 */
export class FlowTable {
  readonly totals = new Totals();
  readonly growth = new Growth();
  readonly host: Host;
  /** Drains, the one at the end included. */
  drains = 0;
  /** Flows that drains found idle. A flow that comes back counts again. */
  evicted = 0;
  /** Packets and bytes of flows that there was no room for. */
  readonly untracked = { packets: 0, bytes: 0 };
  readonly finished: FlowMap;
  private active: FlowMap;
  private spare: FlowMap;
  private readonly batches: Map<FlowMap, Batch<Uint8Array, Counters>>;
  private readonly options: Required<FlowTableOptions>;
  private readonly key = new Uint8Array(flowKey.size);
  private readonly keyView = new DataView(this.key.buffer);
  private readonly record: Counters = { packets: 1, bytes: 0, first: 0, last: 0 };
  /** A drain comes between reading a packet's key and using it, so it has a key and a record of its own. */
  private readonly drainedKey = new Uint8Array(flowKey.size);
  private readonly drained: Counters = { packets: 0, bytes: 0, first: 0, last: 0 };
  private started = false;
  private start = 0;
  /** Of the packet at hand, microseconds since 1970. As a plain number it would become an object on its way to each call. */
  private readonly time = new Float64Array(1);
  /** The latest so far. */
  private now = 0;
  private nextDrain = 0;

  constructor(options: FlowTableOptions, host: Host = createHost()) {
    this.options = { maxFlows: MAX_FLOWS, ...options };
    this.host = host;
    const createFlowMap = (name: string): FlowMap =>
      this.host.createMap({
        type: "rhash",
        name,
        key: bytes(flowKey.size),
        value: flowCounters,
        maxEntries: this.options.maxFlows,
      });
    this.active = createFlowMap("active");
    this.spare = createFlowMap("spare");
    this.finished = createFlowMap("finished");
    this.batches = new Map(
      [this.active, this.spare].map((map) => [map, map.createBatch(DRAIN_BATCH)] as const),
    );
  }

  /** Flows that are told apart so far. */
  get flows(): number {
    return this.finished.size;
  }

  /** Counts one packet. */
  add(frame: Frame): void {
    const found = readTuple(frame, this.keyView, flowKey.offsets);
    this.totals.count(frame, found, this.key[flowKey.offsets.proto]);
    if (frame.timed) this.advance(frame);
    else this.time[0] = this.now;
    if (found !== Found.FLOW) return;
    const at = this.active.lookup(this.key);
    if (at !== 0) countPacket(this.host.view, at, frame.length, this.time);
    else this.begin(frame.length);
  }

  /** Finishes all flows. To be called once, at the end of the capture. */
  finish(): void {
    this.drain(-1);
    // Their memory may be all there is left for reading the finished flows.
    this.active.close();
    this.spare.close();
  }

  /** Sets `time`, and drains when it calls for that. */
  private advance(frame: Frame): void {
    const exact = frame.seconds * 1e6 + Math.floor(frame.nanoseconds / 1000);
    // A damaged capture may claim any time; microseconds from 1970 to 2255 fit.
    const time = Math.min(Math.max(exact, 0), MAX_TIME);
    this.time[0] = time;
    if (!this.started) {
      this.started = true;
      this.start = time;
      this.now = time;
      this.nextDrain = time + this.options.interval;
    }
    if (time > this.now) this.now = time;
    // Packet time decides, so that a capture gives the same drains however fast it is read.
    if (time >= this.nextDrain) {
      this.drain(this.options.idle);
      // Intervals without packets need no drain: the next boundary is the first one after this packet.
      const { interval } = this.options;
      this.nextDrain = this.start + (Math.floor((time - this.start) / interval) + 1) * interval;
    }
  }

  /** The first packet of a flow, or the first since it was evicted. */
  private begin(length: number): void {
    const { key, record } = this;
    record.bytes = length;
    record.first = this.time[0];
    record.last = this.time[0];
    if (this.insert(this.active, key, record)) return;
    this.drain(-1);
    if (!this.insert(this.active, key, record)) this.dropped(record);
  }

  /** False when the map is full or there is no memory left. */
  private insert(map: FlowMap, key: Uint8Array, counters: Counters): boolean {
    if (map.size >= this.options.maxFlows) return false;
    try {
      map.set(key, counters);
      return true;
    } catch (error) {
      if (error instanceof BpfError && (error.code === "ENOMEM" || error.code === "E2BIG")) return false;
      throw error;
    }
  }

  private dropped(counters: Counters): void {
    this.untracked.packets += counters.packets;
    this.untracked.bytes += counters.bytes;
  }

  /** Empties `active`: flows that were idle for longer than `idle` microseconds are finished, the others kept. */
  private drain(idle: number): void {
    const { active, spare } = this;
    const before = active.stats();
    const counts = { kept: 0, finished: 0 };
    let peakBytes = this.host.memoryUsage().bytes;
    const batch = this.batches.get(active)!;
    batch.rewind();
    for (let more = true; more; ) {
      batch.count = DRAIN_BATCH;
      more = active.lookupAndDeleteBatch(batch);
      this.handOn(batch, idle, counts);
      peakBytes = Math.max(peakBytes, this.host.memoryUsage().bytes);
    }
    this.active = spare;
    this.spare = active;
    this.drains++;
    if (idle >= 0) this.evicted += counts.finished;
    const after = [active.stats(), spare.stats()];
    this.growth.add({
      time: this.started ? this.now - this.start : 0,
      entries: before.entries,
      buckets: before.buckets,
      bytes: before.bytes,
      kept: counts.kept,
      finished: counts.finished,
      splits: after[0].splits + after[1].splits,
      merges: after[0].merges + after[1].merges,
      peakBytes,
    });
  }

  /** Hands the flows of a drained batch on to `spare` or `finished`. */
  private handOn(
    batch: Batch<Uint8Array, Counters>,
    idle: number,
    counts: { kept: number; finished: number },
  ): void {
    const { host, spare, finished, drainedKey: key } = this;
    // Offsets, not views: a write to a map may grow the memory, which replaces all views of it.
    let keyAt = batch.keys.byteOffset;
    let at = batch.values.byteOffset;
    const { count } = batch;
    for (let i = 0; i < count; i++, keyAt += flowKey.size, at += flowCounters.size) {
      const { u8 } = host;
      for (let byte = 0; byte < key.length; byte++) key[byte] = u8[keyAt + byte];
      const keep = this.now - lastSeen(host.view, at) <= idle;
      // A drain hands out each flow once, so `spare` does not have it yet.
      if (keep && this.move(spare, at, false)) {
        counts.kept++;
        continue;
      }
      counts.finished++;
      if (!this.move(finished, at, true)) this.dropped(this.drained);
    }
  }

  /** Puts the counters at `at` under the drained key, or adds them to what is there. False when there is no room. */
  private move(map: FlowMap, at: number, mayBeThere: boolean): boolean {
    const { host, drainedKey, drained } = this;
    readCounters(host.view, at, drained);
    const to = mayBeThere ? map.lookup(drainedKey) : 0;
    if (to === 0) return this.insert(map, drainedKey, drained);
    addCounters(host.view, to, drained);
    return true;
  }
}
