/**
 * Random numbers of the system. Node has its own (src/node.ts): `#random` of package.json.
 *
 * @module
 */

/** Fills bytes that are not in shared memory: nothing may be drawn into that. */
export function drawBytes(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(bytes);
}
