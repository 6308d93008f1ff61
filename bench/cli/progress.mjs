/** One line on standard error that is written over, where that is a terminal. */
export function newProgress(stream = process.stderr) {
  if (!stream.isTTY) return { show() {}, clear() {} };
  return {
    show(text) {
      stream.write(`\r\x1b[K${text.slice(0, stream.columns - 1)}`);
    },
    clear() {
      stream.write("\r\x1b[K");
    },
  };
}
