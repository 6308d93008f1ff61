/**
 * Values with a timer or a workqueue.
 *
 * @module
 */
import type { MapTimer, MapWorkqueue } from "../../ops/timers/map_timers.ts";

/** A map whose values may have a timer and a workqueue. */
export interface TimedMap<K> {
  /**
   * The timer of a key, in the `timer` field of its value (`bpf_timer`). It goes with the entry: deleting, replacing, evicting or expiring it
   * cancels it, and so does closing the map's last handle. See docs/guide/timers.md.
   *
   * @throws BpfError EINVAL without a timer in the value
   * @example
   * ```ts
   * import { createHost, struct, timer, u32 } from "bpfmap";
   *
   * let now = 0;
   * const host = createHost({ clock: () => now });
   * const session = struct({ idle: timer, user: u32 });
   * const sessions = host.createMap({ type: "hash", key: u32, value: session, maxEntries: 100 });
   * sessions.set(7, { user: 1001 });
   * sessions.timer(7).start(30_000, (key, map) => map.delete(key));
   * now = 30_000;
   * host.tick(); // without a clock of your own, time passes by itself
   * console.log(sessions.has(7)); // false
   * ```
   */
  timer(key: K): MapTimer<K, this>;

  /**
   * The work of a key, in the `workqueue` field of its value (`bpf_wq`). It goes with the entry, as a {@link timer} does.
   *
   * @throws BpfError EINVAL without a workqueue in the value
   * @example
   * ```ts
   * import { createMap, struct, u32, workqueue } from "bpfmap";
   *
   * const page = struct({ refresh: workqueue, hits: u32 });
   * const pages = createMap({ type: "hash", key: u32, value: page, maxEntries: 100 });
   * pages.set(1, { hits: 0 });
   * let hits;
   * pages.workqueue(1).start((key, map) => { hits = map.get(key)?.hits; });
   * console.log(hits); // undefined
   * pages.field("hits").set(1, 5); // which the work sees, after this task
   * ```
   */
  workqueue(key: K): MapWorkqueue<K, this>;
}
