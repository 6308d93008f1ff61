/** Operations on one map by one slot, as data (operation.ts). */
import {
  CURSOR_BYTES,
  ENOMEM,
  ERRNO_LIMIT,
  SCALAR_U53,
  SCALAR_U64,
  TABLE_LANE,
} from "../../../../src/generated/abi.js";
import type { Argument, Call } from "../calls.mjs";
import { failed, found, type Model, type Outcome } from "../model.ts";
import type { World } from "../world.ts";
import { HostOperations } from "./host_operations.ts";
import type { Operation, Part } from "./operation.ts";
import { decodeKey, encodeKey, encodeValue, ORIGIN, plain, TTL } from "./shapes.ts";

const ABSENT = 0;
const PRESENT = 1;
/** Half a segment of an array, with what the core keeps in front of a block. */
const BLOCK_BYTES = 32768 - 64;
const SCAN_ROOM = 16;

export class Operations extends HostOperations {
  #operation(
    name: string,
    call: Call,
    outcome: (result: number, world: World) => Outcome,
    part: Part,
  ): Operation {
    return {
      name,
      calls: [call],
      outcomes: (results, world) => [outcome(results[0], world)],
      parts: [part],
    };
  }

  #call(name: string, ...args: Argument[]): Call {
    return { name, args: [this.table, ...args] };
  }

  /** Where a word of a value is in the table: the slots of per-CPU values lie apart. */
  #wordAt(word: number): number {
    const lane = this.shape.perCpu ? this.world.words[(this.table + TABLE_LANE) >>> 2] : 0;
    return word * (lane || 8);
  }

  /** `flags`: 1 only if absent, 2 only if present, 4 under the spin lock. */
  set(key: number, number: number, flags = 0): Operation {
    const value = plain(this.shape, number);
    const at = this.value(value);
    const call = this.shape.array
      ? this.#call("arraySet", key, at, flags)
      : this.#call("update", this.key(key), at, flags);
    return this.#operation(`set(${key}, ${number})`, call, failed, (model) =>
      model.set(key, value, flags & 3),
    );
  }

  setNumber(key: number, number: number): Operation {
    return this.#operation(
      `setNumber(${key}, ${number})`,
      this.#call("setNumber4", key, number, SCALAR_U53),
      failed,
      (model) => model.set(key, [number]),
    );
  }

  /** `flags`: 4 under the spin lock. */
  get(key: number, flags = 0): Operation {
    const out = this.room(this.shape.valueSize + 8);
    const call = this.shape.array
      ? this.#call("arrayGet", key, out, flags)
      : this.#call("fetch", this.key(key), out, flags);
    const outcome = (result: number, world: World) => {
      if (result === PRESENT) return found(this.valueAt(world, out));
      return result === ABSENT ? found(undefined) : failed(result);
    };
    return this.#operation(`get(${key})`, call, outcome, (model) => model.get(key));
  }

  remove(key: number): Operation {
    const { keySize, texts } = this.shape;
    const call =
      keySize === 4
        ? this.#call("remove4", key)
        : this.#call(texts ? "removeText" : "removeAny", this.key(key));
    return this.#operation(`delete(${key})`, call, failed, (model) => model.remove(key));
  }

  take(key: number): Operation {
    const out = this.room(this.shape.valueSize + 8);
    const outcome = (result: number, world: World) =>
      result === 0 ? found(this.valueAt(world, out)) : result === 2 ? found(undefined) : failed(result);
    return this.#operation(`take(${key})`, this.#call("take", this.key(key), out), outcome, (model) =>
      model.take(key),
    );
  }

  #adding(name: string, key: number, delta: number, word: number): Operation {
    const out = this.room(8);
    const { array, lockOffset } = this.shape;
    const offset = this.#wordAt(word) + (lockOffset !== undefined && lockOffset <= word * 8 ? 4 : 0);
    const call = this.#call(
      array ? "arrayAdd" : name,
      array ? key : this.key(key),
      this.number(delta),
      SCALAR_U64,
      offset,
      out,
    );
    const outcome = (result: number, world: World) =>
      result === 0 ? `sum ${world.words[out >>> 2]}` : failed(result);
    return this.#operation(`${name}(${key}, ${delta})`, call, outcome, (model) =>
      model.add(key, delta, word),
    );
  }

  add(key: number, delta: number): Operation {
    return this.#adding("add", key, delta, 0);
  }

  /** To the word of this CPU. An absent key is first inserted with zeros, and others may see that. */
  localAdd(key: number, delta: number): Operation {
    return this.#behindZeros(key, this.#adding("localAdd", key, delta, this.cpu));
  }

  localWrite(key: number, number: number): Operation {
    const word = this.cpu;
    const call = this.#call("localWrite", this.key(key), this.#wordAt(word), 8, this.number(number), 0);
    const operation = this.#operation(`localWrite(${key}, ${number})`, call, failed, (model) =>
      model.write(key, number, word),
    );
    return this.#behindZeros(key, operation);
  }

  #behindZeros(key: number, operation: Operation): Operation {
    const zeros = (model: Model) =>
      model.entries.has(key) ? failed(0) : model.set(key, plain(this.shape, 0));
    return {
      ...operation,
      outcomes: (results, world) => {
        const [outcome] = operation.outcomes(results, world);
        return outcome.startsWith("errno") ? [outcome] : [failed(0), outcome];
      },
      parts: [zeros, ...operation.parts],
    };
  }

  /** Reads the word of this CPU. */
  localRead(key: number): Operation {
    const word = this.cpu;
    const out = this.room(8);
    const outcome = (result: number, world: World) =>
      result === PRESENT ? `word ${world.words[out >>> 2]}` : result === ABSENT ? "absent" : failed(result);
    return this.#operation(
      `localRead(${key})`,
      this.#call("localRead", this.key(key), this.#wordAt(word), 8, out),
      outcome,
      (model) => {
        const value = model.entries.get(key);
        return value ? `word ${value[word]}` : "absent";
      },
    );
  }

  setMaxEntries(limit: number): Operation {
    return this.#operation(`setMaxEntries(${limit})`, this.#call("setMaxEntries", limit), failed, (model) =>
      model.grow(limit),
    );
  }

  /** Growth of an array for which there are bytes enough, but no room for a segment of 64 KiB: what it took goes back. */
  growWithoutRoom(limit: number): Operation {
    const blocks = Array.from({ length: 40 }, () => ({ name: "allocate", args: [BLOCK_BYTES] }));
    const release = (i: number): Call => ({ name: "release", args: [{ resultOf: i }, BLOCK_BYTES] });
    const calls = [
      ...blocks,
      ...blocks.flatMap((_, i) => (i % 2 === 0 ? [release(i)] : [])),
      { name: "bytesInUse", args: [] },
      this.#call("setMaxEntries", limit),
      { name: "bytesInUse", args: [] },
      ...blocks.flatMap((_, i) => (i % 2 === 1 ? [release(i)] : [])),
    ];
    return {
      name: `growWithoutRoom(${limit})`,
      calls,
      outcomes: (results) => {
        const [before, errno, after] = Array.from({ length: 3 }, (_, i) => results[1.5 * blocks.length + i]);
        return [`${failed(errno)}, ${after - before} bytes more`];
      },
      parts: [() => `${failed(ENOMEM)}, 0 bytes more`],
    };
  }

  /** Gives the map a low-water mark. */
  setLowWater(free: number): Operation {
    return this.#operation(`setLowWater(${free})`, this.#call("setLowWater", free), failed, (model) => {
      model.free = free;
      return failed(0);
    });
  }

  /** This thread has a hook from now on. */
  hookLowWater(): Operation {
    return this.calls("hookLowWater()", [{ name: "hookLowWater", args: [1] }]);
  }

  /** An insert that is told of the mark; with `passes`, by who has been told. */
  setAtMark(key: number, number: number, passes = false): Operation {
    const value = plain(this.shape, number);
    const insert = this.#call("update", this.key(key), this.value(value), 0);
    const pass = (table: number): Call => ({ name: "passLowWater", args: [table, this.shape.maxEntries] });
    return {
      name: `setAtMark(${key}, ${number}${passes ? ", passes" : ""})`,
      calls: passes ? [pass(this.table), insert, pass(0)] : [insert],
      outcomes: (results) => [failed(results[passes ? 1 : 0])],
      parts: [(model) => model.setAtMark(key, value, passes)],
    };
  }

  /** A batch: `parts` one by one, until the first that fails. */
  #batch(name: string, call: Call, stage: number, parts: readonly Part[], stageErrno: number): Operation {
    return {
      name,
      calls: [call],
      outcomes: (results, world) => {
        const outcomes = new Array<Outcome>(results[0]).fill(failed(0));
        const errno = world.words[(stage + stageErrno) >>> 2];
        return errno === 0 ? outcomes : [...outcomes, failed(errno)];
      },
      parts,
    };
  }

  #many(
    name: string,
    label: string,
    keys: readonly number[],
    values: Argument[],
    parts: readonly Part[],
  ): Operation {
    const exports = this.world.cores[this.cpu] as unknown as Record<string, WebAssembly.Global>;
    const stage = this.room(exports.STAGE_BYTES.value);
    const packed = this.putAll(keys.map((key) => encodeKey(this.shape, key)));
    const call = this.shape.array
      ? this.#call(`array${name[0].toUpperCase()}${name.slice(1)}`, packed, keys.length, ...values, stage)
      : this.#call(name, stage, packed, keys.length, ...values, ...(name === "updateMany" ? [0] : []));
    return this.#batch(`${label}(${keys})`, call, stage, parts, exports.STAGE_ERRNO.value);
  }

  updateMany(keys: readonly number[], number: number): Operation {
    const value = plain(this.shape, number);
    const packed = this.putAll(keys.map(() => encodeValue(this.shape, value)));
    const parts = keys.map((key) => (model: Model) => model.set(key, value));
    return this.#many("updateMany", "updateBatch", keys, [packed], parts);
  }

  removeMany(keys: readonly number[]): Operation {
    const parts = keys.map((key) => (model: Model) => model.remove(key));
    return this.#many("removeMany", "deleteBatch", keys, [], parts);
  }

  addMany(keys: readonly number[], delta: number): Operation {
    return this.#addingMany("addMany", keys, delta, 0);
  }

  /** To the words of this CPU. */
  localAddMany(keys: readonly number[], delta: number): Operation {
    return this.#addingMany("localAddMany", keys, delta, this.cpu);
  }

  #addingMany(name: string, keys: readonly number[], delta: number, word: number): Operation {
    const packed = this.put(new Uint8Array(new BigUint64Array(keys.map(() => BigInt(delta))).buffer));
    const parts = keys.map((key) => (model: Model) => {
      const outcome = model.add(key, delta, word);
      return outcome.startsWith("sum") ? failed(0) : outcome;
    });
    return this.#many("addMany", name, keys, [packed, 8, this.#wordAt(word)], parts);
  }

  /** Moves the clock on, so that all expires that was written before. */
  tick(): Operation {
    return this.#operation("tick()", { name: "raiseClock", args: [ORIGIN + 2 * TTL] }, failed, (model) => {
      model.entries.clear();
      return failed(0);
    });
  }

  sweep(buckets: number): Operation {
    return this.#operation(
      "sweep()",
      this.#call("sweepExpired", buckets),
      () => "ok",
      () => "ok",
    );
  }

  /** Each key is a lookup of its own. */
  lookupMany(keys: readonly number[]): Operation {
    const exports = this.world.cores[this.cpu] as unknown as Record<string, WebAssembly.Global>;
    const stage = this.room(exports.STAGE_BYTES.value);
    const packed = this.putAll(keys.map((key) => encodeKey(this.shape, key)));
    const values = this.room(keys.length * this.shape.valueSize + 8);
    const hits = this.room(keys.length);
    return {
      name: `lookupMany(${keys})`,
      calls: [this.#call("lookupMany", stage, packed, keys.length, values, hits)],
      outcomes: (_, world) =>
        keys.map((_, i) =>
          found(
            world.bytes[hits + i] === 0 ? undefined : this.valueAt(world, values + i * this.shape.valueSize),
          ),
        ),
      parts: keys.map((key) => (model: Model) => model.get(key)),
    };
  }

  /** `length`: of an array, when it has grown. */
  clear(length = this.shape.maxEntries): Operation {
    if (this.shape.array) {
      const zeros = plain(this.shape, 0);
      const parts = Array.from({ length }, (_, i) => (model: Model) => model.set(i, zeros));
      return { ...this.#operation("clear()", this.#call("arrayClear"), failed, parts[0]), parts };
    }
    return {
      ...this.#removing("clear()", [this.#call("clear")]),
      outcomes: (results) => [failed(results[0])],
    };
  }

  #removing(name: string, calls: readonly Call[]): Operation {
    return { name, calls, outcomes: () => [], parts: [], removesAll: true };
  }

  /** Calls of a cursor, and the entries that they give as text. */
  #cursor(name: string, calls: number): Pick<Operation, "calls" | "outcomes"> {
    const { keySize, valueSize } = this.shape;
    const cursor = this.room(CURSOR_BYTES + keySize + 8);
    const stride = SCAN_ROOM * (keySize + valueSize);
    const out = this.room(calls * stride + 16);
    const keys = (i: number) => out + i * stride;
    const values = (i: number) => keys(i) + SCAN_ROOM * keySize;
    const entry = (world: World, i: number, j: number) =>
      `${decodeKey(this.shape, world.bytes, keys(i) + j * keySize)}=${this.valueAt(world, values(i) + j * valueSize)}`;
    return {
      calls: Array.from({ length: calls }, (_, i) => this.#call(name, cursor, keys(i), values(i), SCAN_ROOM)),
      outcomes: (results, world) =>
        Array.from({ length: calls }, (_, i) =>
          Array.from({ length: results[i] }, (_, j) => entry(world, i, j)),
        ).flat(),
    };
  }

  /** Removes all entries in `calls` steps of a cursor. Its outcomes are the entries. */
  drain(calls: number): Operation {
    const cursor = this.#cursor("drain", calls);
    return { ...this.#removing("drain()", cursor.calls), outcomes: cursor.outcomes };
  }

  /** A scan in `calls` steps: not one change, so it has no parts. Its outcomes are the entries. */
  scan(calls: number): Operation {
    const cursor = this.#cursor("scan", calls);
    return { name: "scan()", calls: cursor.calls, outcomes: cursor.outcomes, parts: [] };
  }

  /** Takes the spin lock of a value, adds to its first word as JavaScript does, and lets go. */
  lockedAdd(key: number, delta: number): Operation {
    const address = { resultOf: 0, plus: this.shape.lockOffset === 0 ? 4 : 0 };
    const lock = this.shape.array
      ? this.#call("arrayLockValue", key)
      : this.#call("lockValue", this.key(key));
    return {
      name: `lockedAdd(${key}, ${delta})`,
      calls: [
        lock,
        { name: "addToWord", args: [address, delta] },
        // The handle comes second here so that an absent key leaves the call out.
        { name: "unlockValueAt", args: [{ resultOf: 0 }, this.table] },
      ],
      outcomes: ({ 0: value }) => [
        value >>> 0 < ERRNO_LIMIT ? (value === 0 ? "absent" : failed(value)) : "ok",
      ],
      parts: [
        (model) => {
          const value = model.entries.get(key);
          if (!value) return "absent";
          model.entries.set(
            key,
            value.map((number, i) => (i === 0 ? number + delta : number)),
          );
          return "ok";
        },
      ],
    };
  }

  /** Looks an entry up in a section, reads the value at the address, and looks it up again. */
  lookupInSection(key: number): Operation {
    const out = this.room(this.shape.valueSize + 8);
    const at = this.key(key);
    const calls = [
      { name: "enterSection", args: [] },
      this.#call("locate", at),
      { name: "copy", args: [{ resultOf: 1 }, this.shape.valueSize, out] },
      this.#call("locate", at),
      { name: "copy", args: [{ resultOf: 1 }, this.shape.valueSize, out] },
      { name: "leaveSection", args: [] },
    ];
    return {
      ...this.calls(`section(locate(${key}), read)`, calls),
      outcomes: (results, world) => {
        const [address, again] = [results[1] >>> 0, results[3] >>> 0];
        if (address === 0) return ["absent"];
        const place = again === 0 ? "gone" : again === address ? "same" : "moved";
        return [`${place} ${found(this.valueAt(world, out))}`];
      },
    };
  }
}
