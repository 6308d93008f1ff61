/**
 * What runs the programs of one object, or one program that was loaded by itself: an interpreter on the host's memory, records of runs,
 * and room for contexts and packets.
 *
 * @module
 */
import { noBlock } from "../core/memory/scratch.ts";
import type { Host } from "../host/host.ts";
import { Packet } from "./context/packet.ts";
import type { BoundMap } from "./helpers/bound_map.ts";
import { Execution, type Surroundings } from "./helpers/execution.ts";
import { Interpreter } from "./interpret/interpreter.ts";
import type { RunState } from "./interpret/run_state.ts";

/** Room for a context: as many bytes as the largest one of a program. */
interface Seat {
  readonly execution: Execution;
  readonly state: RunState;
  readonly packet: Packet;
  readonly contextBytes: number;
}

export type { Seat };

export class Machine implements Surroundings {
  readonly host: Host;
  readonly interpreter: Interpreter;
  readonly maps = new Map<number, BoundMap>();
  /** Who is told what programs print. */
  listener: ((line: string) => void) | undefined;
  /** Those that no run uses: a program may run another one, through a hook. */
  readonly #free: Seat[] = [];
  #random: number;

  constructor(host: Host) {
    this.host = host;
    this.interpreter = new Interpreter(host);
    // The secrets come from the host's seed, and none of them is to be found in what programs get.
    const secrets = host.core.SECRETS_ADDRESS.value;
    this.#random = mixed(host.word(secrets) ^ Math.imul(host.word(secrets + 8), 0x9e3779b1)) | 1;
  }

  add(map: BoundMap): BoundMap {
    this.maps.set(map.table.handle, map);
    return map;
  }

  trace(line: string): void {
    this.listener?.(line);
  }

  /** Marsaglia's xorshift of 32 bits. */
  random(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return mixed(x) >>> 0;
  }

  /** Room for one run, with a context of so many bytes. Throws ENOMEM. */
  take(contextBytes: number): Seat {
    const at = this.#free.findIndex((seat) => seat.contextBytes >= contextBytes);
    return at < 0 ? this.#open(contextBytes) : this.#free.splice(at, 1)[0];
  }

  give(seat: Seat): void {
    this.#free.push(seat);
  }

  /** Gives all memory and all maps back. No run may be under way. */
  close(): void {
    if (!this.host.closed) {
      for (const { state, packet, execution, contextBytes } of this.#free) {
        this.interpreter.close(state);
        packet.release();
        this.host.release(execution.context, contextBytes);
      }
    }
    this.#free.length = 0;
    for (const { map } of this.maps.values()) map.close();
    this.maps.clear();
  }

  #open(wanted: number): Seat {
    const { host, interpreter } = this;
    const contextBytes = Math.max(64, wanted);
    const context = host.allocate(contextBytes);
    if (context === 0) throw noBlock(host, "program", "the host");
    try {
      const execution = new Execution(this, (call) => {
        const state = interpreter.open((_state, number) => call(number));
        if (state === undefined) throw noBlock(host, "program", "the host");
        return state;
      });
      execution.context = context;
      return { execution, state: execution.state, packet: new Packet(host), contextBytes };
    } catch (error) {
      host.release(context, contextBytes);
      throw error;
    }
  }
}

/** MurmurHash3's finalizer. */
function mixed(word: number): number {
  let h = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
