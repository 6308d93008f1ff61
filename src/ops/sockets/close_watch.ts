/**
 * How maps of sockets hear that an object has closed, whatever it is: streams and other event emitters of Node, MessagePorts,
 * WebSockets and other event targets, workers. Objects are told apart by what they can do, since browsers have no node:net to
 * ask.
 *
 * An object has one listener, however many maps it is in and however often: Node warns of a leak at eleven. The listener goes with
 * the last entry.
 *
 * @module
 */

/** What is told that an object has closed. */
export interface CloseLink {
  closed(): void;
}

type Listen = (type: string, listener: () => void) => unknown;

/** What objects may have of what is looked at. */
interface MaybeSocket {
  readonly on?: unknown;
  readonly prependListener?: unknown;
  readonly off?: unknown;
  readonly removeListener?: unknown;
  readonly addEventListener?: unknown;
  readonly removeEventListener?: unknown;
  readonly send?: unknown;
  readonly close?: unknown;
  readonly terminate?: unknown;
  readonly destroyed?: unknown;
  readonly closed?: unknown;
  readonly readyState?: unknown;
  readonly threadId?: unknown;
}

/** `CLOSING` of a WebSocket; `CLOSED` is above it. */
const CLOSING = 2;

function isWorker({ threadId, terminate }: MaybeSocket): boolean {
  return typeof threadId === "number" && typeof terminate === "function";
}

/**
 * Whether an object is closed for good, or on its way there. A MessagePort does not say; one that was not connected yet is not
 * over.
 */
export function isOver(object: object): boolean {
  const socket: MaybeSocket = object;
  const { destroyed, closed, readyState } = socket;
  // Streams and HTTP/2 sessions have these as booleans; of others, `closed` may be a promise.
  if (destroyed === true || closed === true) return true;
  // A net.Socket that has not connected yet is "open"; RTCDataChannel has "closing", too.
  if (readyState === "closed" || readyState === "closing") return true;
  // An XMLHttpRequest has other states under the same numbers, and nothing to close.
  if (
    typeof readyState === "number" &&
    typeof socket.send === "function" &&
    typeof socket.close === "function"
  )
    return readyState >= CLOSING;
  return isWorker(socket) && socket.threadId === -1;
}

/** One object and what is to be told of its end. */
class CloseWatch {
  readonly #links = new Set<CloseLink>();
  readonly #object: object;
  readonly #type: string;
  readonly #listener = () => this.#end();

  constructor(object: object) {
    this.#object = object;
    this.#type = isWorker(object) ? "exit" : "close";
  }

  /** Starts listening; false when the object says nothing of its end. */
  start(): boolean {
    const { prependListener, on, off, removeListener, addEventListener, removeEventListener }: MaybeSocket =
      this.#object;
    if (typeof on === "function" && typeof (off ?? removeListener) === "function") {
      // Before the listeners of others, who look into the map to see what is left.
      const listen = typeof prependListener === "function" ? prependListener : on;
      (listen as Listen).call(this.#object, this.#type, this.#listener);
    } else if (typeof addEventListener === "function" && typeof removeEventListener === "function") {
      (addEventListener as Listen).call(this.#object, this.#type, this.#listener);
    } else return false;
    return true;
  }

  add(link: CloseLink): void {
    this.#links.add(link);
  }

  remove(link: CloseLink): void {
    this.#links.delete(link);
    if (this.#links.size === 0) this.#stop();
  }

  #stop(): void {
    watches.delete(this.#object);
    const { on, off, removeListener, removeEventListener }: MaybeSocket = this.#object;
    const stop = typeof on === "function" ? (off ?? removeListener) : removeEventListener;
    (stop as Listen).call(this.#object, this.#type, this.#listener);
  }

  #end(): void {
    const links = [...this.#links];
    this.#links.clear();
    this.#stop();
    for (const link of links) link.closed();
  }
}

/** The watch of each object that is in a map. It hangs on the object, and keeps nothing alive. */
const watches = new WeakMap<object, CloseWatch>();

/** Has a link told when the object closes. Of objects that do not say so, it never is. */
export function follow(object: object, link: CloseLink): void {
  let watch = watches.get(object);
  if (watch === undefined) {
    watch = new CloseWatch(object);
    if (!watch.start()) return;
    watches.set(object, watch);
  }
  watch.add(link);
}

/** Takes {@link follow} back. */
export function unfollow(object: object, link: CloseLink): void {
  watches.get(object)?.remove(link);
}
