// States that are joined and compared: a joined state holds both, or a walk would not come to an end.
import { describe, expect, it } from "vitest";
import { joinedState } from "../../../src/ebpf/verify/join.ts";
import {
  isPointer,
  NO_RANGE,
  type Pointer,
  pointerTo,
  type Register,
  target,
} from "../../../src/ebpf/verify/pointer.ts";
import { between, constant, loaded, UNKNOWN, ZERO } from "../../../src/ebpf/verify/scalar/scalar.ts";
import type { Session } from "../../../src/ebpf/verify/session.ts";
import { CallPath, newFrame, type State } from "../../../src/ebpf/verify/state.ts";
import { targetLike, targetOfKey, targetOfMap, targetOfValue } from "../../../src/ebpf/verify/targets.ts";
import { isWithin, knownState } from "../../../src/ebpf/verify/within.ts";
import { Random } from "../../../src/testing/random.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";
import { ARRAY, HASH, mapLike } from "../support/verified.ts";

const seed = testSeed("ebpf/verify/states.test.ts");
const OTHER = mapLike({ name: "other" });
const LOCKED = mapLike({ name: "locked", lockOffset: 0 });

let ids = 1000;
const session = {
  newId: () => {
    ids++;
    return ids;
  },
} as Session;

/** What may be in a register. Few ids, so that some are the same. */
function anyRegister(random: Random): Register | undefined {
  const id = 1 + random.below(4);
  const moved = (pointer: Pointer): Pointer =>
    pointer.with({ fixed: 4 * random.below(4), hasWindow: random.chance(80) });
  switch (random.below(13)) {
    case 0:
      return undefined;
    case 1:
      return UNKNOWN.withId(random.below(3));
    case 2:
      return constant(random.below(5) - 2);
    case 3:
      return between(random.below(10), 10 + random.below(300)).withId(random.below(3));
    case 4:
      return loaded(4);
    case 5:
      return moved(pointerTo(target("stack", { place: 0, writable: true })));
    case 6:
      return pointerTo(targetOfValue([HASH, ARRAY, LOCKED][random.below(3)]), {
        nullable: random.chance(50),
        id,
      });
    case 7:
      return moved(pointerTo(targetOfValue(ARRAY))).with({ variable: between(0, random.below(40)) });
    case 8: {
      const start = moved(pointerTo(target("packet", { writable: true }))).with({ range: random.below(30) });
      if (random.chance(50)) return start;
      return start.with({ id, variable: between(0, 100 * id), range: random.chance(50) ? NO_RANGE : 8 });
    }
    case 9:
      return pointerTo([targetOfMap(HASH), targetOfMap(OTHER), targetLike(HASH)][random.below(3)]);
    case 10:
      return pointerTo(targetOfKey(HASH));
    case 11:
      return pointerTo(target("context"));
    default:
      return ZERO;
  }
}

function anyState(random: Random): State {
  const registers = Array.from({ length: 10 }, () => anyRegister(random));
  const frame = newFrame(0, -1, registers);
  for (let k = random.below(6); k > 0; k--) {
    const value = anyRegister(random);
    if (value !== undefined) frame.stack.store(-8 * (1 + random.below(4)), random.chance(70) ? 8 : 4, value);
  }
  if (random.chance(50)) frame.stack.overwrite(-16 - random.below(8), 1 + random.below(3));
  return { frames: [frame], calls: [new CallPath()], lock: undefined, reservations: [] };
}

describe("a joined state", () => {
  it.each([false, true])("holds both states; widened: %s", (widens) => {
    const random = new Random(seed);
    for (let round = 0; round < bySize(2_000, 100_000); round++) {
      const [a, b] = [anyState(random), anyState(random)];
      const joined = knownState(joinedState(session, a, b, widens));
      expect(isWithin(a, joined) && isWithin(b, joined), `round ${round}`).toBe(true);
    }
  });

  it("comes to rest", () => {
    const random = new Random(seed);
    for (let round = 0; round < bySize(100, 5_000); round++) {
      let state = anyState(random);
      let changes = 0;
      for (let k = 0; k < 60; k++) {
        const next = anyState(random);
        if (isWithin(next, knownState(state))) continue;
        state = joinedState(session, state, next, k > 3);
        changes++;
      }
      expect(changes).toBeLessThan(60);
    }
  });

  const joined = (a: Register, b: Register): Register => {
    const state = (register: Register): State => ({
      frames: [newFrame(0, -1, [register])],
      calls: [new CallPath()],
      lock: undefined,
      reservations: [],
    });
    return joinedState(session, state(a), state(b), false).frames[0].registers[0]!;
  };
  const value = pointerTo(targetOfValue(HASH), { id: 5 });
  const frame = pointerTo(target("stack", { writable: true }));

  it("has memory of different kinds as mixed, writable if both are", () => {
    const mixed = joined(value, frame) as Pointer;
    expect(mixed).toMatchObject({ kind: "mixed", nullable: false, hasWindow: true });
    expect(mixed.target).toMatchObject({ writable: true, kinds: new Set(["stack", "value"]) });
    expect((joined(mixed, pointerTo(targetOfKey(HASH))) as Pointer).target.writable).toBe(false);
  });

  it.each([
    ["a pointer and a number", value, constant(7)],
    ["a value with a lock and a frame", pointerTo(targetOfValue(LOCKED), { id: 5 }), frame],
    ["a map and a frame", pointerTo(targetOfMap(HASH)), frame],
    ["maps that are not alike", pointerTo(targetOfMap(HASH)), pointerTo(targetOfMap(ARRAY))],
  ])("has nothing to follow for %s", (_, a, b) => {
    expect(joined(a, b)).toBe(UNKNOWN);
  });

  it("has a pointer and NULL as one that may be NULL, and maps that are alike as either", () => {
    expect(joined(ZERO, value)).toMatchObject({ kind: "value", nullable: true });
    const either = joined(pointerTo(targetOfMap(HASH)), pointerTo(targetOfMap(OTHER)));
    expect(isPointer(either) && either.target.isOne).toBe(false);
  });
});
