// A thread is terminated while it holds the lock of a value, and its exit event cannot arrive, since the main thread does not go back to its
// event loop: it waits for that very lock, or for a sibling of the dead thread that does. Both must get it.

import { createHost, spinLock, struct, u32 } from "bpfmap";
import { SLOT_BYTES, SLOT_SYSTEM_THREAD, SLOTS } from "../../../src/generated/abi.js";
import { equal, verified } from "../kit/check.mjs";
import { FREE } from "../kit/control.mjs";
import { sleep } from "../kit/team.mjs";

const account = { type: "hash", key: u32, value: struct({ lock: spinLock, count: u32, half: u32 }) };
/** Words of the control array: a holder has the lock; the sibling may begin; its counts. */
const HELD = FREE;
const BEGIN = FREE + 1;
const COUNTED = FREE + 2;
/** Less than the limit of a job, far more than a death takes. */
const LIMIT_MS = 15_000;

const add = (map) => map.locked(1, ({ count, half }) => ({ count: count + 1, half }));

/** `waits`: who waits for the dead thread, "parent" or "sibling". */
export async function run(team, { waits, rounds }) {
  const host = createHost({
    shared: true,
    cpus: 4,
    seed: team.seed,
    maxMemory: 16 << 20,
    lockTimeout: LIMIT_MS,
  });
  const map = host.createMap({ ...account, name: "account", maxEntries: 10 });
  map.set(1, { count: 0, half: 0 });
  host.pin("/account", map);
  const sibling = waits === "sibling" ? team.start(host, "count", { rounds }) : undefined;
  await sibling?.ready;
  for (let round = 1; round <= rounds; round++) {
    team.note(`round ${round}`);
    const holder = team.start(host, "hold");
    while (Atomics.load(team.control, HELD) !== round) await sleep(1);
    if (waits === "parent") {
      // So that nothing but what Node tells a parent can prove it.
      host.i32[(SLOTS + holder.cpu * SLOT_BYTES + SLOT_SYSTEM_THREAD) >>> 2] = 0;
    }
    const end = holder.terminate();
    if (waits === "parent") add(map);
    else {
      begin(team.control, round);
      if (Atomics.wait(team.control, COUNTED, round - 1, LIMIT_MS) === "timed-out") {
        throw new Error(`round ${round}: the sibling waits for a thread that is gone`);
      }
    }
    const { count, half } = map.get(1);
    equal(`counts after round ${round}`, round, count);
    equal("what the dead thread has written through the address", round, half);
    await end;
    equal(`state of the slot after round ${round}`, "free", host.slots()[holder.cpu].state);
    verified(host, `after round ${round}`);
    // `verify` is for a memory in which no thread is in a call: one that detaches gives its blocks back under it.
    if (sibling !== undefined) equal("state of the sibling's slot", "live", host.slots()[sibling.cpu].state);
  }
  if (sibling !== undefined) {
    begin(team.control, rounds + 1);
    await team.results([sibling]);
  }
  return { waits, rounds };
}

function begin(control, round) {
  Atomics.store(control, BEGIN, round);
  Atomics.notify(control, BEGIN);
}

/** Holds the lock until it is terminated, having written to the value. */
export function hold({ host, control }) {
  host.open("/account", account).locked(1, (_, address) => {
    host.u32[(address + account.value.offsets.half) >>> 2]++;
    Atomics.add(control, HELD, 1);
    for (;;);
  });
}

/** Counts once in each round, and leaves when all is checked. */
export function count({ host, control }, { rounds }) {
  const map = host.open("/account", account);
  const begun = (round) => {
    while (Atomics.load(control, BEGIN) < round) Atomics.wait(control, BEGIN, round - 1, 1000);
  };
  for (let round = 1; round <= rounds; round++) {
    begun(round);
    add(map);
    Atomics.store(control, COUNTED, round);
    Atomics.notify(control, COUNTED);
  }
  begun(rounds + 1);
}
