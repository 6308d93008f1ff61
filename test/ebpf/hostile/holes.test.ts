// The hunt for escapes finds the holes that are planted in the verifier: otherwise it would say nothing that it finds none.
import { expect, it } from "vitest";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";
import { hunt } from "./hunt.ts";
import { HOLES, planted } from "./planted.ts";
import { SUBJECTS } from "./subjects.ts";

const seed = testSeed("ebpf/hostile/holes.test.ts");

/** `npm test` looks for some of them; which depends on the seed. */
const chosen = bySize(
  HOLES.filter((_, k) => (k + seed) % 8 === 0),
  HOLES,
);

it.each(chosen.map((hole) => [hole.name, hole] as const))(
  "is found: %s",
  { timeout: 600_000 },
  async (_, hole) => {
    const verify = await planted(hole);
    const subjects = SUBJECTS.filter(({ name }) => hole.subjects?.includes(name) ?? true);
    const found = hunt(verify, seed, 20_000, subjects);
    expect(found.escape, `nothing escaped of ${found.accepted} mutants`).toBeDefined();
  },
);
