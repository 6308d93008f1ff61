/**
 * What maps of sockets cannot do, and say so: whatever takes or gives values as bytes. The batch commands are ENOTSUPP, as in the
 * kernel, whose sockmap has none; what has no command of its own is EOPNOTSUPP.
 *
 * @module
 */
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { subjectOf } from "../../ops/failure.ts";
import { BpfMap } from "../base/bpf_map.ts";

export abstract class SocketRefusals<K, V> extends BpfMap<K, V> {
  /** @internal Always throws BpfError EOPNOTSUPP: objects have no address. */
  lookup(_key: K): never {
    return this.#never("lookup", ERRNO.EOPNOTSUPP);
  }

  /** @internal Always throws BpfError EOPNOTSUPP: objects are no counters. */
  add(_key: K, _delta: number): never {
    return this.#never("add", ERRNO.EOPNOTSUPP);
  }

  /** @internal Always throws BpfError EOPNOTSUPP: objects have no spinLock. */
  locked(_key: K, _fn: unknown): never {
    return this.#never("locked", ERRNO.EOPNOTSUPP);
  }

  /** @internal Always throws BpfError EOPNOTSUPP: there is one object for each key, not one for each CPU. */
  get local(): never {
    return this.#never("local.get", ERRNO.EOPNOTSUPP);
  }

  /** @internal Always throws BpfError EOPNOTSUPP: a program sees the bytes of entries. Iterate over the map, and delete. */
  process(_options: unknown): never {
    return this.#never("process", ERRNO.EOPNOTSUPP);
  }

  /** @internal Always throws BpfError EOPNOTSUPP, as {@link process}. */
  iterator(_options: unknown): never {
    return this.#never("iterator", ERRNO.EOPNOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  createBatch(_capacity: number): never {
    return this.#never("createBatch", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  batches(_options?: unknown): never {
    return this.#never("batches", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  lookupBatch(_batch: unknown): never {
    return this.#never("lookupBatch", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  lookupAndDeleteBatch(_batch: unknown): never {
    return this.#never("lookupAndDeleteBatch", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  updateBatch(_batch: unknown): never {
    return this.#never("updateBatch", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as in the kernel. */
  deleteBatch(_batch: unknown): never {
    return this.#never("deleteBatch", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as {@link lookupAndDeleteBatch}, which a drain is made of. */
  drain(_options?: unknown): never {
    return this.#never("drain", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as {@link lookupBatch}. */
  lookupMany(_keys: unknown, _values?: unknown): never {
    return this.#never("lookupMany", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as {@link lookupBatch}. */
  found(_index: number): never {
    return this.#never("found", ERRNO.ENOTSUPP);
  }

  /** @internal Always throws BpfError ENOTSUPP, as {@link updateBatch}. */
  addMany(_keys: unknown, _deltas: unknown): never {
    return this.#never("addMany", ERRNO.ENOTSUPP);
  }

  #never(operation: Operation, errno: number): never {
    if (this.closed) this.refuse(operation);
    throw bpfError(errno, operation, subjectOf(this), "holds objects, which have no bytes in host memory");
  }
}
