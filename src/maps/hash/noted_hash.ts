/**
 * What hash maps have whose full table evicts, or whose entries expire.
 *
 * @module
 */
import { TTL_OF_MAP } from "../../generated/abi.js";
import { HashMap } from "./hash_map.ts";

/** Maps that evict or whose entries expire, on a host of one thread. Its subclasses are one for each kind of key, as those of {@link HashMap}. */
export abstract class NotedHashMap<K, V> extends HashMap<K, V> {
  override put(key: number, value: number, condition: number): number {
    return this.host.core.updateNoted(this.writing, key, value, condition, TTL_OF_MAP);
  }
}
