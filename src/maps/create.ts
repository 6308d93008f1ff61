/**
 * Makes maps: checks the spec, has the table created, and picks the class for the key size.
 *
 * @module
 */
import { type Codec, isCodec } from "../codec/codec.ts";
import { describe } from "../codec/mismatch.ts";
import { holdsLock } from "../codec/struct.ts";
import { BPF_F_RDONLY, BPF_F_WRONLY } from "../constants.ts";
import { bpfError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { checkInteger } from "../host/options.ts";
import type { Table } from "../host/table.ts";
import type { HashMap } from "./hash_map.ts";
import { Map16, MapAny } from "./map_bytes.ts";
import { Map4 } from "./map4.ts";
import { Map8 } from "./map8.ts";
import type { MapSpec } from "./spec.ts";
import { type MapAttributes, refuseCreate } from "./validate.ts";

const U32_MAX = 0xffff_ffff;

function checkCodec(what: string, codec: unknown): void {
  if (!isCodec(codec)) throw new TypeError(`${what}: expected a codec, got ${describe(codec)}`);
}

function checkKeyCodec(what: string, codec: Codec<unknown>): void {
  checkCodec(what, codec);
  if (holdsLock(codec)) throw new TypeError(`${what}: a spinLock is allowed only in the value`);
}

/** Checks the JavaScript types of a spec, and what no u32 can say. */
function toAttributes(spec: MapSpec<unknown, unknown>): MapAttributes {
  if (typeof spec !== "object" || spec === null) {
    throw new TypeError(`createMap: expected { type, key, value, maxEntries }, got ${describe(spec)}`);
  }
  const { type, name = "", key, value, maxEntries, flags = 0, mapExtra = 0 } = spec;
  if (typeof name !== "string")
    throw new TypeError(`createMap: name: expected a string, got ${describe(name)}`);
  const what = name === "" ? "createMap" : `createMap: map ${JSON.stringify(name)}`;
  if (typeof type !== "string")
    throw new TypeError(`${what}: type: expected a string, got ${describe(type)}`);
  checkKeyCodec(`${what}: key`, key);
  checkCodec(`${what}: value`, value);
  return {
    type,
    name,
    keySize: key.size,
    valueSize: value.size,
    maxEntries: checkInteger(`${what}: maxEntries`, maxEntries, 0, U32_MAX),
    flags: checkInteger(`${what}: flags`, flags, 0, U32_MAX),
    mapExtra: checkInteger(`${what}: mapExtra`, mapExtra, 0, Number.MAX_SAFE_INTEGER),
    hasLock: holdsLock(value),
  };
}

/** A handle of a table. */
function makeHandle<K, V>(
  host: Host,
  table: Table,
  key: Codec<K>,
  value: Codec<V>,
  readable: boolean,
  writable: boolean,
): HashMap<K, V> {
  const Class =
    table.keySize === 4 ? Map4 : table.keySize === 8 ? Map8 : table.keySize === 16 ? Map16 : MapAny;
  const map = new Class(host, table, key, value, readable, writable);
  host.tables.addHandle(map);
  return map;
}

/** {@link Host.createMap}. */
export function createMapOn<K, V>(host: Host, spec: MapSpec<K, V>): HashMap<K, V> {
  const attributes = toAttributes(spec);
  const { name, type, flags } = attributes;
  const subject = name === "" ? `the ${type} map` : `map ${JSON.stringify(name)}`;
  const refusal = refuseCreate(attributes);
  if (refusal !== undefined) throw bpfError(refusal.errno, "createMap", subject, refusal.cause);
  const table = host.tables.create(attributes, "createMap", subject);
  return makeHandle(
    host,
    table,
    spec.key,
    spec.value,
    (flags & BPF_F_WRONLY) === 0,
    (flags & BPF_F_RDONLY) === 0,
  );
}

/** {@link Host.open}. */
export function openMapOn<K, V>(
  host: Host,
  table: Table,
  codecs: { readonly key: Codec<K>; readonly value: Codec<V> },
): HashMap<K, V> {
  const what = table.name === "" ? "open" : `open: map ${JSON.stringify(table.name)}`;
  if (typeof codecs !== "object" || codecs === null) {
    throw new TypeError(`${what}: expected { key, value }, got ${describe(codecs)}`);
  }
  const { key, value } = codecs;
  checkKeyCodec(`${what}: key`, key);
  checkCodec(`${what}: value`, value);
  const problems: string[] = [];
  if (key.size !== table.keySize)
    problems.push(`keys are ${table.keySize} bytes, ${key.name} has ${key.size}`);
  if (value.size !== table.valueSize) {
    problems.push(`values are ${table.valueSize} bytes, ${value.name} has ${value.size}`);
  }
  if (holdsLock(value) !== table.hasLock) {
    problems.push(`values ${table.hasLock ? "have a spinLock" : "have no spinLock"}, ${value.name} differs`);
  }
  if (problems.length > 0) throw new RangeError(`${what}: ${problems.join("; ")}`);
  return makeHandle(host, table, key, value, true, true);
}
