/**
 * Fields of a value that the map keeps, not its user: a lock, a timer, a workqueue. The kernel calls them special fields.
 *
 * @module
 */
import { type Codec, isCodec } from "./codec.ts";

/** The type of {@link spinLock}: a layout without a value, so it is no {@link Codec}. */
export interface SpinLock {
  readonly name: "spinLock";
  readonly size: 4;
  readonly align: 4;
}

/** The type of {@link timer}: a layout without a value, so it is no {@link Codec}. */
export interface TimerField {
  readonly name: "timer";
  readonly size: 16;
  readonly align: 8;
}

/** The type of {@link workqueue}: a layout without a value, so it is no {@link Codec}. */
export interface WorkqueueField {
  readonly name: "workqueue";
  readonly size: 16;
  readonly align: 8;
}

/** What stands in a struct and is no part of its JavaScript value. */
export type SpecialField = SpinLock | TimerField | WorkqueueField;

/**
 * `struct bpf_spin_lock`: the lock that `BPF_F_LOCK` takes. 4 bytes, align 4. It stands only as a field of the struct
 * that is a map's value, at most once, not in a nested struct or an array: the kernel's rules (bpf_spin_lock in
 * include/uapi/linux/bpf.h). It is not part of the JavaScript value and is written as zeros.
 *
 * @example
 * const counter = struct({ lock: spinLock, packets: u32 });
 * const view = new DataView(new ArrayBuffer(counter.size));
 * counter.encode({ packets: 7 }, view, 0);
 * counter.decode(view, 0); // { packets: 7 }
 * counter.offsets; // { lock: 0, packets: 4 }
 */
export const spinLock: SpinLock = { name: "spinLock", size: 4, align: 4 };

/**
 * `struct bpf_timer`: a timer for each entry, which `map.timer(key)` starts. 16 bytes, align 8. It stands where a {@link spinLock}
 * may stand, at most once. It is not part of the JavaScript value and is written as zeros: who writes the whole value cancels it.
 *
 * @example
 * const session = struct({ expiry: timer, user: u32 });
 * session.size; // 24
 * session.offsets; // { expiry: 0, user: 16 }
 */
export const timer: TimerField = { name: "timer", size: 16, align: 8 };

/**
 * `struct bpf_wq`: work for each entry, which `map.workqueue(key)` starts. 16 bytes, align 8. It stands where a {@link spinLock}
 * may stand, at most once, also beside a {@link timer}. It is not part of the JavaScript value and is written as zeros: who writes the
 * whole value cancels it.
 *
 * @example
 * const page = struct({ refresh: workqueue, hits: u32 });
 * page.offsets; // { refresh: 0, hits: 16 }
 */
export const workqueue: WorkqueueField = { name: "workqueue", size: 16, align: 8 };

const SPECIAL: readonly unknown[] = [spinLock, timer, workqueue];

export function isSpecial(field: unknown): field is SpecialField {
  return SPECIAL.includes(field);
}

/** Where the special fields of a layout are, in bytes; undefined where it has none. */
export interface SpecialOffsets {
  readonly lockOffset: number | undefined;
  readonly timerOffset: number | undefined;
  readonly workqueueOffset: number | undefined;
}

/** Those of any layout: only structs have some. */
export function specialOffsets(codec: Codec<unknown>): SpecialOffsets {
  const { lockOffset, timerOffset, workqueueOffset } = codec as Partial<SpecialOffsets>;
  return { lockOffset, timerOffset, workqueueOffset };
}

/** The name of a special field that a layout holds, so that it cannot stand inside another; undefined without one. */
export function specialIn(codec: unknown): SpecialField["name"] | undefined {
  if (!isCodec(codec)) return undefined;
  const { lockOffset, timerOffset, workqueueOffset } = specialOffsets(codec);
  if (lockOffset !== undefined) return "spinLock";
  if (timerOffset !== undefined) return "timer";
  return workqueueOffset === undefined ? undefined : "workqueue";
}
