// Small growing tables of shared hosts: while their segments have room they split early, so that few entries are in overflow blocks.
import { expect, it } from "vitest";
import { bytes, type Codec, type HashMap, u32, u53 } from "../../src/index.ts";
import { sharedHost } from "./hosts.ts";

const filled = (value: Codec<unknown>, entries: number) => {
  const map = sharedHost().createMap({ type: "rhash", key: u32, value, maxEntries: 100_000 }) as HashMap<
    number,
    unknown
  >;
  const one = value.decode(new DataView(new ArrayBuffer(value.size)), 0);
  for (let key = 0; key < entries; key++) map.set(key, one);
  return map;
};

it.each([
  ["numbers", u53, 128],
  ["structs", bytes(100), 512],
] as const)("%s: up to the last small segment", (_name, value, small) => {
  // At three quarters of the load target, all small segments are in use; at the target itself it would be three quarters of them.
  const map = filled(value as Codec<unknown>, 0);
  const target = (map.stats().slotsPerBucket * 11) / 18;
  const entries = Math.floor(small * target * 0.76);
  expect(filled(value as Codec<unknown>, entries).stats().buckets).toBe(small);
});

it("a large table splits at its load target", () => {
  const { buckets, entries } = filled(u53, 20_000).stats();
  expect(entries / buckets).toBeGreaterThan(5.4);
});
