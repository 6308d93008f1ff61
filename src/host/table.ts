import type { MapType } from "../maps/spec.ts";

/** One table of the core, as all handles and pins of a map share it. */
export interface Table {
  /** Counts up from 1 per host. */
  readonly id: number;
  readonly type: MapType;
  /** `""` when the map was created without a name. */
  readonly name: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes. */
  readonly valueSize: number;
  /** BPF_F_* flags of the map, without those that belong to one handle (RDONLY, WRONLY). */
  readonly flags: number;
  readonly mapExtra: number;
  /** Whether the value layout holds a `bpf_spin_lock`. */
  readonly hasLock: boolean;
  /** What the core calls it. */
  readonly handle: number;
  /** Limit of the entry count; `grow` raises it. */
  maxEntries: number;
  /** Open handles and pins. The table is destroyed when the last one goes. */
  references: number;
}
