// Every allocation fails once: the call answers ENOMEM or copes, the map stays what the model says, works on when memory is
// there again, and leaves no byte behind.
import { describe, expect, test } from "vitest";
import { BPF_F_NO_PREALLOC, createHost, ERRNO, type Host } from "../../src/index.ts";
import {
  generateOperations,
  type Operation,
  ReferenceMap,
  replay,
  type Subject,
  type SubjectScan,
} from "../../src/testing/index.ts";
import { describeSpec } from "../support/open.ts";
import { testSeed } from "../support/seed.ts";
import { growthAndShrink, longSections, withScans } from "../support/sequences.ts";
import { bySize } from "../support/size.ts";
import { type AnySpec, openAnySubject } from "../support/text_subject.ts";

const seed = testSeed("host/enomem.test.ts");

/** Bytes: to make room for all that addresses reach takes an engine longer than most of these runs. */
const MAX_MEMORY = 64 * 1024 * 1024;

const ALL: AnySpec[] = [
  { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 3000 },
  { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 3000, absentFilter: true },
  { type: "rhash", keySize: 8, valueSize: 8, maxEntries: 3000 },
  { type: "rhash", keySize: 7, valueSize: 20, maxEntries: 3000 },
  { type: "rhash", keySize: 16, valueSize: 100, maxEntries: 3000 },
  { type: "rhash", keySize: 100, valueSize: 3000, maxEntries: 3000 },
  { type: "hash", keySize: 4, valueSize: 8, maxEntries: 3000, flags: BPF_F_NO_PREALLOC },
  { type: "hash", keySize: 4, valueSize: 8, maxEntries: 3000, flags: BPF_F_NO_PREALLOC, absentFilter: true },
  { type: "hash", keySize: 16, valueSize: 8, maxEntries: 3000, flags: BPF_F_NO_PREALLOC },
  { type: "hash", keySize: 16, valueSize: 100, maxEntries: 3000, flags: BPF_F_NO_PREALLOC },
  { type: "hash", keySize: 4, valueSize: 8, maxEntries: 3000 },
  { type: "hash", keySize: 16, valueSize: 100, maxEntries: 3000 },
  { type: "rhash", keySize: 4, valueSize: 8, maxEntries: 3000, texts: true },
  { type: "hash", keySize: 4, valueSize: 8, maxEntries: 3000, texts: true },
  { type: "hash", keySize: 4, valueSize: 40, maxEntries: 3000, flags: BPF_F_NO_PREALLOC, texts: true },
];
/** Shared hosts refuse a filter. */
const SPECS = ALL.filter(
  (spec) => spec.absentFilter !== true || !createHost({ maxMemory: MAX_MEMORY }).shared,
);
const named = SPECS.map((spec) => [describeSpec(spec), spec] as const);

/** Limits the bytes that all of a host may use, 0 for none: an export of the core for tests like these. */
function setLimit(host: Host, bytes: number): void {
  (host.core as typeof host.core & { setLimit(bytes: number): void }).setLimit(bytes);
}

/** Runs `call` while at most `bytes` more may be allocated. */
function within<T>(host: Host, bytes: number, call: () => T): T {
  setLimit(host, (host.core.bytesInUse() >>> 0) + bytes);
  try {
    return call();
  } finally {
    setLimit(host, 0);
  }
}

const NOTHING = new Uint8Array(0);

/** Calls that must not need memory: whoever is out of it must be able to look and to delete. */
const FRUGAL = new Set(["lookup", "has", "delete", "lookupAndDelete", "nextKey", "clear", "stats", "size"]);

/**
 * Fails every allocation of an update in turn: tries it with no byte to spare, then with more and more until it succeeds, in
 * steps of the 64 bytes that allocations are made of, wider ones from 1 KiB on. Other calls have no byte to spare.
 */
function starved(host: Host, subject: Subject, refused: { count: number }): Subject {
  const scan = (inner: SubjectScan): SubjectScan => ({
    step: (room) => within(host, 0, () => inner.step(room)),
    rewind: () => inner.rewind(),
  });
  const update: Subject["update"] = (key, value, flags) => {
    const before = { size: subject.size, value: subject.lookup(key) };
    for (let spare = 0; ; spare += spare < 1024 ? 64 : spare >> 1) {
      const errno = within(host, spare, () => subject.update(key, value, flags));
      if (errno !== ERRNO.ENOMEM) return errno;
      refused.count++;
      const size = subject.size;
      const now = subject.lookup(key);
      const isSame = now === before.value || Buffer.compare(now ?? NOTHING, before.value ?? NOTHING) === 0;
      if (!isSame || size !== before.size) expect({ size, value: now }).toEqual(before);
    }
  };
  return new Proxy(subject, {
    get(target, name) {
      if (name === "update") return update;
      if (name === "scan" || name === "drain") return () => scan(target[name]());
      const property: unknown = Reflect.get(target, name, target);
      if (typeof property !== "function") return property;
      if (FRUGAL.has(name as string)) {
        return (...args: unknown[]) => within(host, 0, () => property.apply(target, args));
      }
      return property.bind(target);
    },
  });
}

describe("each allocation of each call fails once", () => {
  test.each(named)("%s", (_name, spec) => {
    const sequences = (): Iterable<Operation>[] => [
      growthAndShrink(bySize(100, 1200), seed),
      withScans(longSections(bySize(100, 600), seed), { scan: 10, iterate: 10, drain: 1, single: 30 }, seed),
      generateOperations({ seed, steps: bySize(300, 4000), keys: 1200, maxEntries: spec.maxEntries }),
    ];
    const refused = { count: 0 };
    for (const operations of sequences()) {
      const host = createHost({ seed, maxMemory: MAX_MEMORY });
      replay(operations, starved(host, openAnySubject(host, spec), refused), new ReferenceMap(spec), {
        seed,
      });
      expect(host.memoryUsage().bytes).toBe(0);
    }
    // A preallocated hash may need overflow blocks at most.
    const preallocated = spec.type === "hash" && spec.flags === undefined;
    if (!preallocated) expect(refused.count).toBeGreaterThan(10);
  });
});

describe("a limit that stays, at every size that the map grows through", () => {
  const operations = () => growthAndShrink(bySize(150, 500), seed);

  /** How many bytes were in use, after each operation that used more than any before. */
  function highWaterMarks(spec: AnySpec): number[] {
    const host = createHost({ seed, maxMemory: MAX_MEMORY });
    const subject = openAnySubject(host, spec);
    const marks: number[] = [];
    const watched = (function* () {
      for (const operation of operations()) {
        yield operation;
        const bytes = host.core.bytesInUse() >>> 0;
        if (bytes > (marks.at(-1) ?? 0)) marks.push(bytes);
      }
    })();
    replay(watched, subject, new ReferenceMap(spec), { seed });
    return marks;
  }

  test.each(named)("%s", (_name, spec) => {
    const marks = highWaterMarks(spec);
    const every = Math.ceil(marks.length / bySize(4, 20));
    let refusedInAll = 0;
    for (let i = 1; i < marks.length; i += every) {
      const host = createHost({ seed, maxMemory: MAX_MEMORY });
      const subject = openAnySubject(host, spec);
      let refused = 0;
      let limited = true;
      const update: Subject["update"] = (key, value, flags) => {
        const errno = subject.update(key, value, flags);
        if (errno === ERRNO.ENOMEM) {
          refused++;
          expect(limited).toBe(true);
        }
        return errno;
      };
      const watched = new Proxy(subject, {
        get(target, name) {
          const property: unknown = name === "update" ? update : Reflect.get(target, name, target);
          return typeof property === "function" ? property.bind(target) : property;
        },
      });
      const phases = (function* () {
        setLimit(host, marks[i]! - 1);
        yield* operations();
        setLimit(host, 0);
        limited = false;
        yield* growthAndShrink(bySize(200, 500), seed + 1);
      })();
      replay(phases, watched, new ReferenceMap(spec), { seed, outOfMemory: true });
      expect(host.memoryUsage().bytes).toBe(0);
      refusedInAll += refused;
    }
    // A preallocated hash of this size never allocates again, or only an overflow block now and then.
    if (marks.length > 2) expect(refusedInAll).toBeGreaterThan(0);
  });
});

test("a map that does not fit is refused and leaves nothing behind", () => {
  for (const spec of SPECS) {
    const host = createHost({ seed, maxMemory: MAX_MEMORY });
    let refused = 0;
    for (let limit = 64; ; limit += limit < 4096 ? 64 : limit >> 3) {
      setLimit(host, limit);
      try {
        const subject = openAnySubject(host, spec);
        expect(subject.close()).toBe(0);
        break;
      } catch (error) {
        expect(error).toMatchObject({ code: "ENOMEM" });
        expect(host.memoryUsage().bytes).toBe(0);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(0);
  }
});
