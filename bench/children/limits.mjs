// How many entries a Map of JavaScript can hold, and how long a map can be changed without growing.
import { createHost, f64, u32 } from "../../dist/index.js";
import { churn, fillUntilFull } from "../memory/churn.mjs";
import { answer } from "./answer.mjs";

answer(({ contender, live, pairs, most, seed }) => {
  if (contender === "js-map") {
    return { full: fillUntilFull(new Map(), most), churned: churn(new Map(), live, pairs) };
  }
  const map = createHost({ seed }).createMap({
    type: "rhash",
    key: u32,
    value: f64,
    maxEntries: 2 ** 31 - 1,
  });
  const churned = churn(map, live, pairs);
  const { entries, bytesPerEntry } = map.stats();
  return { churned, entries, bytesPerEntry };
});
