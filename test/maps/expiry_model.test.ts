// Random calls on maps whose entries expire, beside a model.
import { describe, it } from "vitest";
import { BPF_F_NO_PREALLOC } from "../../src/constants.ts";
import { testSeed } from "../support/seed.ts";
import { bySize } from "../support/size.ts";
import { KEYS, runTimed, TIMED_TYPES, VALUES } from "../support/timed_model.ts";

const SEED = testSeed("maps/expiry_model.test.ts");
const STEPS = bySize(80, 4000);

describe.each(TIMED_TYPES)("a %s with a ttl", (type) => {
  it.each(KEYS)("by $codec.name is what the model says", (key) => {
    if (type.includes("percpu") && key.codec.name.startsWith("text")) return;
    for (const [i, value] of VALUES.entries()) runTimed({ type, key, value, seed: SEED + i, steps: STEPS });
  });
});

it.each(KEYS)("a hash by $codec.name that allocates as it goes, too", (key) => {
  for (const [i, value] of VALUES.entries()) {
    runTimed({ type: "hash", key, value, flags: BPF_F_NO_PREALLOC, seed: SEED + i, steps: STEPS });
  }
});
