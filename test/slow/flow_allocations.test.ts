// bpfmap flows allocates nothing for a packet. In a file, and so in a process, of its own: V8 keeps numbers out of objects where a
// call has few targets, as it has in the program, and not behind tests that have called every kind of map.
import { expect, it } from "vitest";
import { CaptureReader } from "../../src/cli/capture/reader.ts";
import { FlowTable } from "../../src/cli/flows/flow_table.ts";
import { pcap, tcp4 } from "../cli/build.ts";
import { bytesPerCall } from "../support/core/allocation.ts";

it("a packet allocates nothing", () => {
  const table = new FlowTable({ interval: 1e12, idle: 0 });
  const packets = 5000;
  const file = pcap(
    Array.from({ length: packets }, (_, i) => ({ data: tcp4(1 + (i % 50), 443), seconds: 0, length: 60 })),
  );
  const record = (file.length - 24) / packets;
  const view = new DataView(file.buffer);
  let number = 0;
  /** All packets, with times later than in the rounds before. */
  const round = () => {
    number++;
    for (let i = 0; i < packets; i++)
      view.setUint32(24 + i * record, 1_700_000_000 + number * packets + i, true);
    new CaptureReader((frame) => table.add(frame)).push(file);
  };
  // A number that becomes an object takes 16 bytes.
  expect(bytesPerCall(round, 10) / packets).toBeLessThan(8);
});
