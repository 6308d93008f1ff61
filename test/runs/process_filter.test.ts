// What a filter may do to its map and its host: the rows of the table in docs/programs.md that process.test.ts does not have.
import { describe, expect, it } from "vitest";
import { ACT_DELETE, ACT_KEEP } from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";
import { KINDS, openKind } from "./kinds.ts";

describe.each([false, true])("a filter on a host with shared: %s", (shared) => {
  const options = shared ? { shared, cpus: 2 } : {};

  it("drains the map: what is gone does not come", () => {
    const { host, map } = openKind(KINDS[0]!, 100, options);
    let drained = 0;
    const result = map.process({
      filter: () => {
        for (const _ of map.drain()) drained++;
        return ACT_DELETE;
      },
    });
    expect([result, drained, map.size]).toEqual([{ visited: 1, deleted: 0, stopped: false }, 100, 0]);
    expect(host.verify()).toEqual([]);
  });

  it("sets its entry anew: the new one is not what it has seen, and stays", () => {
    const { host, map } = openKind(KINDS[0]!, 100, options);
    const dumped: number[] = [];
    const result = map.process({
      filter: (entry) => {
        const { key } = entry;
        if (key % 2 === 0 && map.delete(key)) map.set(key, { n: 7 });
        return ACT_DELETE;
      },
      dumper: (entry) => void dumped.push(entry.key),
    });
    expect(result.deleted).toBe(dumped.length);
    expect(dumped.every((key) => key % 2 === 1)).toBe(true);
    expect([...map.keys()].every((key) => key % 2 === 0)).toBe(true);
    expect([...map.values()].every(({ n }) => n === 7)).toBe(true);
    expect([map.size, host.verify()]).toEqual([100 - dumped.length, []]);
  });
});

it("a shared host is not closed from within a run, which goes on", () => {
  const { host, map } = openKind(KINDS[0]!, 10, { shared: true, cpus: 2 });
  const calls = { filter: 0, dumper: 0 };
  const close = (where: keyof typeof calls) => {
    calls[where]++;
    expectErrno(() => host.close(), "EBUSY");
  };
  const result = map.process({
    filter: (entry) => {
      close("filter");
      return entry.key === 3 ? ACT_KEEP : ACT_DELETE;
    },
    dumper: () => close("dumper"),
  });
  expect([result.deleted, calls, map.size]).toEqual([9, { filter: 10, dumper: 9 }, 1]);
  host.close();
});
