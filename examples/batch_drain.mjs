// Counts packets per source and hands the counts on in batches, which removes them: node examples/batch_drain.mjs
import { createHost, struct, u16, u32, u53 } from "bpfmap";

const host = createHost();
const events = host.createMap({
  type: "rhash",
  name: "events",
  key: struct({ source: u32, port: u16 }),
  value: struct({ packets: u32, bytes: u53 }),
  maxEntries: 100_000,
});

function count(source, port, bytes) {
  const key = { source, port };
  const old = events.get(key) ?? { packets: 0, bytes: 0 };
  events.set(key, { packets: old.packets + 1, bytes: old.bytes + bytes });
}

for (let i = 0; i < 30_000; i++) count(i % 1000, 443, 1000);
console.log(`${events.size} sources`);

// One call takes up to 128 entries and removes them: no entry is lost or counted twice, whatever is inserted in between.
const batch = events.createBatch(128);
let calls = 0;
let packets = 0;
let bytes = 0;
let more = true;
while (more) {
  more = events.lookupAndDeleteBatch(batch);
  for (const [, value] of batch.entries()) {
    packets += value.packets;
    bytes += value.bytes;
  }
  calls++;
}
batch.close();
console.log(`${packets} packets, ${bytes} bytes in ${calls} calls; ${events.size} sources left`);

// The table shrank with its entries; closing it gives the rest back.
events.close();
console.log(`${host.memoryUsage().bytes} bytes in use`);

// Prints:
// 1000 sources
// 30000 packets, 30000000 bytes in 8 calls; 0 sources left
// 0 bytes in use
