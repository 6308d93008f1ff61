/** Replays operations on two sides and compares everything that they answer. */
import { byteString, equalBytes, showBytes, valueBytes } from "../../src/testing/bytes.ts";
import { Mismatch } from "../../src/testing/divergence.ts";
import { batchCall, batchRoom, createCall, elementCall, infoCall, plainCall, writeOne } from "./call.ts";
import {
  BATCH,
  CMD,
  E,
  ELEMENT,
  FLAG,
  HASH_TYPES,
  INFO,
  LRU_TYPES,
  PERCPU_TYPES,
  showResult,
} from "./commands.ts";
import { Comparison, type Outcome } from "./comparison.ts";
import { Contents } from "./contents.ts";
import { Evictions, type Written } from "./evictions.ts";
import { FreeOrder } from "./free_order.ts";
import type { Batch, Create, Element, Info, Open, Operation } from "./operations.ts";
import { type Syscalls, writeAddress } from "./syscalls.ts";
import { BAD_FDS, CURSOR_BYTES, type MapState, NO_MAP, type Slot, World } from "./world.ts";

const NO_FDS = BAD_FDS.map((fd): Slot => ({ fds: [fd, fd], map: NO_MAP, mode: 0, open: false }));
/** One of this many steps, the whole memory is compared with what it must hold. */
const MEMORY_CHECK_STEPS = 2000;

export class Differential {
  readonly world = new World();
  readonly #compare: Comparison;
  readonly #contents: Contents;
  readonly #free: FreeOrder;
  readonly #evictions: Evictions;
  readonly #cpus: number;
  #steps = 0;

  /** @param cpus possible CPUs: slots of a per-CPU value */
  constructor(reference: Syscalls, subject: Syscalls, cpus: number) {
    this.#compare = new Comparison([reference, subject]);
    this.#contents = new Contents(this.#compare.sides);
    this.#free = new FreeOrder(this.#compare, this.#contents, this.world);
    this.#evictions = new Evictions(this.#compare, this.#contents, this.world);
    this.#cpus = cpus;
  }

  /** @throws Mismatch */
  step(operation: Operation): void {
    if (++this.#steps % MEMORY_CHECK_STEPS === 0) this.#compare.checkMemory();
    switch (operation.kind) {
      case "create":
        this.#create(operation);
        break;
      case "open":
        this.#open(operation);
        break;
      case "close":
        this.#close(operation.slot);
        break;
      case "element":
        this.#element(operation);
        break;
      case "batch":
        this.#batch(operation);
        break;
      case "info":
        this.#info(operation);
        break;
      case "walk": {
        const slot = this.world.slots[operation.slot];
        if (slot !== undefined && this.world.readable(slot))
          this.#contents.compare(slot, operation.by, operation.count);
        break;
      }
      case "freeze": {
        const slot = this.#slot(operation.slot);
        if (slot === undefined) break;
        const call = plainCall(this.#compare.sides, operation);
        const { results } = this.#compare.exact(call, operation.cmd, ELEMENT.fd, slot);
        if (results[0] === 0) slot.map.frozen = true;
        break;
      }
      case "unknown":
        this.#compare.exact(plainCall(this.#compare.sides, operation), operation.cmd, -1, NO_FDS[0]!);
        break;
    }
  }

  /** Compares all that is left and closes everything. */
  finish(): void {
    for (const slot of this.world.slots) {
      if (slot !== undefined && this.world.readable(slot))
        this.#contents.compare(slot, "batch", slot.map.maxEntries + 1);
    }
    this.#compare.checkMemory();
    this.closeAll();
    for (const side of this.#compare.sides) {
      const left = side.leftOver();
      if (left !== undefined) throw new Mismatch("nothing left over", `${side.name}: ${left}`);
    }
  }

  closeAll(): void {
    for (let i = 0; i < this.world.slots.length; i++) this.#close(i);
  }

  /** The slot of an operation; undefined when a shrunk sequence no longer fills it. */
  #slot(index: number): Slot | undefined {
    return index < 0 ? NO_FDS[-1 - index] : this.world.slots[index];
  }

  #create(operation: Create): void {
    if (this.world.slots[operation.slot]?.open) return;
    const call = createCall(this.#compare.sides, operation);
    const { results, attrs } = this.#compare.run(call, CMD.MAP_CREATE, -1, NO_FDS[0]!);
    const fds = this.#newFds(results, attrs);
    if (fds === undefined) return;
    const field = (offset: number): number => operation.fields.find(([at]) => at === offset)?.[1] ?? 0;
    const [type, keySize, valueSize, asked] = [field(0), field(4), field(8), field(12)];
    const perCpu = PERCPU_TYPES.includes(type);
    const lru = LRU_TYPES.includes(type);
    const flags = operation.size >= 20 ? field(16) : 0;
    const mode = flags & (FLAG.RDONLY | FLAG.WRONLY);
    if (this.#isBlind(lru, mode, fds)) return;
    const perList = (flags & FLAG.NO_COMMON_LRU) !== 0;
    const maxEntries = perList ? Math.ceil(asked / this.#cpus) * this.#cpus : asked;
    const map: MapState = {
      hash: HASH_TYPES.includes(type),
      lru,
      type,
      keySize,
      valueSize,
      stride: perCpu ? Math.ceil(valueSize / 8) * 8 * this.#cpus : valueSize,
      maxEntries,
      entries: new Map(),
      ids: this.#contents.ids(fds),
      handles: 0,
      frozen: false,
      insert: 80,
    };
    this.world.opened(operation.slot, { fds, map, mode, open: true });
  }

  /** Through a descriptor that cannot read nobody sees what an update evicts: it is closed again. */
  #isBlind(lru: boolean, mode: number, fds: readonly [number, number]): boolean {
    const blind = lru && mode === FLAG.WRONLY;
    if (blind) for (const i of [0, 1] as const) this.#compare.sides[i].close(fds[i]);
    return blind;
  }

  /** Both sides must have answered the same error, or a descriptor each. */
  #newFds(results: Outcome["results"], attrs: Outcome["attrs"]): readonly [number, number] | undefined {
    if (results[0] >= 0 !== results[1] >= 0 || (results[0] < 0 && results[0] !== results[1])) {
      for (const i of [0, 1] as const) if (results[i] >= 0) this.#compare.sides[i].close(results[i]);
      const show = (result: number): string => (result >= 0 ? "a descriptor" : showResult(result));
      throw new Mismatch(show(results[0]), show(results[1]));
    }
    this.#compare.sameAttr(attrs);
    return results[0] < 0 ? undefined : results;
  }

  #open(operation: Open): void {
    const from = this.world.slots[operation.from];
    if (from === undefined || !from.open || this.world.slots[operation.slot]?.open) return;
    const results: [number, number] = [0, 0];
    const attrs: Uint8Array[] = [];
    for (const i of [0, 1] as const) {
      const call = plainCall(this.#compare.sides, operation, [[8, operation.flags]]);
      call.u32(0, from.map.ids[i]);
      results[i] = this.#compare.sides[i].bpf(CMD.GET_FD_BY_ID, call.attr, []);
      call.u32(0, 0);
      attrs.push(call.attr);
    }
    const fds = this.#newFds(results, [attrs[0]!, attrs[1]!]);
    if (fds === undefined) return;
    const mode = operation.size >= 12 ? operation.flags : 0;
    if (this.#isBlind(from.map.lru, mode, fds)) return;
    this.world.opened(operation.slot, { fds, map: from.map, mode, open: true });
  }

  #close(index: number): void {
    const slot = this.world.slots[index];
    if (slot === undefined || !slot.open) return;
    for (const i of [0, 1] as const) this.#compare.sides[i].close(slot.fds[i]);
    this.world.closed(slot);
  }

  #info(operation: Info): void {
    const slot = this.#slot(operation.slot);
    if (slot === undefined) return;
    const { call, info, hash } = infoCall(this.#compare.sides, operation);
    const outcome = this.#compare.run(call, operation.cmd, INFO.fd, slot);
    // Ids are compared with what the first INFO of the map gave, then made the same.
    for (const i of [0, 1] as const) {
      if (outcome.results[i] !== 0 || info.start === undefined || info.mapped < 8 || operation.length < 8)
        continue;
      const id = new DataView(
        this.#compare.sides[i].memory.buffer,
        this.#compare.sides[i].memory.byteOffset + info.start + 4,
        4,
      );
      const got = id.getUint32(0, true);
      if (got !== slot.map.ids[i])
        throw new Mismatch(`id ${slot.map.ids[i]}`, `${this.#compare.sides[i].name}: id ${got}`);
      id.setUint32(0, 0, true);
    }
    if (hash !== undefined) {
      for (const side of this.#compare.sides) {
        const expected = new Uint8Array(8);
        writeAddress(expected, 0, side.address(hash.target));
        const got = side.memory.slice(hash.at, hash.at + 8);
        side.memory.fill(0, hash.at, hash.at + 8);
        if (!equalBytes(expected, got))
          throw new Mismatch("info.hash as it was", `${side.name}: ${showBytes(got)}`);
      }
    }
    this.#compare.same(call, outcome);
    call.restore();
  }

  #element(operation: Element): void {
    const slot = this.#slot(operation.slot);
    if (slot === undefined) return;
    const { map } = slot;
    const { cmd } = operation;
    const { call, key, value } = elementCall(this.#compare.sides, this.world, operation, map);
    const keyBytes = this.world.key(map, operation.key);
    if (cmd === CMD.NEXT_KEY && map.hash) {
      this.#free.nextKey(slot, call, key, value, keyBytes);
      return;
    }
    if (cmd === CMD.UPDATE && map.lru) {
      this.#evictions.update(slot, call, keyBytes, valueBytes(operation.value, map.stride));
      return;
    }
    const outcome = this.#compare.run(call, cmd, ELEMENT.fd, slot);
    this.#compare.same(call, outcome);
    const [result] = outcome.results;
    if (map.hash) {
      const name = byteString(keyBytes);
      if (
        result === 0 &&
        (cmd === CMD.LOOKUP || cmd === CMD.LOOKUP_AND_DELETE) &&
        value.start !== key.start
      ) {
        const got = this.#compare.sides[0].memory.subarray(value.start!, value.start! + map.stride);
        const expected = map.entries.get(name);
        if (expected === undefined || !equalBytes(expected, got))
          throw new Mismatch(`value ${showBytes(expected)}`, showBytes(got));
      }
      if (cmd === CMD.UPDATE && result === 0)
        this.world.set(map, keyBytes, valueBytes(operation.value, map.stride));
      if (cmd === CMD.DELETE && result === 0) this.world.remove(map, name);
      if (cmd === CMD.LOOKUP_AND_DELETE && result === 0) this.world.remove(map, name);
    }
    call.restore();
    // The entry is gone when only the copy to the caller failed.
    if (
      map.hash &&
      cmd === CMD.LOOKUP_AND_DELETE &&
      result === -E.FAULT &&
      map.entries.has(byteString(keyBytes))
    ) {
      const present = this.#contents.present(slot, keyBytes);
      if (!present) this.world.remove(map, byteString(keyBytes));
    }
  }

  #batch(operation: Batch): void {
    const slot = this.#slot(operation.slot);
    if (slot === undefined) return;
    const { map } = slot;
    const { cmd } = operation;
    const scans = cmd === CMD.LOOKUP_BATCH || cmd === CMD.LOOKUP_AND_DELETE_BATCH;
    let scan = this.world.scans[operation.scan];
    let effective = operation;
    if (operation.cursor === "carried" && scan?.map !== map) effective = { ...operation, cursor: "null" };
    const batch = batchCall(this.#compare.sides, this.world, effective, map);
    const { call } = batch;
    if (typeof effective.cursor === "number") {
      call.write(batch.in, new Uint8Array(Uint32Array.of(effective.cursor).buffer));
    } else if (effective.cursor === "carried") {
      for (const i of [0, 1] as const) writeOne(this.#compare.sides[i].memory, batch.in, scan!.cursors[i]);
    }
    const ownCursors = effective.cursor === "carried" && batch.in.start !== undefined;
    if (!scans || !map.hash) {
      if (scans && effective.cursor !== "carried") scan = undefined;
      const outcome = this.#compare.run(call, cmd, BATCH.fd, slot);
      if (map.hash && ownCursors) this.#compare.sameButCursor(call, outcome, batch.in, scan!);
      else this.#compare.same(call, outcome);
      if (map.lru && cmd === CMD.UPDATE_BATCH) {
        call.restore();
        const written = this.#written(operation, map, outcome);
        if (written.length > 0) this.#evictions.settle(slot, [written, written]);
        return;
      }
      if (map.hash) this.#applied(operation, map, outcome);
      else if (scans && batch.out.mapped === CURSOR_BYTES) {
        scan ??= this.world.startScan(operation.scan, map);
        const { start } = batch.out;
        for (const i of [0, 1] as const)
          scan.cursors[i].set(this.#compare.sides[i].memory.subarray(start!, start! + CURSOR_BYTES));
      }
      call.restore();
      return;
    }
    this.#free.lookupBatch(slot, effective, batch, scan);
  }

  /** Applies what an update or delete batch has done to what is known of a hash map. */
  #applied(operation: Batch, map: MapState, outcome: Outcome): void {
    for (const [key, value] of this.#written(operation, map, outcome)) {
      if (operation.cmd === CMD.UPDATE_BATCH) this.world.set(map, key, value);
      else this.world.remove(map, byteString(key));
    }
  }

  /** The keys that an update or delete batch has come to, and their new values. */
  #written(operation: Batch, map: MapState, { results, attrs }: Outcome): Written {
    const [result] = results;
    if (attrs[0].length < BATCH.fd) return [];
    const count = new DataView(attrs[0].buffer).getUint32(BATCH.count, true);
    // An element that fails leaves a count below the one asked for; a refused call leaves that one.
    const reached = result < 0 && count === operation.count ? 0 : count;
    const done = Math.min(reached, batchRoom(operation, map));
    return Array.from({ length: done }, (_, i) => [
      this.world.key(map, operation.keys[i] ?? 0),
      valueBytes(operation.value + i, map.stride),
    ]);
  }
}
