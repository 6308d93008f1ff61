/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Programs: what to do with the entries of a map, as code that runs beside them.
 *
 * @module
 */
import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import type { Codec, Infer } from "../codec/codec.ts";
import { ACT_KEEP } from "../constants.ts";
import type { CoreHost } from "../core/core_host.ts";
import { noBlock } from "../core/memory/scratch.ts";
import { isArray, roundUp8 } from "../core/tables/registry.ts";
import { bpfError, ERRNO } from "../errors.ts";
import type { EntryMap } from "../maps/base/entry_map.ts";
import { subjectOf } from "../ops/failure.ts";
import type { MapHandle } from "../ops/handle.ts";
import { type LocalSlot, slotStride } from "../ops/percpu.ts";
import { compareBy, hide } from "../print/hidden.ts";
import { cut, INSPECT, MOST_PRINTED, printList } from "../print/inspect.ts";
import { writeFilter } from "./codegen/codegen.ts";
import type { FilterLocals } from "./codegen/codegen_places.ts";
import { instantiate } from "./codegen/compile.ts";
import { type Evaluate, evaluator } from "./evaluate/evaluate.ts";
import { checkElements } from "./expressions/check.ts";
import { CounterExpression } from "./expressions/counters.ts";
import { ArrayExpression, type ExpressionOf, expressionOf } from "./expressions/places.ts";
import { printStatement } from "./expressions/print.ts";
import { type Effect, type Rules, statementsOf } from "./expressions/rules.ts";
import { type NumberKind, numberKind } from "./expressions/scalar_types.ts";
import { record, Scope } from "./expressions/scope.ts";
import type { ProgramTree } from "./expressions/tree.ts";
import { accessors, type Codecs, placeIn, type Section, section } from "./memory.ts";
import { RUNNABLE } from "./runnable.ts";
import { instantiateScanner, type Scanner } from "./scan/scanner.ts";
import { type CodeWriter, ModuleWriter, type Signature, TYPE_I32 } from "./wasm/index.ts";

/** Layouts of the counters of a program: numbers. */
export type CounterCodecs = Readonly<Record<string, Codec<number> | Codec<bigint>>>;

/** The JavaScript values of named layouts. */
export type Values<C> = { -readonly [N in keyof C]: Infer<C[N]> };

/**
 * What a program sees of an entry of a map of type `M`. Keys and values are inferred from methods of {@link EntryMap}: of what a
 * BpfMap has with them in it, published types know nothing.
 */
export type ProgramEntry<M> = M extends { readonly local: LocalSlot<infer K, infer V> }
  ? {
      readonly key: ExpressionOf<K>;
      /** The slot of the thread that runs the program. */
      readonly value: ExpressionOf<V>;
      /** All slots, one per CPU. */
      readonly values: ArrayExpression<V>;
    }
  : M extends EntryMap<infer K, infer V>
    ? { readonly key: ExpressionOf<K>; readonly value: ExpressionOf<V> }
    : never;

/** A program for a map of type `M`. */
export type ProgramOf<M, P, C> = M extends EntryMap<infer K, infer V> ? Program<K, V, P, C> : never;

/** What a program has beside the entry. */
export interface ProgramTools<P, C> {
  /** Expressions of the values that `program.params` has at the time. */
  readonly params: { readonly [N in keyof P]: ExpressionOf<Infer<P[N]>> };
  readonly counters: { readonly [N in keyof C]: CounterExpression };
}

/** Options of {@link program}. */
export interface ProgramOptions<P, C> {
  /** Layouts of values that are set between runs; they start as zeros. */
  readonly params?: P | undefined;
  /** Layouts of counters, all numbers; they start at 0. */
  readonly counters?: C | undefined;
  /**
   * `"js"` runs the program as JavaScript, `"wasm"` insists on generated code. Default: generated code, JavaScript where code
   * generation is forbidden.
   */
  readonly backend?: "wasm" | "js" | undefined;
}

/** What the function of {@link program} returns: rules in order, and effects that happen to every entry that gets to them. */
export type ProgramBody = Rules | Effect | readonly (Rules | Effect)[];

/** What programs are compared by. */
function contentsOfProgram(this: Program<unknown, unknown, object, object>): unknown {
  const { map, params, counters } = this;
  const text = [subjectOf(map), String(this)];
  return this.closed ? text : [...text, { ...params }, { ...counters }];
}

const BACKENDS: readonly unknown[] = ["wasm", "js", undefined];

/**
 * A program over the entries of one map, made by {@link program}. It holds host memory until it or the map is closed.
 */
export class Program<K, V, P = Codecs, C = Codecs> {
  /** The map it is for. */
  declare readonly map: EntryMap<K, V>;
  /** Set these between runs. */
  declare readonly params: Values<P>;
  /** What the program has added up; set them to start anew. */
  declare readonly counters: Values<C>;
  /** @internal */
  get [RUNNABLE](): true {
    return true;
  }

  /** @internal */
  declare readonly tree: ProgramTree;
  /** @internal Address of the program's own memory. */
  declare readonly block: number;
  readonly #bytes: number;
  readonly #wanted: "wasm" | "js" | undefined;
  #evaluate: Evaluate | undefined;
  #scanner: Scanner | undefined;
  #backend: "wasm" | "js" | undefined;
  #closed = false;

  /** @internal Use {@link program}. */
  constructor(
    map: EntryMap<K, V>,
    tree: ProgramTree,
    block: number,
    bytes: number,
    params: Section,
    counters: Section,
    backend: "wasm" | "js" | undefined,
  ) {
    this.#bytes = bytes;
    this.#wanted = backend;
    const { host } = map;
    const check = () => this.check();
    const path = `program: ${subjectOf(map)}`;
    hide<Program<K, V, P, C>>(this, {
      map,
      tree,
      block,
      params: accessors(host, block, params, `${path}: params`, check) as Values<P>,
      counters: accessors(host, block, counters, `${path}: counters`, check) as Values<C>,
    });
    compareBy(this, contentsOfProgram);
    map.resources.add(this);
  }

  /** What the program runs as. */
  get backend(): "wasm" | "js" {
    this.check();
    if (this.#backend === undefined) this.#build();
    return this.#backend as "wasm" | "js";
  }

  /**
   * @internal Decides about one entry, and adds to the counters.
   *
   * @param key address of the key in host memory
   * @param value address of the value, of per-CPU maps that of all slots
   * @returns bits of `ACT_*`
   */
  get evaluate(): Evaluate {
    this.check();
    if (this.#evaluate === undefined) this.#build();
    return this.#evaluate as Evaluate;
  }

  /**
   * @internal Appends code to a function that leaves the action for one entry on the stack as an i32. Only for memory of this
   * host and while the program is open: the code has the address of {@link block} in it.
   */
  emitFilter(code: CodeWriter, locals: FilterLocals): void {
    this.check();
    writeFilter(code, locals, this.tree, this.block);
  }

  /** @internal The loops over a table; undefined when the program runs as JavaScript. */
  get scanner(): Scanner | undefined {
    if (this.backend === "js") return undefined;
    const { host, table } = this.map;
    this.#scanner ??= instantiateScanner(host, table.handle, {
      actions: this.tree.statements.reduce((bits, { action = ACT_KEEP }) => bits | action, ACT_KEEP),
      emit: (code, key, value) => this.emitFilter(code, { key, value }),
    });
    return this.#scanner;
  }

  /** @internal Throws for another map than its own. */
  checkMap(map: MapHandle<unknown, unknown>, what: string): void {
    this.check();
    if (this.map.host === map.host && this.map.table.handle === map.table.handle) return;
    throw new TypeError(`${what}: is a program of ${subjectOf(this.map)}`);
  }

  /** The rules as one would write them in C, one per line. */
  toString(): string {
    return this.tree.statements.map(printStatement).join("\n");
  }

  get [Symbol.toStringTag](): string {
    return "Program";
  }

  /** What `JSON.stringify` gives: the map and the rules. */
  toJSON(): { map: string; rules: string[] } {
    return { map: this.map.name, rules: this.tree.statements.map(printStatement) };
  }

  /** @internal */
  [INSPECT](): string {
    const rules = this.tree.statements.map(printStatement);
    const title = `Program of ${subjectOf(this.map)}`;
    if (this.#closed) return `${title} (closed)`;
    return printList(title, rules.slice(0, MOST_PRINTED).map(cut), rules.length - MOST_PRINTED);
  }

  /** Gives the memory back. Calling it again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { map } = this;
    map.resources.delete(this);
    if (this.#bytes > 0) map.host.release(this.block, this.#bytes);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal Whether it was closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @internal Throws when it is closed. */
  check(): void {
    if (!this.#closed) return;
    const { map } = this;
    throw bpfError(
      ERRNO.EBADF,
      "program",
      `the program of ${subjectOf(map)}`,
      map.closed ? "is closed, with its map" : "is closed",
    );
  }

  #build(): void {
    this.check();
    const { host } = this.map;
    const generated = this.#wanted === "js" ? undefined : this.#instantiate(host);
    if (generated === undefined && this.#wanted === "wasm") {
      throw new Error(
        `program: ${subjectOf(this.map)}: code generation is forbidden here: allow 'wasm-unsafe-eval' in the ` +
          'Content-Security-Policy (script-src), or leave backend: "wasm" out',
      );
    }
    this.#backend = generated === undefined ? "js" : "wasm";
    this.#evaluate = generated ?? evaluator(host, this.tree, this.block);
  }

  /** A module of one function, which is given the addresses of key and value. */
  #instantiate(host: CoreHost): Evaluate | undefined {
    const module = new ModuleWriter(host);
    const signature: Signature = { parameters: [TYPE_I32, TYPE_I32], results: [TYPE_I32] };
    module.function("evaluate", signature, (code, [key, value]) => this.emitFilter(code, { key, value }));
    return instantiate(host, module.finish())?.evaluate as Evaluate | undefined;
  }
}

/**
 * Makes a program for a map. `build` is called once, with expressions in the place of an entry, and returns rules:
 * `condition.then(action)`, or several in an array, of which the first whose condition an entry meets decides about it. Entries
 * that meet none are kept.
 *
 * @param build returns rules. It runs only now: what it reads of JavaScript is constant from then on, but for `params`
 * @throws TypeError or RangeError for what does not fit the layout of the map, with the path of the field; BpfError ENOMEM when
 *   there is no memory for params and counters
 * @example
 * ```ts
 * import { ACT_DELETE, createMap, program, struct, u8, u32, u53 } from "bpfmap";
 *
 * const flows = createMap({
 *   type: "rhash",
 *   name: "flows",
 *   key: struct({ source: u32, proto: u8 }),
 *   value: struct({ bytes: u53, lastSeen: u32 }),
 *   maxEntries: 1000,
 * });
 * const expire = program(
 *   flows,
 *   ({ key, value }, { params, counters }) =>
 *     value.lastSeen.lt(params.before).and(key.proto.eq(17)).then(ACT_DELETE, counters.bytes.add(value.bytes)),
 *   { params: { before: u32 }, counters: { bytes: u53 } },
 * );
 * expire.params.before = 100;
 * console.log(String(expire));
 * // (value.lastSeen < params.before) && (key.proto == 17): counters.bytes += value.bytes, ACT_DELETE
 * console.log(expire.backend, expire.counters.bytes); // wasm 0
 * ```
 */
export function program<
  M extends EntryMap<unknown, unknown>,
  P extends Codecs = Record<never, never>,
  C extends CounterCodecs = Record<never, never>,
>(
  map: M,
  build: (entry: ProgramEntry<M>, tools: ProgramTools<P, C>) => ProgramBody,
  options: ProgramOptions<P, C> = {},
): ProgramOf<M, P, C> {
  if (map?.host === undefined) throw new TypeError(`program: expected a map, got ${describe(map)}`);
  if (map.closed) map.refuse("program");
  const subject = subjectOf(map);
  if (typeof build !== "function") {
    throw new TypeError(
      `program: ${subject}: expected a function that returns rules, got ${describe(build)}`,
    );
  }
  const { params, counters, backend } = checkOptions(subject, options);
  const scope = new Scope(subject);
  const tools = {
    params: record(scope, "params", Object.keys(params.codecs), (name) =>
      expressionOf(scope, params.codecs[name], placeIn(params, name, "params"), 0),
    ),
    counters: record(scope, "counters", Object.keys(counters.codecs), (name) => {
      const kind = numberKind(counters.codecs[name]) as NumberKind;
      return new CounterExpression(scope, kind, placeIn(counters, name, "counters"));
    }),
  };
  const entry = entryOf(scope, map);
  let tree: ProgramTree;
  try {
    const statements = statementsOf(scope, build(entry as ProgramEntry<M>, tools as ProgramTools<P, C>));
    checkElements(scope, statements);
    scope.checkAllUsed();
    tree = { statements, zeros: counters.end };
  } finally {
    scope.closed = true;
  }
  if (map.closed) map.refuse("program"); // by `build`, or a getter of the options
  const bytes = counters.end + roundUp8(scope.zeros);
  const block = bytes === 0 ? 0 : map.host.allocate(bytes);
  if (block === 0 && bytes > 0) throw noBlock(map.host, "program", subject);
  map.host.u8.fill(0, block, block + bytes);
  const made = new Program<unknown, unknown, P, C>(map, tree, block, bytes, params, counters, backend);
  // Now, and not in the first run, which may have a budget. Arrays have no runs.
  try {
    if (!isArray(map.table.type)) made.scanner;
  } catch (error) {
    made.close();
    throw error;
  }
  return made as unknown as ProgramOf<M, P, C>;
}

function checkOptions(subject: string, options: unknown) {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`program: ${subject}: expected an object of options, got ${describe(options)}`);
  }
  checkKnown(`program: ${subject}`, options, ["params", "counters", "backend"]);
  const { params = {}, counters = {}, backend } = options as ProgramOptions<unknown, unknown>;
  if (!BACKENDS.includes(backend)) {
    throw new TypeError(`program: ${subject}: backend: expected "wasm" or "js", got ${describe(backend)}`);
  }
  const first = section(`program: ${subject}: params`, params, 0, false);
  return {
    params: first,
    counters: section(`program: ${subject}: counters`, counters, first.end, true),
    backend,
  };
}

/** The expressions of an entry. The value of a per-CPU map is the slot of this thread. */
function entryOf(scope: Scope, map: MapHandle<unknown, unknown>): object {
  const { keyCodec, valueCodec, host } = map;
  const key = { base: "key", offset: 0, path: "key" } as const;
  const value = { base: "value", offset: 0, path: "value" } as const;
  if (!("slot" in valueCodec)) {
    return record(scope, "the entry", ["key", "value"], (name) =>
      name === "key" ? expressionOf(scope, keyCodec, key, 0) : expressionOf(scope, valueCodec, value, 0),
    );
  }
  const slot = valueCodec.slot as Codec<unknown>;
  const stride = slotStride(map);
  return record(scope, "the entry", ["key", "value", "values"], (name) => {
    if (name === "key") return expressionOf(scope, keyCodec, key, 0);
    if (name === "value") return expressionOf(scope, slot, { ...value, offset: host.cpu * stride }, 0);
    return new ArrayExpression(scope, 0, slot, stride, host.cpus, { ...value, path: "values" });
  });
}
