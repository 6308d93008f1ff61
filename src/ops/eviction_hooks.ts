/**
 * Telling a program what its map has thrown out (`onEvict`).
 *
 * The core copies each entry that this thread evicts or sweeps to a buffer (assembly/table/notes/events.ts). The calls that may do so empty it when
 * they are done, so that a hook may use the map as anybody may. Calls that write many keys do it in groups that the buffer has room for.
 *
 * @module
 */
import { checkNoPromise } from "../arguments/functions.ts";
import type { CoreHost } from "../core/core_host.ts";
import { noMemory } from "../core/memory/scratch.ts";
import type { EvictionHook, EvictionReason } from "../core/tables/map_types.ts";
import { roundUp8 } from "../core/tables/registry.ts";
import type { Table, TableListener } from "../core/tables/table.ts";
import type { Operation } from "../errors.ts";
import {
  EVENT_BYTES,
  EVENT_COUNT,
  EVENT_KEY,
  EVENT_ROOM,
  EVENT_VALUE,
  EVENTS,
  WAS_EVICTED,
} from "../generated/abi.js";
import { subjectOf } from "./failure.ts";
import type { MapHandle } from "./handle.ts";

type AnyMap = MapHandle<unknown, unknown>;
type AnyHook = EvictionHook<unknown, unknown>;

interface Hooked {
  readonly map: AnyMap;
  readonly hook: AnyHook;
}

interface Gone extends Hooked {
  readonly key: unknown;
  readonly value: unknown;
  readonly reason: EvictionReason;
}

/** Events that a buffer has room for. */
const MOST_EVENTS = 128;
/** Keys that one call of the core may write: each evicts one entry, or sweeps the entries of two buckets. */
const GROUP = MOST_EVENTS;
const TIMED_GROUP = 2;

/** The hooks that the handles of this thread have on a table, and the buffer that the core fills. */
class EvictionHooks implements TableListener {
  readonly group: number;
  readonly #host: CoreHost;
  readonly #table: Table;
  readonly #hooked: Hooked[] = [];
  readonly #stride: number;
  readonly #valueAt: number;
  readonly #bytes: number;
  readonly #buffer: number;

  constructor(map: AnyMap) {
    const { host, table } = map;
    this.#host = host;
    this.#table = table;
    this.group = table.expiry === undefined ? GROUP : TIMED_GROUP;
    this.#valueAt = EVENT_KEY + roundUp8(table.keySize);
    this.#stride = this.#valueAt + roundUp8(table.storedBytes);
    this.#bytes = EVENTS + MOST_EVENTS * this.#stride;
    this.#buffer = host.allocate(this.#bytes);
    if (this.#buffer === 0) throw noMemory(host, "createMap", subjectOf(map));
    host.u8.fill(0, this.#buffer, this.#buffer + EVENTS);
    this.#write(EVENT_ROOM, MOST_EVENTS);
    this.#write(EVENT_BYTES, this.#stride);
    this.#write(EVENT_VALUE, this.#valueAt);
    host.core.listen(table.handle, this.#buffer);
  }

  add(hooked: Hooked): void {
    this.#hooked.push(hooked);
  }

  /** With the last hook the buffer goes. */
  remove(map: AnyMap): void {
    this.#hooked.splice(
      this.#hooked.findIndex((hooked) => hooked.map === map),
      1,
    );
    if (this.#hooked.length > 0) return;
    this.#table.listener = undefined;
    this.#host.core.listen(this.#table.handle, 0);
    this.#host.core.release(this.#buffer, this.#bytes);
  }

  deliver(): void {
    // Of a damaged count no more than there is room for.
    const count = Math.min(this.#host.word(this.#buffer + EVENT_COUNT), MOST_EVENTS);
    if (count === 0) return;
    const gone = Array.from({ length: count }, (_, i) => this.#goneAt(i)).flat();
    this.#write(EVENT_COUNT, 0);
    const errors: unknown[] = [];
    for (const event of gone) {
      try {
        tellOf(event);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Of an entry that went, what each hook is told. */
  #goneAt(index: number): Gone[] {
    const at = this.#buffer + EVENTS + index * this.#stride;
    const reason = this.#host.word(at) === WAS_EVICTED ? "evict" : "expire";
    return this.#hooked.map(({ map, hook }) => ({
      map,
      hook,
      key: map.decodeKey("onEvict", this.#host.view, at + EVENT_KEY),
      value: map.decodeValue("onEvict", this.#host.view, at + this.#valueAt),
      reason,
    }));
  }

  #write(offset: number, word: number): void {
    this.#host.u32.set([word], (this.#buffer + offset) >>> 2);
  }
}

function tellOf({ map, hook, key, value, reason }: Gone): void {
  checkNoPromise(`onEvict: ${subjectOf(map)}`, hook(key, value, reason) as unknown, "operation");
}

/** Gives a handle its hook. */
export function hookEviction(map: AnyMap, hook: AnyHook): void {
  const { table } = map;
  const hooks = (table.listener as EvictionHooks | undefined) ?? new EvictionHooks(map);
  table.listener = hooks;
  hooks.add({ map, hook });
  map.resources.add({ close: () => hooks.remove(map) });
}

/**
 * Has many keys written, in groups if somebody is to be told what goes for them.
 *
 * @param write writes `group` keys behind the first `done`; how many it did
 */
export function inGroups(
  map: AnyMap,
  operation: Operation,
  count: number,
  write: (done: number, group: number) => number,
): number {
  const { listener } = map.table;
  if (listener === undefined) return write(0, count);
  let done = 0;
  while (done < count) {
    const group = Math.min(count - done, listener.group);
    const written = write(done, group);
    done += written;
    listener.deliver();
    if (written < group) break;
    if (map.writing === 0) map.refuse(operation);
  }
  return done;
}
