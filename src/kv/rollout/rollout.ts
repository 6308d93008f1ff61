/**
 * Runs plans, forwards and back. The protocol stands in assembly/kv/manifest.ts: values to come are staged beside the old ones, and one
 * operation of the core switches, unless a value has changed that another one was made from; then that one is made again.
 *
 * @module
 */

import { noBlock } from "../../core/memory/scratch.ts";
import { bpfError, ERRNO, type Operation } from "../../errors.ts";
import { KV_CHANGE_BYTES, KV_CHANGED, KV_STAGING } from "../../generated/abi.js";
import {
  type CheckedManifest,
  type CheckedPair,
  type StoredPair,
  writeManifest,
} from "../manifest/manifest.ts";
import { RETAINED, STAGED } from "../metadata.ts";
import { Binding } from "../store/binding.ts";
import { storeError } from "../store/failure.ts";
import type { StoreHandle } from "../store/store_handle.ts";
import { exclusively, GATE, hold, letGo } from "./exclusive.ts";
import { type Move, type Plan, planOf } from "./plan.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Switches that others may foil before they are kept out. */
const OUTRUN = 16;
/** Switches that a conversion itself may foil. */
const MOST_TRIES = 1000;

/** What a switch does to a key. */
interface Change {
  readonly key: number;
  /** Bytes of the pair that has it then, or STAGED or RETAINED. */
  readonly owner: number;
  /** The value that it must have. */
  expected?: Bytes;
  /** It has another one: makes what was made from it again, and sets `expected`. */
  again?: () => void;
}

/** A conversion that was done. */
interface Conversion {
  readonly move: Move & { kind: "convert" };
  /** Key of the new value. */
  readonly key: number;
  /** The new value, as of the switch. */
  value: Bytes;
}

function stored({ name, layout, size, version }: CheckedPair, key: number): StoredPair {
  return { name, layout, size, version, key };
}

/** Puts bytes where the core takes a value from. */
function stage(store: StoreHandle, bytes: Uint8Array): number {
  const { scratch, u8 } = store.host;
  scratch.turn++;
  u8.set(bytes, scratch.value);
  return scratch.value;
}

/** A new key with a value for a pair to come. */
function claim(store: StoreHandle, operation: Operation, bytes: Bytes): number {
  const key = store.core.kvClaim(store.handle, stage(store, bytes), bytes.length);
  if (store.host.u8.length === 0) store.host.refresh();
  if (key >= 0) return key;
  if (-key !== ERRNO.E2BIG) throw storeError(store, operation, -key, 0, bytes.length);
  const cause = `has no free key: old and new values of a rollout are side by side in its ${store.maxKeys} keys`;
  throw bpfError(ERRNO.ENOSPC, operation, store.subject, cause, "create it with more maxKeys");
}

/** Another value for a key that is staged or retained. */
function restage(store: StoreHandle, operation: Operation, key: number, bytes: Bytes): void {
  const errno = store.core.kvPut(store.handle, key, stage(store, bytes), bytes.length, KV_STAGING);
  if (store.host.u8.length === 0) store.host.refresh();
  if (errno !== 0) throw storeError(store, operation, errno, key, bytes.length);
}

/** Frees the keys of an owner. */
function sweep(store: StoreHandle, operation: Operation, owner: number): void {
  const errno = store.core.kvSweep(store.handle, owner);
  if (errno !== 0) throw storeError(store, operation, errno, 0);
}

function currentValue(store: StoreHandle, operation: Operation, key: number): Bytes {
  store.check(operation); // a conversion may have closed it
  return store.get(key) as Bytes; // a pair in force always has a value
}

/** Calls the core with all it needs in host memory: what `kvSwitch` answers. */
function callSwitch(
  store: StoreHandle,
  operation: Operation,
  changes: readonly Change[],
  text: Uint8Array,
  generation: number,
): number {
  const { host } = store;
  const values = changes.reduce((sum, { expected }) => sum + (expected?.length ?? 0), 0);
  const list = host.scratch.stage(changes.length * KV_CHANGE_BYTES + values + text.length + 8);
  if (list === 0) throw noBlock(host, operation, store.subject);
  let at = list + changes.length * KV_CHANGE_BYTES;
  for (const [i, { key, owner, expected }] of changes.entries()) {
    const change = list + i * KV_CHANGE_BYTES;
    host.putWord(change, key);
    host.putWord(change + 4, owner);
    host.putWord(change + 8, expected === undefined ? 0 : at);
    host.putWord(change + 12, expected?.length ?? 0);
    if (expected === undefined) continue;
    host.u8.set(expected, at);
    at += expected.length;
  }
  host.u8.set(text, at);
  const result = store.core.kvSwitch(store.handle, list, changes.length, at, text.length, generation);
  if (host.u8.length === 0) host.refresh();
  return result;
}

/** Puts pairs in force, making again what has changed meanwhile. */
function switchOver(
  store: StoreHandle,
  operation: Operation,
  pairs: readonly StoredPair[],
  changes: readonly Change[],
  generation: number,
): void {
  const text = writeManifest(pairs);
  let gated = false;
  try {
    for (let tries = 1; ; tries++) {
      const result = callSwitch(store, operation, changes, text, generation);
      if (result === 0) return;
      if (result < KV_CHANGED) throw storeError(store, operation, result, 0);
      if (tries === MOST_TRIES) {
        const cause = `cannot be switched over: a conversion has changed its own source ${tries} times`;
        throw bpfError(ERRNO.EAGAIN, operation, store.subject, cause);
      }
      if (tries === OUTRUN) {
        hold(store, operation, GATE);
        gated = true;
      }
      changes[result - KV_CHANGED].again?.();
      store.check(operation);
    }
  } finally {
    if (gated && !store.host.closed) letGo(store, GATE);
  }
}

/** Stages what a plan adds and converts, and switches. What the undo needs: the conversions. */
function advance(
  store: StoreHandle,
  plan: Plan,
  generation: number,
): { pairs: StoredPair[]; conversions: Conversion[] } {
  const operation = "kv.rollout";
  const pairs: StoredPair[] = [];
  const changes: Change[] = [];
  const conversions: Conversion[] = [];
  for (const move of plan.moves) {
    if (move.kind === "drop") {
      changes.push({ key: move.from.key, owner: RETAINED });
      continue;
    }
    if (move.kind === "keep") {
      pairs.push(stored(move.to, move.from.key));
      continue;
    }
    if (move.kind === "add") {
      const key = claim(store, operation, move.to.initial);
      changes.push({ key, owner: move.to.size });
      pairs.push(stored(move.to, key));
      continue;
    }
    const source = currentValue(store, operation, move.from.key);
    const value = move.forward(source);
    store.check(operation);
    const conversion: Conversion = { move, key: claim(store, operation, value), value };
    const change: Change = { key: move.from.key, owner: RETAINED, expected: source };
    change.again = () => {
      change.expected = currentValue(store, operation, move.from.key);
      conversion.value = move.forward(change.expected);
      store.check(operation);
      restage(store, operation, conversion.key, conversion.value);
    };
    changes.push(change, { key: conversion.key, owner: move.to.size });
    conversions.push(conversion);
    pairs.push(stored(move.to, conversion.key));
  }
  switchOver(store, operation, pairs, changes, generation);
  return { pairs, conversions };
}

/** {@link KvStore.rollout}. */
export function rollOut(store: StoreHandle, next: CheckedManifest): Plan {
  const operation = "kv.rollout";
  return exclusively(store, operation, () => {
    const plan = planOf(store, operation, next);
    sweep(store, operation, STAGED);
    const before = store.binding;
    const { generation, pairs: pairsBefore } = store.manifest;
    if (plan.isEmpty && generation > 0) {
      store.binding = Binding.of(store, operation, next);
      return plan.executed({ undo() {}, seal() {} });
    }
    sweep(store, operation, RETAINED);
    let done: { pairs: StoredPair[]; conversions: Conversion[] };
    try {
      done = advance(store, plan, generation);
    } catch (error) {
      // What the thread cannot free, the next rollout will.
      if (!store.closed) store.core.kvSweep(store.handle, STAGED);
      throw error;
    }
    store.binding = Binding.of(store, operation, next);
    const outcome = { ...done, pairsBefore, generation: generation + 1 };
    return plan.executed({
      undo: (discard) => {
        goBack(store, plan, outcome, discard);
        store.binding = before;
      },
      seal: () =>
        exclusively(store, "plan.seal", () => {
          checkLast(store, "plan.seal", outcome);
          sweep(store, "plan.seal", RETAINED);
        }),
    });
  });
}

/** What a rollout has left for its undo. */
interface Outcome {
  readonly pairs: readonly StoredPair[];
  readonly conversions: readonly Conversion[];
  readonly pairsBefore: readonly StoredPair[];
  /** The store's, after it. */
  readonly generation: number;
}

/** Throws when another rollout has begun since. */
function checkLast(
  store: StoreHandle,
  operation: Operation,
  { generation, pairsBefore, pairs }: Outcome,
): void {
  const kept = new Set(pairs.map(({ key }) => key));
  const current = store.generation === generation;
  const retained = pairsBefore.every(({ key }) => kept.has(key) || store.ownerOf(key) === RETAINED);
  if (current && retained) return;
  const cause = "has been rolled out again since, or sealed";
  throw bpfError(ERRNO.EINVAL, operation, store.subject, cause, "make a rollout to the manifest of before");
}

function lossError(store: StoreHandle, names: readonly string[]): Error {
  const list = names.map((name) => JSON.stringify(name)).join(", ");
  const cause = `has updates since the rollout that would be lost, of ${list}`;
  const remedy = "give their pairs a revert(), or undo({ discardUpdates: true })";
  return bpfError(ERRNO.EBUSY, "plan.undo", store.subject, cause, remedy);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The change that takes a converted pair back; undefined when that would lose an update. */
function backChange(
  store: StoreHandle,
  { move, key, value }: Conversion,
  discard: boolean,
): Change | undefined {
  const operation = "plan.undo";
  const change: Change = { key, owner: STAGED };
  /** The old bytes are as the rollout has left them, unless they are made again. */
  const goesBack = () => {
    const now = currentValue(store, operation, key);
    const old = isEqual(now, value) ? undefined : move.back?.(now);
    store.check(operation);
    if (old !== undefined) restage(store, operation, move.from.key, old);
    else if (!isEqual(now, value) && !discard) return false;
    if (old !== undefined || !discard) change.expected = now;
    else delete change.expected;
    return true;
  };
  change.again = () => {
    if (!goesBack()) throw lossError(store, [move.to.name]);
  };
  return goesBack() ? change : undefined;
}

function goBack(store: StoreHandle, plan: Plan, outcome: Outcome, discard: boolean): void {
  const operation = "plan.undo";
  exclusively(store, operation, () => {
    checkLast(store, operation, outcome);
    const changes: Change[] = [];
    const lost: string[] = [];
    for (const conversion of outcome.conversions) {
      const change = backChange(store, conversion, discard);
      if (change === undefined) lost.push(conversion.move.to.name);
      else changes.push(change);
    }
    if (lost.length > 0) throw lossError(store, lost);
    const keyOf = new Map(outcome.pairs.map(({ name, key }) => [name, key]));
    for (const move of plan.moves) {
      if (move.kind === "add") changes.push({ key: keyOf.get(move.to.name) as number, owner: STAGED });
      else changes.push({ key: move.from.key, owner: move.from.size });
    }
    switchOver(store, operation, outcome.pairsBefore, changes, outcome.generation);
    sweep(store, operation, STAGED);
  });
}
