// Memory in which programs are run to see whether they stay where the verifier says: windows that they may touch, with gaps between them,
// in which everything is an escape. Helpers are played, and look at their arguments as closely.

import type { VerifiedMap } from "../../../src/ebpf/verify/program.ts";
import type { Verified } from "../../../src/ebpf/verify/verify.ts";
import { Random } from "../../../src/testing/random.ts";
import type { Machine, Memory } from "../support/reference.ts";

/** Something happened that the verifier has ruled out. */
export class Escape extends Error {}
/** A check that the verifier has asked for has stopped the program. */
export class Trapped extends Error {}

interface Window {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly isWritable: boolean;
  /** Of values: their map. */
  readonly map?: VerifiedMap;
}

const FRAME_TOP = 0x4000;
const CONTEXT = 0x6000;
const CONTEXT_BYTES = 192;
const PACKET_AREAS = [0x8000, 0x9000, 0xa000, 0xb000];
const VALUES = 0x10000;
const RECORDS = 0x20000;
const BYTES = 0x30000;
const GAP = 64;
const VALUES_OF_MAP = 3;
/** Handles of maps, and where functions begin, as no address is. */
const MAPS = 0x7000_0000;
const FUNCTIONS = 0x6000_0000;

const PACKET_FIELDS: Readonly<Record<string, readonly [data: number, end: number, meta: number]>> = {
  xdp: [0, 4, 8],
  tc: [76, 80, 140],
  cgroup_skb: [76, 80, -1],
};

/** What is in memory that nobody has written. */
const NOISE = new Uint8Array(2 * BYTES).map(
  (
    (random) => () =>
      random.next()
  )(new Random(1)),
);

export class Arena implements Memory {
  readonly #bytes = new Uint8Array(BYTES);
  readonly #maps: readonly VerifiedMap[];
  readonly #verified: Verified;
  readonly #random: Random;
  readonly #type: string;
  readonly #packetLength: number;
  readonly #values = new Map<VerifiedMap, Window[]>();
  readonly #keys = new Map<VerifiedMap, Window[]>();
  readonly #records: Window[] = [];
  #packetArea = 0;
  #headroom = 16;
  #metadata = 4;
  #lock = 0;
  #machine: Machine | undefined;

  constructor(
    verified: Verified,
    maps: readonly VerifiedMap[],
    type: string,
    packetLength: number,
    random: Random,
  ) {
    this.#verified = verified;
    this.#maps = maps;
    this.#type = type;
    this.#random = random;
    this.#packetLength = packetLength;
    this.#bytes.set(NOISE.subarray(random.below(BYTES)).subarray(0, BYTES));
    const words = new DataView(this.#bytes.buffer);
    for (let at = CONTEXT; at < CONTEXT + CONTEXT_BYTES; at += 4) {
      if (random.chance(70)) words.setUint32(at, random.below(80), true);
    }
    let at = VALUES;
    const place = (kind: string, map: VerifiedMap, size: number, isWritable: boolean): Window => {
      const window = { kind, from: at, to: at + size, isWritable, map };
      at = (at + size + GAP + 7) & ~7;
      return window;
    };
    for (const map of maps) {
      const count = map.frozen === undefined ? VALUES_OF_MAP : 1;
      this.#values.set(
        map,
        Array.from({ length: count }, () => place("value", map, map.valueSize, map.writable)),
      );
      this.#keys.set(
        map,
        Array.from({ length: VALUES_OF_MAP }, () => place("key", map, map.keySize, false)),
      );
      if (map.frozen !== undefined) this.#bytes.set(map.frozen, this.#values.get(map)![0].from);
    }
    this.#movePacket();
  }

  start(machine: Machine): void {
    this.#machine = machine;
  }

  static readonly frameTop = FRAME_TOP;
  static readonly context = CONTEXT;

  handleOf(map: VerifiedMap): bigint {
    return BigInt(MAPS + this.#maps.indexOf(map));
  }

  functionAt(entry: number): bigint {
    return BigInt(FUNCTIONS + entry);
  }

  dataOf(map: VerifiedMap, offset: number): bigint {
    return BigInt(this.#values.get(map)![0].from + offset);
  }

  /** What must be so when a program has ended. */
  finish(): void {
    if (this.#lock !== 0) throw new Escape("a lock is held at the end");
    if (this.#records.length > 0) throw new Escape("a record is neither submitted nor discarded at the end");
  }

  load(address: number, bytes: number): bigint {
    this.#access(address, bytes, false);
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[address + i]);
    return value;
  }

  store(address: number, bytes: number, value: bigint): void {
    this.#access(address, bytes, true);
    for (let i = 0; i < bytes; i++) this.#bytes[address + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }

  #access(address: number, bytes: number, isStore: boolean): void {
    const plan = this.#verified.accesses.get(this.#machine!.slot);
    const what = `${isStore ? "store" : "load"} of ${bytes} bytes at 0x${address.toString(16)}`;
    if (plan === undefined) throw new Escape(`${what} by an instruction that is never reached`);
    const window = this.#windowOf(address, bytes);
    const isRight =
      window !== undefined &&
      (plan.kind === "mixed" ? !(isStore && window.kind === "stack") : plan.kind === window.kind);
    // A check would have stopped it unless this is the window of its own register, which is not known here.
    const fail = (why: string): Error => (plan.proven ? new Escape(`${what}, ${why}`) : new Trapped(what));
    if (window === undefined || !isRight) throw fail(`proven for ${plan.kind}`);
    if (isStore && !window.isWritable) throw fail("which is only read");
    const { map } = window;
    const at = address - window.from;
    const meets = (offset: number | undefined, size: number): boolean =>
      window.kind === "value" && offset !== undefined && at < offset + size && at + bytes > offset;
    if (meets(map?.lockOffset, 4) || meets(map?.timerOffset, 16)) throw fail("in a lock or timer");
  }

  #windowOf(address: number, bytes: number): Window | undefined {
    for (const window of this.#windows()) {
      if (address >= window.from && address + bytes <= window.to) return window;
    }
    return undefined;
  }

  *#windows(): Generator<Window> {
    const frame = Number(this.#machine!.registers[10]);
    yield { kind: "stack", from: frame - 512, to: FRAME_TOP, isWritable: true };
    yield {
      kind: this.#type === "raw" ? "memory" : "context",
      from: CONTEXT,
      to: CONTEXT + CONTEXT_BYTES,
      isWritable: true,
    };
    yield* this.#packetWindows();
    for (const windows of this.#values.values()) yield* windows;
    for (const windows of this.#keys.values()) yield* windows;
    yield* this.#records;
  }

  #packetWindows(): Window[] {
    const start = PACKET_AREAS[this.#packetArea] + this.#headroom;
    const isWritable = this.#type === "xdp" || this.#type === "tc";
    return [
      { kind: "packet", from: start, to: start + this.#packetLength, isWritable },
      { kind: "packet_meta", from: start - this.#metadata, to: start, isWritable },
    ];
  }

  /** The packet goes elsewhere: who points where it was points to nothing. */
  #movePacket(): void {
    this.#packetArea = (this.#packetArea + 1) % PACKET_AREAS.length;
    this.#headroom = 8 * this.#random.below(4);
    this.#metadata = Math.min(this.#headroom, 4 * this.#random.below(4));
    const fields = PACKET_FIELDS[this.#type];
    if (fields === undefined) return;
    const [packet] = this.#packetWindows();
    const view = new DataView(this.#bytes.buffer);
    [packet.from, packet.to, packet.from - this.#metadata].forEach((address, k) => {
      if (fields[k] >= 0) view.setUint32(CONTEXT + fields[k], address, true);
    });
  }

  /** A helper. `callback` runs a function of the program. */
  call(id: number, callback: (entry: number, given: readonly bigint[]) => bigint): bigint {
    const { registers: r } = this.#machine!;
    if (this.#lock !== 0 && id !== 94) throw new Escape(`helper ${id} while a lock is held`);
    if (!this.#verified.calls.has(this.#machine!.slot)) throw new Escape("a call that is never reached");
    const any = (): bigint => (BigInt(this.#random.next()) << 32n) | BigInt(this.#random.next());
    switch (id) {
      case 1:
      case 195: {
        const map = this.#map(1);
        this.#argument(2, map.keySize, false);
        return this.#lookedUp(map);
      }
      case 2:
        this.#argument(2, this.#map(1).keySize, false);
        this.#argument(3, this.#map(1).valueSize, false);
        return 0n;
      case 3:
        this.#argument(2, this.#map(1).keySize, false);
        return 0n;
      case 87:
        this.#argument(2, this.#map(1).valueSize, false);
        return 0n;
      case 88:
      case 89:
        this.#argument(2, this.#map(1).valueSize, true);
        return 0n;
      case 6:
        this.#sized(1, false);
        return 0n;
      case 28:
        this.#sized(1, false);
        this.#sized(3, false);
        return 0n;
      case 26:
        this.#sized(3, true);
        return 0n;
      case 189:
        this.#sized(3, true);
        return 0n;
      case 112:
      case 113:
        this.#sized(1, true);
        return 0n;
      case 127:
      case 130:
        this.#sized(2, false);
        return 0n;
      case 131:
        this.#map(1);
        return this.#reserved(Number(r[2]));
      case 132:
      case 133:
        this.#release(Number(r[1]));
        return 0n;
      case 93:
        this.#takeLock(Number(r[1]));
        return 0n;
      case 94:
        this.#giveLock(Number(r[1]));
        return 0n;
      case 9:
        this.#sized(3, false);
        this.#movePacket();
        return 0n;
      case 12:
        this.#map(2);
        this.#movePacket();
        return any();
      case 39:
      case 44:
      case 54:
      case 65:
        this.#movePacket();
        return 0n;
      case 164: {
        const map = this.#map(1);
        const [entry, context] = [this.#function(2), r[3]];
        this.#values.get(map)!.forEach((value, k) => {
          const key = this.#keys.get(map)![k];
          this.#stop(callback(entry, [this.handleOf(map), BigInt(key.from), BigInt(value.from), context]));
        });
        return BigInt(VALUES_OF_MAP);
      }
      case 181: {
        const [entry, context] = [this.#function(2), r[3]];
        const rounds = Math.min(4, Number(r[1] & 0xffff_ffffn));
        for (let k = 0; k < rounds; k++) if (this.#stop(callback(entry, [BigInt(k), context]))) break;
        return BigInt(rounds);
      }
    }
    return [7, 8, 34].includes(id) ? BigInt(this.#random.next()) : any();
  }

  #stop(result: bigint): boolean {
    if (result > 1n) throw new Escape(`a callback returns ${result}`);
    return result === 1n;
  }

  #map(register: number): VerifiedMap {
    const handle = Number(this.#machine!.registers[register]) - MAPS;
    const map = this.#maps[handle];
    if (map === undefined) throw new Escape(`R${register} is no map`);
    return map;
  }

  #function(register: number): number {
    const entry = Number(this.#machine!.registers[register]) - FUNCTIONS;
    if (!Number.isInteger(entry) || entry < 0 || entry > 0xffff)
      throw new Escape(`R${register} is no function`);
    return entry;
  }

  #lookedUp(map: VerifiedMap): bigint {
    if (this.#random.chance(25)) return 0n;
    if (map.inner !== undefined) return this.handleOf(map.inner);
    return BigInt(
      this.#values.get(map)![this.#random.below(VALUES_OF_MAP) % this.#values.get(map)!.length].from,
    );
  }

  #sized(register: number, isStore: boolean): void {
    const size = this.#machine!.registers[register + 1];
    if (size > 0xffff_ffffn) throw new Escape(`R${register + 1} is no size: ${size}`);
    this.#argument(register, Number(size), isStore);
  }

  #argument(register: number, bytes: number, isStore: boolean): void {
    if (bytes === 0) return;
    const { slot, registers } = this.#machine!;
    const isChecked = this.#verified.calls.get(slot)!.checks.some((check) => check.register === register);
    const address = Number(BigInt.asUintN(32, registers[register]));
    const window = this.#windowOf(address, bytes);
    const what = `R${register} points to ${bytes} bytes at 0x${address.toString(16)}`;
    const fail = (why: string): Error => (isChecked ? new Trapped(what) : new Escape(`${what}${why}`));
    if (window === undefined) throw fail("");
    if (!isStore) return;
    if (window.kind === "stack" && isChecked) throw new Trapped(what);
    if (!window.isWritable) throw fail(", which are only read");
    const lock = window.map?.lockOffset;
    const at = address - window.from;
    if (window.kind === "value" && lock !== undefined && at < lock + 4 && at + bytes > lock)
      throw fail(", a lock among them");
    for (let k = 0; k < bytes; k++) this.#bytes[address + k] = this.#random.next();
  }

  #reserved(size: number): bigint {
    if (this.#random.chance(25)) return 0n;
    const from = RECORDS + this.#records.length * 0x400;
    this.#records.push({ kind: "record", from, to: from + size, isWritable: true });
    return BigInt(from);
  }

  #release(address: number): void {
    const at = this.#records.findIndex(({ from }) => from === address);
    if (at < 0) throw new Escape(`0x${address.toString(16)} is no record`);
    this.#records.splice(at, 1);
  }

  #takeLock(address: number): void {
    const window = this.#windowOf(address, 4);
    const offset = window?.map?.lockOffset;
    if (offset === undefined || window!.from + offset !== address) throw new Escape("no lock is there");
    this.#lock = address;
  }

  #giveLock(address: number): void {
    if (this.#lock !== address) throw new Escape("another lock is given back than was taken");
    this.#lock = 0;
  }
}
