// Counts the words of a text in a map of at most 100 words: node examples/counter.mjs
import { BpfError, createMap, cstring, u32 } from "bpfmap";

const TEXT = `Map-in-map, hash of maps, array of maps: the map is the program's memory, and the map
is bounded. A bounded map never grows beyond its limit: a full map refuses the next key.`;

const counts = createMap({ type: "rhash", name: "words", key: cstring(24), value: u32, maxEntries: 100 });

for (const [word] of TEXT.toLowerCase().matchAll(/[a-z']+/g)) {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}

const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
for (const [word, count] of ranked.slice(0, 5)) console.log(`${count} ${word}`);
console.log(`${counts.size} different words`);

// The limit holds, whatever comes in.
try {
  for (let i = 0; ; i++) counts.set(`word-${i}`, 1);
} catch (error) {
  if (!(error instanceof BpfError)) throw error;
  console.log(`${error.code} at ${counts.size} words`);
}

// Prints:
// 6 map
// 4 the
// 2 a
// 2 bounded
// 2 is
// 22 different words
// E2BIG at 100 words
