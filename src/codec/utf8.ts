/**
 * Text as UTF-8.
 *
 * @module
 */

/** `ignoreBOM`: without it the decoder drops a leading U+FEFF. */
export const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export const LONE_SURROGATE = -1;

/** UTF-8 bytes of a string, or LONE_SURROGATE when it is not Unicode text. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point >= 0xd800 && point <= 0xdfff) return LONE_SURROGATE;
    length += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (point >= 0x10000) i++;
  }
  return length;
}

/**
 * Writes a string as UTF-8 and returns where it ended. By hand: `TextEncoder.encodeInto` refuses shared memory in
 * browsers, and wants a Uint8Array made for each place to write to.
 */
export function writeUtf8(text: string, view: DataView, start: number): number {
  let at = start;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) as number;
    if (point < 0x80) {
      view.setUint8(at++, point);
      continue;
    }
    if (point < 0x800) {
      view.setUint8(at++, 0xc0 | (point >> 6));
    } else {
      if (point < 0x10000) {
        view.setUint8(at++, 0xe0 | (point >> 12));
      } else {
        view.setUint8(at++, 0xf0 | (point >> 18));
        view.setUint8(at++, 0x80 | ((point >> 12) & 0x3f));
        i++;
      }
      view.setUint8(at++, 0x80 | ((point >> 6) & 0x3f));
    }
    view.setUint8(at++, 0x80 | (point & 0x3f));
  }
  return at;
}
