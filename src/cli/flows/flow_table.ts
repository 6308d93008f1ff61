import {
  ACT_DELETE,
  type Batch,
  BpfError,
  bytes,
  createHost,
  type Entry,
  type HashMap,
  type Host,
  program,
  u53,
} from "../../index.ts";
import type { Frame } from "../capture/frame.ts";
import { Found, readTuple } from "../capture/packet.ts";
import { addCounters, type Counters, countPacket, flowCounters, flowKey, readCounters } from "./flow.ts";
import { Growth } from "./growth.ts";
import { Totals } from "./totals.ts";

/** Flows that a drain takes at a time. */
export const DRAIN_BATCH = 256;

/** Most flows that are tracked at a time, and most that are told apart in the end. */
const MAX_FLOWS = 1 << 24;

/** Of a key and its counters. */
const FLOW_BYTES = flowKey.size + flowCounters.size;

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
 * Counts packets and bytes per flow. Two rhash maps:
 *
 * - `active` holds the flows seen lately; every packet looks its flow up there and counts in place.
 * - `finished` has the flows of the past, a flow that comes back adds to its old entry. At the end everything is drained into
 *   it, so what it holds does not depend on interval and idle time: every packet is counted in exactly one entry throughout.
 *
 * When `interval` of packet time has passed, a compiled program goes over `active` and takes out the flows that are idle, 256 at a time.
 * The others stay where they are: most flows see many drains. A `ttl` is no use here: each packet would have to renew it, which makes
 * it a third slower, and an rhash tells nobody what has expired: counters that go belong into `finished`.
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
  private readonly active: FlowMap;
  /** For what a full host has no memory for: taking all flows out. */
  private readonly batch: Batch<Uint8Array, Counters>;
  private readonly idleFlows;
  /** Keys and counters of flows on their way from `active` to `finished`, one after the other. */
  private leaving = new Uint8Array(DRAIN_BATCH * FLOW_BYTES);
  private leavingView = new DataView(this.leaving.buffer);
  private leavingCount = 0;
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
    this.finished = createFlowMap("finished");
    this.batch = this.active.createBatch(DRAIN_BATCH);
    this.idleFlows = program(
      this.active,
      ({ value }, { params }) => value.last.lt(params.before).then(ACT_DELETE),
      { params: { before: u53 } },
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
    // Its memory may be all there is left for reading the finished flows.
    this.active.close();
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

  /** Takes the flows out of `active` that were idle for longer than `idle` microseconds; all when it is negative. */
  private drain(idle: number): void {
    const { active, host } = this;
    const before = active.stats();
    const bytes = host.memoryUsage().bytes;
    const finished = idle < 0 || !this.evict(idle) ? this.empty() : this.finishLeaving();
    this.drains++;
    if (idle >= 0) this.evicted += finished;
    const { splits, merges } = active.stats();
    this.growth.add({
      time: this.started ? this.now - this.start : 0,
      entries: before.entries,
      buckets: before.buckets,
      bytes: before.bytes,
      kept: before.entries - finished,
      finished,
      splits,
      merges,
      peakBytes: Math.max(bytes, host.memoryUsage().bytes),
    });
  }

  /** Moves the idle flows from `active` to `leaving`. False when there is no memory for that. */
  private evict(idle: number): boolean {
    this.idleFlows.params.before = Math.max(0, Math.ceil(this.now - idle));
    try {
      this.active.process({ filter: this.idleFlows, dumper: this.leave, size: DRAIN_BATCH });
      return true;
    } catch (error) {
      if (error instanceof BpfError && error.code === "ENOMEM") return false;
      throw error;
    }
  }

  /** Keeps a flow that has left `active` until the drain is over: a map grows late while another one is gone over. */
  private readonly leave = ({ keyAddress, valueAddress }: Entry<Uint8Array, Counters>): void => {
    const { u8 } = this.host;
    let to = this.leavingCount++ * FLOW_BYTES;
    if (to === this.leaving.length) {
      const room = new Uint8Array(2 * to);
      room.set(this.leaving);
      this.leaving = room;
      this.leavingView = new DataView(room.buffer);
    }
    const { leaving } = this;
    for (let at = keyAddress, end = at + flowKey.size; at < end; ) leaving[to++] = u8[at++];
    for (let at = valueAddress, end = at + flowCounters.size; at < end; ) leaving[to++] = u8[at++];
  };

  /** Finishes the flows that have left. Returns how many there were. */
  private finishLeaving(): number {
    const { leavingCount: count } = this;
    for (let i = 0, at = 0; i < count; i++, at += FLOW_BYTES)
      this.finishFlow(this.leaving, at, this.leavingView, at + flowKey.size);
    this.leavingCount = 0;
    return count;
  }

  /** Finishes all flows of `active`. Returns how many there were. */
  private empty(): number {
    const { active, batch, host } = this;
    let finished = this.finishLeaving();
    batch.rewind();
    for (let more = true; more; ) {
      batch.count = DRAIN_BATCH;
      more = active.lookupAndDeleteBatch(batch);
      // Offsets, not views: a write to a map may grow the memory, which replaces all views of it.
      let keyAt = batch.keys.byteOffset;
      let at = batch.values.byteOffset;
      for (let i = 0; i < batch.count; i++, keyAt += flowKey.size, at += flowCounters.size) {
        this.finishFlow(host.u8, keyAt, host.view, at);
      }
      finished += batch.count;
    }
    return finished;
  }

  /** Adds counters to those of a finished flow, or finishes a new one. */
  private finishFlow(keys: Uint8Array, keyAt: number, counters: DataView, at: number): void {
    const { drainedKey: key, drained, finished, host } = this;
    for (let byte = 0; byte < key.length; byte++) key[byte] = keys[keyAt + byte];
    readCounters(counters, at, drained);
    const to = finished.lookup(key);
    if (to !== 0) addCounters(host.view, to, drained);
    else if (!this.insert(finished, key, drained)) this.dropped(drained);
  }
}
