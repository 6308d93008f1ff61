/**
 * How maps of sockets send: by what the object has, `write` of streams, `postMessage` of ports and workers, `send` of WebSockets.
 *
 * @module
 */
import { SK_BUSY, SK_DROP, SK_PASS } from "../../constants.ts";
import { isOver } from "./close_watch.ts";

/** What became of the data: {@link SK_DROP}, {@link SK_PASS} or {@link SK_BUSY}. */
export type SkAction = typeof SK_DROP | typeof SK_PASS | typeof SK_BUSY;

type Send = (data: unknown) => unknown;

interface MaybeSink {
  readonly write?: unknown;
  readonly postMessage?: unknown;
  readonly send?: unknown;
  readonly writable?: unknown;
  readonly readyState?: unknown;
}

/** `OPEN` of a WebSocket. */
const OPEN = 1;

/** Whether an object takes data now. A WebSocket that is connecting throws; a net.Socket keeps the data until it has connected. */
function isWritable(object: object): boolean {
  const { writable, readyState } = object as MaybeSink;
  // Of a stream that has been ended, or has failed, `writable` is false.
  if (writable === false || isOver(object)) return false;
  return typeof readyState !== "number" || readyState === OPEN;
}

/**
 * Sends data through an object.
 *
 * @returns undefined for an object that has no way to send
 */
export function sendTo(object: object, data: unknown): SkAction | undefined {
  const { write, postMessage, send } = object as MaybeSink;
  const way = [write, postMessage, send].find((method) => typeof method === "function");
  if (way === undefined) return undefined;
  if (!isWritable(object)) return SK_DROP;
  // `write` of streams and `send` of child processes give false when the buffer is full; the others give nothing.
  return (way as Send).call(object, data) === false ? SK_BUSY : SK_PASS;
}
