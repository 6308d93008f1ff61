// From the first line of a program to the first answer of a map, in a process that has loaded nothing else: bench/workloads/cold.mjs.
// Usage: node cold.mjs URL-OF-INDEX.JS
const start = performance.now();
const { createHost, f64, u32 } = await import(process.argv[2]);
const imported = performance.now();
const host = createHost();
const made = performance.now();
const map = host.createMap({ type: "rhash", key: u32, value: f64, maxEntries: 500 });
map.set(1, 2);
const answer = map.get(1);
const end = performance.now();
if (answer !== 2) throw new Error(`the first get gave ${answer}`);
console.log(
  JSON.stringify({
    version: process.versions.node,
    import: imported - start,
    createHost: made - imported,
    "createMap, set, get": end - made,
    "import to first get": end - start,
  }),
);
