// Counting while others sweep: members add to counters by `add`, and by the address of a value in a section; others delete what
// they find, by a filter, and add up what their dumpers see. In the end every single count must have been in what a dumper saw, once, or
// still be there. What is added through an address that was looked up before the entry was unlinked is what the grace period is for.
import { ACT_DELETE, ACT_KEEP, createHost, program, struct, u32, u53 } from "bpfmap";
import { equal, verified } from "../kit/check.mjs";
import { stop, stopped } from "../kit/control.mjs";

/** Inline with 4-byte keys, inline with tags, out of line. */
const VALUES = {
  keys: struct({ added: u32, inPlace: u32 }),
  tags: struct({ added: u53, inPlace: u32, rest: u32 }),
  refs: struct({ added: u53, inPlace: u32, a: u53, b: u53, c: u53, d: u53 }),
};

export async function run(team, { type, value, keys, counters, sweepers, counts }) {
  const host = createHost({
    shared: true,
    cpus: counters + sweepers + 1,
    seed: team.seed,
    maxMemory: 64 << 20,
  });
  const map = host.createMap({ type, name: "sweep", key: u32, value: VALUES[value], maxEntries: 2 * keys });
  host.pin("/sweep", map);
  const args = { type, value, keys };
  const sweeping = team.startAll(host, "sweep", sweepers, (number) => ({
    ...args,
    compiled: number % 2 === 0,
  }));
  await Promise.all(sweeping.map((member) => member.ready));
  await team.results(team.startAll(host, "count", counters, (own) => ({ ...args, own, counts })));
  stop(team.control);
  const dumped = await team.results(sweeping);
  verified(host, "at the end");
  let [added, inPlace, runs] = [0, 0, 0];
  for (const [, rest] of map) {
    added += rest.added;
    inPlace += rest.inPlace;
  }
  for (const sums of dumped) {
    added += sums.added;
    inPlace += sums.inPlace;
    runs += sums.runs;
  }
  equal("what was added", counters * counts, added);
  equal("what was added through addresses", counters * counts, inPlace);
  host.close();
  return { runs };
}

const open = (host, { type, value }) => host.open("/sweep", { type, key: u32, value: VALUES[value] });

/** Keys of its own for what is added in place: two threads that add to a word without Atomics lose counts. */
export function count({ host, random }, args) {
  const { value, keys, own, counts } = args;
  const map = open(host, args);
  const offset = VALUES[value].offsets.inPlace;
  for (let i = 0; i < counts; i++) {
    map.add(random.below(keys), 1, { field: "added" });
    const key = keys + own;
    for (let done = false; !done; ) {
      map.add(key, 0, { field: "added" });
      host.section(() => {
        const address = map.lookup(key);
        if (address === 0) return; // swept in between
        // Others may unlink it from here on; they wait for the end of this section before they look at it.
        for (let pause = random.below(30); pause > 0; pause--) host.u32[(address + offset) >>> 2] += 0;
        host.u32[(address + offset) >>> 2]++;
        done = true;
      });
    }
  }
}

export function sweep({ host, random, control }, args) {
  const map = open(host, args);
  const sums = { added: 0, inPlace: 0, runs: 0 };
  const dumper = ({ value }) => {
    sums.added += value.added;
    sums.inPlace += value.inPlace;
  };
  const compiled = program(map, ({ key }, { params }) => key.bitAnd(3).eq(params.quarter).then(ACT_DELETE), {
    params: { quarter: u32 },
  });
  for (; !stopped(control); sums.runs++) {
    compiled.params.quarter = random.below(4);
    const filter = args.compiled ? compiled : () => (random.chance(30) ? ACT_DELETE : ACT_KEEP);
    if (random.chance(50)) map.process({ filter, dumper, size: random.between(1, 100) });
    else {
      let cursor;
      do ({ cursor } = map.process({ filter, dumper, budget: { entries: random.between(1, 100) }, cursor }));
      while (cursor !== undefined);
    }
  }
  compiled.close();
  return sums;
}
