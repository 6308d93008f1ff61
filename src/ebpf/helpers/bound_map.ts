/**
 * A map of a host as programs see it.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import { BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG } from "../../constants.ts";
import { isPercpuHash, isSocketMap } from "../../core/tables/registry.ts";
import type { Table } from "../../core/tables/table.ts";
import { bpfError, ERRNO } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { EntryMap } from "../../maps/base/entry_map.ts";
import { slotStride } from "../../ops/percpu.ts";
import type { VerifiedMap } from "../verify/program.ts";

/** Maps whose values are bytes, of any type. */
export type AnyMap = EntryMap<unknown, unknown>;

/** One object for one map: the verifier tells maps apart by it. In a register it is the address of its table. */
export class BoundMap implements VerifiedMap {
  readonly map: AnyMap;
  readonly table: Table;
  readonly name: string;
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly writable: boolean;
  readonly readable: boolean;
  readonly lockOffset?: number;
  readonly timerOffset?: number;
  /** What its only value holds, once nobody changes it any more. */
  frozen?: Uint8Array;
  /** Where the slot of this thread begins in a value of a per-CPU map; 0 in any other. */
  readonly slotAt: number;
  readonly isPerCpu: boolean;
  /** Bytes from one slot to the next. */
  readonly stride: number;

  constructor(host: Host, map: AnyMap) {
    const { table } = map;
    const { lockOffset, timerOffset, flags } = table;
    this.map = map;
    this.table = table;
    this.name = map.name === "" ? `${map.type}#${table.id}` : map.name;
    this.type = map.type;
    this.keySize = table.keySize;
    this.valueSize = table.valueSize;
    this.maxEntries = table.maxEntries;
    this.writable = (flags & BPF_F_RDONLY_PROG) === 0;
    this.readable = (flags & BPF_F_WRONLY_PROG) === 0;
    if (lockOffset !== undefined) this.lockOffset = lockOffset;
    if (timerOffset !== undefined) this.timerOffset = timerOffset;
    this.isPerCpu = isPercpuHash(table.type) || table.type === "percpu_array";
    this.stride = this.isPerCpu ? slotStride(map as never) : 0;
    this.slotAt = host.cpu * this.stride;
  }
}

/**
 * A handle of its own of a map that a caller gives, so that the map stays when the caller closes his.
 *
 * @param what for messages: which of the maps
 */
export function bindMap(host: Host, what: string, map: unknown): BoundMap {
  const given = map as AnyMap | undefined;
  if (given?.host !== host) {
    throw new TypeError(`${what}: expected a map of this host, got ${describe(map)}`);
  }
  if (given.closed) given.refuse("program");
  const { table } = given;
  if (isSocketMap(table.type) || table.texts) {
    const cause = table.texts ? "has keys of any length" : `is a ${table.type}, whose values are objects`;
    throw bpfError(
      ERRNO.EINVAL,
      "program",
      `map ${describe(given.name)}`,
      `${cause}: programs cannot use it`,
    );
  }
  return new BoundMap(host, given.reopen(true));
}
