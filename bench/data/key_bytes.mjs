/** Bytes 4 and up of a key of more than 4 bytes, as the kernel's selftest bench_bpf_hashmap_lookup.c fills them. */
export function fillTail(key) {
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  for (let i = 1; 4 * i + 4 <= key.length; i++) view.setUint32(4 * i, Math.imul(2654435761, i) >>> 0, true);
}
