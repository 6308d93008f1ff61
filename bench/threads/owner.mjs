// The worker of the contender post-message: it has the map, and answers what the others ask through their ports.
import { parentPort, workerData } from "node:worker_threads";

const map = new Map();
for (const [i, key] of workerData.keys.entries()) map.set(key, i);

function increment(key) {
  const count = (map.get(key) ?? 0) + 1;
  map.set(key, count);
  return count;
}

/**
 * A number is a key to read, `[key, value]` writes and `[key]` adds 1; objects hold arrays of keys.
 *
 * @returns {number | Float64Array} the value, the new count, or how many; of many keys the values, 0 for those that were written
 */
function answer(request) {
  if (typeof request === "number") return map.get(request);
  if (Array.isArray(request)) {
    const [key, value] = request;
    if (value === undefined) return increment(key);
    map.set(key, value);
    return 1;
  }
  const { get, mixed, add, insert, remove, values, writes } = request;
  if (get !== undefined) return each(get, read);
  if (add !== undefined) return each(add, increment);
  if (mixed !== undefined)
    return each(mixed, (key, i) => (writes[i] === 0 ? map.get(key) : write(key, values[i])));
  if (insert !== undefined) {
    for (let i = 0; i < insert.length; i++) map.set(insert[i], values[i]);
    return insert.length;
  }
  let removed = 0;
  for (let i = 0; i < remove.length; i++) if (map.delete(remove[i])) removed++;
  return removed;
}

const read = (key) => map.get(key);

function write(key, value) {
  map.set(key, value);
  return 0;
}

/** Not `Float64Array.from`, which is several times as slow. */
function each(keys, work) {
  const results = new Float64Array(keys.length);
  for (let i = 0; i < keys.length; i++) results[i] = work(keys[i], i);
  return results;
}

parentPort.on("message", ({ port, keys }) => {
  if (keys !== undefined) parentPort.postMessage(each(keys, (key) => map.get(key) ?? 0));
  else port.on("message", (request) => port.postMessage(answer(request)));
});
