// The heap of timers beside a list that is searched.
import { expect, test } from "vitest";
import { DueHeap } from "../../../src/ops/timers/due_heap.ts";
import { Random } from "../../../src/testing/index.ts";
import { testSeed } from "../../support/seed.ts";

const seed = testSeed("ops/timers/due_heap.test.ts");

test("records come by due time and order, whatever was added, moved and removed", () => {
  const random = new Random(seed);
  const heap = new DueHeap();
  const model = new Map<number, { due: number; order: number }>();
  for (let order = 1; order <= 4000; order++) {
    const due = random.below(50);
    // Phases of growing and shrinking.
    const growing = order % 1000 < 600;
    const records = [...model.keys()];
    const record = records[random.below(Math.max(1, records.length))];
    if (records.length === 0 || random.chance(growing ? 60 : 20)) {
      heap.reserve();
      const added = heap.add(due, order);
      expect(model.has(added)).toBe(false);
      model.set(added, { due, order });
    } else if (random.chance(50)) {
      heap.move(record, due, order);
      model.set(record, { due, order });
    } else {
      const gone = random.chance(50) ? heap.first : record;
      heap.remove(gone);
      expect(heap.isUsed(gone)).toBe(false);
      model.delete(gone);
    }
    expect(heap.count).toBe(model.size);
    if (model.size === 0) {
      heap.clear();
      continue;
    }
    const first = [...model].reduce((a, b) => ((b[1].due - a[1].due || b[1].order - a[1].order) < 0 ? b : a));
    expect(heap.first, `TEST_SEED=${seed}`).toBe(first[0]);
    expect([heap.due(heap.first), heap.order(heap.first)]).toEqual([first[1].due, first[1].order]);
  }
});

test("free records are used again, and many are given back when none is in use", () => {
  const heap = new DueHeap();
  for (let i = 0; i < 1000; i++) {
    heap.reserve();
    heap.remove(heap.add(i, i));
  }
  expect(heap.capacity).toBeLessThanOrEqual(16);
  for (let i = 0; i < 1000; i++) {
    heap.reserve();
    heap.add(i, i);
  }
  expect(heap.capacity).toBeLessThan(2048);
  while (heap.count > 0) heap.remove(heap.first);
  heap.clear();
  expect(heap.capacity).toBe(0);
});
