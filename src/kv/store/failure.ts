/**
 * Says why a call on a KV store failed.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import { noMemory } from "../../core/memory/scratch.ts";
import { lockTimeout } from "../../core/memory/shared_core.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { PAGE_BYTES } from "../metadata.ts";
import type { KvHandle } from "./handle.ts";

/** How messages call a store that may have no name. */
export function storeSubject(name: string, id?: number): string {
  return name === "" ? `KV store${id === undefined ? "" : ` #${id}`}` : `KV store ${JSON.stringify(name)}`;
}

/** The error for a key that is none; or EBADF, since a closed store has no keys. */
export function keyError(store: KvHandle, operation: Operation, key: unknown): Error {
  if (store.closed) return closedError(store, operation);
  if (typeof key !== "number") {
    return new TypeError(`${operation}: ${store.subject}: key: expected a number, got ${describe(key)}`);
  }
  const cause = `has the keys 0..${store.maxKeys - 1}, and ${key} is none of them`;
  return bpfError(ERRNO.EINVAL, operation, store.subject, cause);
}

export function closedError(store: KvHandle, operation: Operation): Error {
  return bpfError(
    ERRNO.EBADF,
    operation,
    store.subject,
    store.host.closed ? "is on a closed host" : "is closed",
  );
}

/** The error for a value that is no Uint8Array. */
export function valueTypeError(store: KvHandle, operation: Operation, value: unknown): Error {
  return new TypeError(
    `${operation}: ${store.subject}: value: expected a Uint8Array, got ${describe(value)}`,
  );
}

/** The error for a value of other than 1 to 4096 bytes. */
export function valueError(store: KvHandle, operation: Operation, key: number, length: number): Error {
  if (length === 0) {
    const cause = `takes values of 1 to ${PAGE_BYTES} bytes, the one for key ${key} has none`;
    return bpfError(ERRNO.EINVAL, operation, store.subject, cause, "delete() the key instead");
  }
  const cause = `takes values of 1 to ${PAGE_BYTES} bytes, the one for key ${key} has ${length}`;
  return bpfError(ERRNO.E2BIG, operation, store.subject, cause, "spread it over several keys");
}

/** The error for an errno that the core gave to a call about a key. */
export function storeError(
  store: KvHandle,
  operation: Operation,
  errno: number,
  key: number,
  size = 0,
): Error {
  const { subject } = store;
  switch (errno) {
    case ERRNO.ENOSPC: {
      const cause = `has no ${size} free bytes in one piece in its ${store.maxPages} pages of ${PAGE_BYTES} bytes`;
      return bpfError(errno, operation, subject, cause, "delete values or create it with more maxPages");
    }
    case ERRNO.EPERM: {
      const owner = store.pairOf(key);
      return owner === undefined
        ? bpfError(errno, operation, subject, `keeps the key ${key} for a rollout`, "choose another key")
        : bpfError(
            errno,
            operation,
            subject,
            `has the pair ${JSON.stringify(owner.name)} at key ${key}`,
            "drop it by a rollout",
          );
    }
    case ERRNO.EINVAL: {
      const owner = store.pairOf(key);
      const cause =
        owner === undefined
          ? `has a pair at key ${key}, whose values are not ${size} bytes`
          : `has the pair ${JSON.stringify(owner.name)} at key ${key}, of ${owner.size} bytes, not ${size}`;
      return bpfError(errno, operation, subject, cause, "change its size by a rollout");
    }
    default:
      return contentError(store, operation, errno);
  }
}

/** The error for an errno that has to do with no key. It reads nothing of the store: reading may be what failed. */
export function contentError(store: KvHandle, operation: Operation, errno: number): Error {
  switch (errno) {
    case ERRNO.ENOMEM:
      return noMemory(store.host, operation, store.subject);
    case ERRNO.ETIMEDOUT:
      return lockTimeout(store.host, operation, store.subject);
    default:
      return bpfError(errno, operation, store.subject, "was refused by the core");
  }
}
