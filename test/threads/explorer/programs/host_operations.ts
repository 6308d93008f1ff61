/** Operations that are not about one key: maps that come and go, sections, blocks, and several operations as one. */
import type { Call } from "../calls.mjs";
import { failed, found } from "../model.ts";
import { createCalls, NEW_PATH, type World } from "../world.ts";
import { concatenated, type Operation, outcomesOf } from "./operation.ts";
import { decodeValue, encodeKey, encodeValue, plain, type Shape, type Value } from "./shapes.ts";

const PRESENT = 1;

export class HostOperations {
  protected readonly world: World;
  protected readonly cpu: number;
  protected readonly table: number;
  protected readonly shape: Shape;

  constructor(world: World, cpu: number, table: number, shape: Shape) {
    this.world = world;
    this.cpu = cpu;
    this.table = table;
    this.shape = shape;
  }

  /** Zeroed memory. */
  protected room(bytes: number): number {
    const at = this.world.scratch[this.cpu].take(bytes);
    this.world.bytes.fill(0, at, at + bytes);
    return at;
  }

  protected put(bytes: Uint8Array): number {
    return this.world.write(this.world.scratch[this.cpu].take(bytes.length + 8), bytes);
  }

  protected putAll(parts: readonly Uint8Array[]): number {
    return this.put(Uint8Array.from(parts.flatMap((part) => [...part])));
  }

  protected key(key: number): number {
    return this.put(encodeKey(this.shape, key));
  }

  protected value(value: Value): number {
    return this.put(encodeValue(this.shape, value));
  }

  protected number(number: number): number {
    return this.put(new Uint8Array(new BigInt64Array([BigInt(number)]).buffer));
  }

  protected valueAt(world: World, at: number): Value {
    return decodeValue(this.shape, world.bytes.slice(at, at + this.shape.valueSize));
  }

  /** A section around operations. */
  inSection(operations: readonly Operation[]): Operation {
    const [enter, leave] = ["enterSection", "leaveSection"].map((name) =>
      this.calls(name, [{ name, args: [] }]),
    );
    const name = `section(${operations.map(({ name }) => name)})`;
    return this.sequence(name, [enter, ...operations, leave]);
  }

  /** Operations one after the other, as one. */
  sequence(name: string, operations: readonly Operation[]): Operation {
    return {
      name,
      calls: concatenated(operations.map(({ calls }) => calls)),
      outcomes: (results, world) => outcomesOf(operations, results, world).flat(),
      parts: operations.flatMap(({ parts }) => parts),
    };
  }

  /** Makes a map and a path to it, uses it, and lets go. */
  createMap(shape: Shape): Operation {
    const path = this.world.writePath(this.room(16), NEW_PATH);
    const key = this.put(encodeKey(shape, 1));
    const value = this.put(encodeValue(shape, plain(shape, 1)));
    const table = { resultOf: 1 };
    return this.calls(`create(${shape.name})`, [
      ...createCalls(shape),
      { name: "pinTable", args: [table, path, NEW_PATH.length] },
      shape.array
        ? { name: "arraySet", args: [table, 1, value, 0] }
        : { name: "update", args: [table, key, value, 0] },
      { name: "dropTable", args: [table] },
      { name: "holdPinned", args: [path, NEW_PATH.length] },
      { name: "unpinTable", args: [path, NEW_PATH.length] },
      { name: "dropTable", args: [{ resultOf: createCalls(shape).length + 3 }] },
    ]);
  }

  /** Makes a map and keeps it open. */
  keepMap(shape: Shape): Operation {
    return this.calls(`create(${shape.name}), keep`, createCalls(shape));
  }

  /** Clears up behind a thread that is gone. */
  reap(cpu: number): Operation {
    return this.calls(`reap(${cpu})`, [{ name: "reap", args: [cpu] }]);
  }

  /** Takes the map's own path away, so that it is destroyed. */
  destroyMap(): Operation {
    const path = this.world.writePath(this.room(16));
    return this.calls("destroy()", [{ name: "unpinTable", args: [path, 1] }]);
  }

  /** Opens the map by its path, uses it, and lets go. */
  openMap(key: number, number: number): Operation {
    const path = this.world.writePath(this.room(16));
    const table = { resultOf: 0 };
    const [at, out] = [this.key(key), this.room(this.shape.valueSize + 8)];
    const calls = [
      { name: "holdPinned", args: [path, 1] },
      { name: "update", args: [table, at, this.value(plain(this.shape, number)), 0] },
      { name: "fetch", args: [table, at, out, 0] },
      { name: "dropTable", args: [table] },
    ];
    return {
      ...this.calls("open, set, get, close", calls),
      outcomes: (results, world) => {
        if (results[0] === 0) return ["absent"];
        return [`${results[1]} ${results[2] === PRESENT ? found(this.valueAt(world, out)) : "absent"}`];
      },
    };
  }

  /** Waits for the sections that are open. */
  synchronize(): Operation {
    return {
      ...this.calls("synchronize()", [{ name: "synchronize", args: [] }]),
      outcomes: (results) => [failed(results[0])],
    };
  }

  /** Blocks of the slot. */
  blocks(): Operation {
    return this.calls("allocate, release", [
      { name: "allocate", args: [5000] },
      { name: "allocate", args: [64] },
      { name: "allocate", args: [700] },
      { name: "release", args: [{ resultOf: 0 }, 5000] },
      { name: "release", args: [{ resultOf: 2 }, 700] },
    ]);
  }

  /** Calls that leave the map as it is. */
  protected calls(name: string, calls: readonly Call[]): Operation {
    return { name, calls, outcomes: () => [], parts: [] };
  }
}
