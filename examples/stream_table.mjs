// Serves a table of flows over HTTP as lines of JSON, while it goes on changing: node examples/stream_table.mjs
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";
import { createHost, struct, u16, u32, u53 } from "bpfmap";

const host = createHost();
const flows = host.createMap({
  type: "rhash",
  name: "flows",
  key: struct({ address: u32, port: u16 }),
  value: struct({ packets: u32, bytes: u53 }),
  maxEntries: 1_000_000,
});
const FLOWS = 20_000;
for (let i = 0; i < FLOWS; i++) flows.set({ address: i, port: 443 }, { packets: 1, bytes: 60 });

/** Between two pieces the table doubles, and what was there is shown once all the same. */
async function* changing(source) {
  let pieces = 0;
  for await (const piece of source) {
    if (++pieces === 5)
      for (let i = 0; i < FLOWS; i++) flows.set({ address: i, port: 80 }, { packets: 1, bytes: 60 });
    yield piece;
  }
}

// A piece is made when the socket has room for it, so a slow client holds 32 KiB, whatever the size of the table.
const server = createServer(async (request, response) => {
  const smallest = Number(new URL(request.url, "http://localhost").searchParams.get("bytes"));
  const iterator = flows.iterator({
    show(seq, { key, value } = {}) {
      if (key === undefined) seq.write(`${JSON.stringify({ shown: seq.number })}\n`);
      else if (value.bytes >= smallest) seq.write(`${JSON.stringify({ ...key, bytes: value.bytes })}\n`);
    },
  });
  response.setHeader("content-type", "application/x-ndjson");
  // When the client hangs up, the pipeline fails, which closes the iterator.
  await pipeline(iterator, changing, response).catch(() => {});
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address();

const seen = new Map();
const text = await (await fetch(`http://127.0.0.1:${port}/`)).text();
for (const line of text.trim().split("\n").slice(0, -1)) {
  const flow = JSON.parse(line);
  if (flow.port === 443) seen.set(flow.address, (seen.get(flow.address) ?? 0) + 1);
}
const once = [...seen.values()].every((times) => times === 1);
console.log(`${seen.size} flows to port 443, each ${once ? "once" : "not once"}; ${flows.size} in the table`);

// A client that hangs up.
const client = await fetch(`http://127.0.0.1:${port}/?bytes=60`);
const reader = client.body.getReader();
await reader.read();
await reader.cancel();
server.closeAllConnections();
await new Promise((resolve) => server.close(resolve));

flows.close();
console.log(`${host.memoryUsage().bytes} bytes in use`);

// Prints:
// 20000 flows to port 443, each once; 40000 in the table
// 0 bytes in use
