// The first calls of `get` in a process, for one contender.
import { createHost, f64, u32 } from "../../dist/index.js";
import { draws, keysFrom, pick, Random } from "../data/random.mjs";
import { sliceEnds, timeSlices } from "../latency/slices.mjs";
import { answer } from "./answer.mjs";

answer(({ contender, size, calls, seed }) => {
  const map =
    contender === "js-map"
      ? new Map()
      : createHost({ seed }).createMap({ type: "rhash", key: u32, value: f64, maxEntries: size });
  const all = keysFrom(0, size);
  for (let i = 0; i < size; i++) map.set(all[i], i);
  const indices = draws(calls, size, new Random(seed, 1));
  const { ns, sum } = timeSlices(map, pick(all, indices), sliceEnds(calls));
  const expected = indices.reduce((total, index) => total + index, 0);
  if (sum !== expected) throw new Error(`${contender} got ${sum} instead of ${expected}`);
  return { ns };
});
