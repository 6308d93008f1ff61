/** Maps of every layout, and both kinds of program, for the tests of map.process. */
import {
  ACT_DELETE,
  ACT_KEEP,
  ACT_STOP,
  BPF_F_NO_PREALLOC,
  bytes,
  type Codec,
  type CounterExpression,
  createHost,
  type HashMap,
  type Host,
  type HostOptions,
  type NumberExpression,
  type ProcessOptions,
  type ProcessResult,
  type Program,
  program,
  struct,
  u32,
  u53,
} from "../../src/index.ts";

const MEMORY = 64 * 1024 * 1024;

export interface Kind {
  readonly type: "hash" | "rhash";
  readonly keySize: number;
  readonly valueSize: number;
  readonly flags: number;
}

/** The layouts, by sizes of key and value. */
export const KINDS: readonly Kind[] = [
  { type: "rhash", keySize: 4, valueSize: 8, flags: 0 },
  { type: "rhash", keySize: 16, valueSize: 8, flags: 0 },
  { type: "rhash", keySize: 5, valueSize: 120, flags: 0 },
  { type: "hash", keySize: 4, valueSize: 8, flags: 0 },
  { type: "hash", keySize: 8, valueSize: 8, flags: BPF_F_NO_PREALLOC },
  { type: "hash", keySize: 5, valueSize: 120, flags: BPF_F_NO_PREALLOC },
];

/** A number as a key of any size. */
function keyCodec(size: number): Codec<number> {
  if (size === 4) return u32;
  return {
    ...bytes(size),
    name: `key${size}`,
    encode: (value: number, view: DataView, at: number) => {
      for (let i = 0; i < size; i++) view.setUint8(at + i, i < 4 ? value >>> (8 * i) : i);
    },
    decode: (view: DataView, at: number) =>
      view.getUint8(at) + view.getUint8(at + 1) * 256 + view.getUint8(at + 2) * 65536,
  } as unknown as Codec<number>;
}

/** The value of a number: it holds it in its first field. */
export function valueFor(kind: Kind, n: number): { n: number } {
  return kind.valueSize > 8 ? ({ n, rest: new Uint8Array(kind.valueSize - 8) } as { n: number }) : { n };
}

/** A map with the numbers below `entries`. */
export function openKind(
  kind: Kind,
  entries: number,
  options: HostOptions = {},
  maxEntries = 2 * entries + 10,
): { host: Host; map: HashMap<number, { n: number }> } {
  const host = createHost({ seed: 5, maxMemory: MEMORY, ...options });
  const value = kind.valueSize > 8 ? struct({ n: u53, rest: bytes(kind.valueSize - 8) }) : struct({ n: u53 });
  const map = host.createMap({
    type: kind.type,
    name: "m",
    key: keyCodec(kind.keySize),
    value: value as unknown as Codec<{ n: number }>,
    maxEntries,
    flags: kind.flags,
  }) as unknown as HashMap<number, { n: number }>;
  for (let n = 0; n < entries; n++) map.set(n, valueFor(kind, n));
  return { host, map };
}

/** What a program does with the entry of n. The remainders of divisions. */
export interface Rule {
  /** n % [0] == [1]: it is deleted. */
  readonly deletes?: readonly [number, number] | undefined;
  /** The same: it stops the run. */
  readonly stops?: readonly [number, number] | undefined;
}

export type NumberMap = HashMap<number, { n: number }>;

/** A kind of program. */
export interface Engine {
  readonly name: string;
  /** Runs a program; `seen` gets the numbers of the entries that it has visited. */
  run(
    map: NumberMap,
    kind: Kind,
    rule: Rule,
    options: Partial<ProcessOptions<number, { n: number }>>,
    seen: number[],
  ): ProcessResult;
}

const meets = (n: number, division: Rule["deletes"]) =>
  division !== undefined && n % division[0] === division[1];

export function actionFor(n: number, { deletes, stops }: Rule): number {
  return (meets(n, deletes) ? ACT_DELETE : ACT_KEEP) | (meets(n, stops) ? ACT_STOP : ACT_KEEP);
}

const javascript: Engine = {
  name: "JavaScript",
  run: (map, _kind, rule, options, seen) =>
    map.process({
      ...options,
      filter: (entry) => {
        const { n } = entry.value;
        seen.push(n);
        return actionFor(n, rule);
      },
    }),
};

type Params = { readonly [N in "divisor" | "rest" | "stopDivisor" | "stopRest"]: NumberExpression };

/** A program that deletes where n % divisor == rest and stops where n % stopDivisor == stopRest; 1 and 1 are never. */
export function ruleProgram(map: NumberMap, backend: "wasm" | "js") {
  const build = (
    { value }: { value: { n: NumberExpression } },
    { params, counters }: { params: Params; counters: { sum: CounterExpression } },
  ) => {
    const deletes = value.n.mod(params.divisor).eq(params.rest);
    const stops = value.n.mod(params.stopDivisor).eq(params.stopRest);
    return [
      counters.sum.add(value.n),
      deletes.and(stops).then(ACT_DELETE | ACT_STOP),
      deletes.then(ACT_DELETE),
      stops.then(ACT_STOP),
    ];
  };
  const params = { divisor: u32, rest: u32, stopDivisor: u32, stopRest: u32 };
  return program(map, build as never, { params, counters: { sum: u53 }, backend }) as unknown as Program<
    number,
    { n: number },
    typeof params,
    { sum: typeof u53 }
  >;
}

/** Sets what it deletes and where it stops. */
export function setRule(
  { params }: { params: { divisor: number; rest: number; stopDivisor: number; stopRest: number } },
  { deletes = [1, 1], stops = [1, 1] }: Rule,
): void {
  [params.divisor, params.rest] = deletes;
  [params.stopDivisor, params.stopRest] = stops;
}

/**
 * Compiled programs cannot say which entries they have seen. So this one deletes all of them, its dumper notes them, and those that
 * the rule keeps are put back behind the run: at the position that they had, where they do not come again. But for one that stops
 * inside a bucket: there what was put back is a new entry, which may come.
 */
function compiled(backend: "wasm" | "js"): Engine {
  const programs = new WeakMap<object, ReturnType<typeof ruleProgram>>();
  return {
    name: `compiled, ${backend}`,
    run(map, kind, rule, options, seen) {
      const filter = programs.get(map) ?? ruleProgram(map, backend);
      programs.set(map, filter);
      setRule(filter, { ...rule, deletes: [1, 0] });
      const visited: number[] = [];
      const result = map.process({ ...options, filter, dumper: (entry) => void visited.push(entry.value.n) });
      if (filter.backend !== backend) throw new Error(`runs as ${filter.backend}`);
      let kept = 0;
      for (const n of visited) {
        if (meets(n, rule.deletes)) continue;
        map.set(n, valueFor(kind, n));
        kept++;
      }
      seen.push(...visited);
      return { ...result, deleted: result.deleted - kept };
    },
  };
}

export const ENGINES: readonly Engine[] = [javascript, compiled("wasm"), compiled("js")];
