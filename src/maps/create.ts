/**
 * Makes maps: checks the spec, has the table created, and picks the class for the type and the key size.
 *
 * @module
 */
import { checkInteger } from "../arguments/integer.ts";
import { checkKnown } from "../arguments/known.ts";
import { describe } from "../arguments/mismatch.ts";
import { type Codec, isCodec, isText, Scalar } from "../codec/codec.ts";
import { u32 } from "../codec/scalars.ts";
import { specialIn, specialOffsets } from "../codec/special_fields.ts";
import { BPF_F_RDONLY, BPF_F_WRONLY } from "../constants.ts";
import type { CoreHost } from "../core/core_host.ts";
import { isNumberKind } from "../core/memory/scalar.ts";
import type { EvictionHook, LowWater, MapAttributes, MapType } from "../core/tables/map_types.ts";
import { isArray, isSocketMap } from "../core/tables/registry.ts";
import type { Table, TableType } from "../core/tables/table.ts";
import { bpfError, ERRNO, mapSubject } from "../errors.ts";
import { hookEviction } from "../ops/eviction_hooks.ts";
import {
  checkMark,
  hookLowWater,
  lowWaterError,
  otherMark,
  refuseLowWater,
  takeLowWater,
} from "../ops/low_water.ts";
import { perCpu } from "../ops/percpu.ts";
import { LowWaterMark } from "../ops/sockets/socket_low_water.ts";
import { Sockets } from "../ops/sockets/sockets.ts";
import type { BpfMap } from "./base/bpf_map.ts";
import type { MapClasses } from "./classes.ts";
import { EVICTION_OPTIONS, type GivenEviction, takeEviction, withinBytes } from "./eviction.ts";
import { EXPIRY_OPTIONS, type GivenExpiry, takeExpiry } from "./expiry.ts";
import { SockHash } from "./sockets/sock_hash.ts";
import { SockMap } from "./sockets/sock_map.ts";
import type { OpenSockHashSpec, OpenSockMapSpec, SockHashSpec, SockMapSpec } from "./sockets/socket_spec.ts";
import type { MapSpec, OpenSpec, SizedMapSpec } from "./spec.ts";
import { entriesFor, HASH_ENTRIES_MAX, refuseCreate } from "./validate.ts";

const U32_MAX = 0xffff_ffff;

function checkCodec(what: string, codec: unknown): asserts codec is Codec<unknown> {
  if (!isCodec(codec)) throw new TypeError(`${what}: expected a codec, got ${describe(codec)}`);
}

function checkKeyCodec(what: string, codec: unknown): asserts codec is Codec<unknown> {
  checkCodec(what, codec);
  const special = specialIn(codec);
  if (special !== undefined) throw new TypeError(`${what}: a ${special} is allowed only in the value`);
}

/** What a spec may have: of maps of objects, too, which say of each what they cannot have. */
const SPEC_OPTIONS = [
  "type",
  "name",
  "key",
  "value",
  "maxEntries",
  "flags",
  "mapExtra",
  "lowWater",
  "absentFilter",
  ...EVICTION_OPTIONS,
  ...EXPIRY_OPTIONS,
];

/** What {@link createMap} takes. */
export type AnyMapSpec =
  | MapSpec<unknown, unknown>
  | SizedMapSpec<unknown, unknown>
  | SockMapSpec<object>
  | SockHashSpec<unknown, object>;

/** The codecs that a spec gives, or that its type has. */
function codecsOf(
  what: string,
  type: TableType,
  givenKey: unknown,
  value: unknown,
): { key: Codec<unknown>; value: Codec<unknown> } {
  const key = givenKey === undefined && type === "sockmap" ? u32 : givenKey;
  checkKeyCodec(`${what}: key`, key);
  if (!isSocketMap(type)) {
    checkCodec(`${what}: value`, value);
    return { key, value };
  }
  if (value !== undefined) {
    throw new TypeError(
      `${what}: value: expected none: the values of a ${type} are objects and have no codec`,
    );
  }
  // The number of a slot, which is as large as the file descriptor that the kernel takes.
  return { key, value: u32 };
}

/** Whether the keys of a map are texts that take only the bytes that they have. */
function takesTexts(type: TableType, key: Codec<unknown>): boolean {
  return isText(key) && (type === "hash" || type === "rhash" || type === "lru_hash");
}

/** What a spec says, each property read once. */
interface TakenSpec extends MapAttributes {
  readonly key: Codec<unknown>;
  readonly value: Codec<unknown>;
  readonly lowWater: LowWater<unknown> | undefined;
  readonly maxBytes: number | undefined;
  readonly onEvict: EvictionHook<unknown, unknown> | undefined;
}

/** Takes a spec of the caller's: checks the JavaScript types, and what no u32 can say. */
function toAttributes(host: CoreHost, spec: AnyMapSpec): TakenSpec {
  if (typeof spec !== "object" || spec === null) {
    throw new TypeError(`createMap: expected { type, key, value, maxEntries }, got ${describe(spec)}`);
  }
  const { type, name = "", maxEntries, flags = 0, lowWater } = spec;
  const {
    key: givenKey,
    value: givenValue,
    mapExtra = 0,
    absentFilter = false,
  } = spec as Partial<MapSpec<unknown, unknown>>;
  if (typeof name !== "string")
    throw new TypeError(`createMap: name: expected a string, got ${describe(name)}`);
  const what = name === "" ? "createMap" : `createMap: map ${JSON.stringify(name)}`;
  if (typeof type !== "string")
    throw new TypeError(`${what}: type: expected a string, got ${describe(type)}`);
  checkKnown(what, spec, SPEC_OPTIONS);
  const { key, value } = codecsOf(what, type, givenKey, givenValue);
  if (typeof absentFilter !== "boolean") {
    throw new TypeError(`${what}: absentFilter: expected a boolean, got ${describe(absentFilter)}`);
  }
  const bits = checkInteger(`${what}: flags`, flags, 0, U32_MAX);
  const eviction = takeEviction(what, type, spec as GivenEviction);
  const isOpen = maxEntries === undefined && eviction.maxBytes !== undefined;
  const entries = isOpen ? HASH_ENTRIES_MAX : checkInteger(`${what}: maxEntries`, maxEntries, 0, U32_MAX);
  return {
    type,
    name,
    key,
    value,
    lowWater: isSocketMap(type) ? (lowWater as LowWater<unknown>) : takeLowWater(what, lowWater),
    keySize: key.size,
    valueSize: value.size,
    maxEntries: isOpen ? entries : entriesFor(bits, entries, host.cpus),
    flags: bits,
    mapExtra: checkInteger(`${what}: mapExtra`, mapExtra, 0, Number.MAX_SAFE_INTEGER),
    absentFilter,
    ...specialOffsets(value),
    texts: takesTexts(type, key),
    ...eviction,
    expiry: takeExpiry(what, type, spec as GivenExpiry),
  };
}

function classIndex(keySize: number): 0 | 1 | 2 | 3 {
  return keySize === 4 ? 0 : keySize === 8 ? 1 : keySize === 16 ? 2 : 3;
}

function newMap(
  host: CoreHost,
  classes: MapClasses,
  table: Table,
  key: Codec<unknown>,
  value: Codec<unknown>,
  readable: boolean,
  writable: boolean,
) {
  switch (table.type) {
    case "sockmap":
      return new SockMap(host, table, key as Codec<number>, value, readable, writable);
    case "sockhash":
      return new SockHash(host, table, key, value, readable, writable);
    case "array":
      return new classes.array(host, table, key as Codec<number>, value, readable, writable);
    case "percpu_array": {
      const slots = perCpu(value, host.cpus);
      return new classes.percpuArray(host, table, key as Codec<number>, slots, readable, writable);
    }
    case "percpu_hash":
    case "lru_percpu_hash": {
      const Class = (notedClasses(classes, table) ?? classes).hash[classIndex(table.keySize)];
      return new Class(host, table, key, perCpu(value, host.cpus), readable, writable);
    }
    default: {
      const Class = hashClass(classes, table, key, value);
      const stored = table.texts && isText(key) ? key.bare : key;
      return new Class(host, table, stored, value, readable, writable);
    }
  }
}

/** Those of maps that evict or whose entries expire, if the table is of one. */
function notedClasses(classes: MapClasses, table: Table) {
  return table.eviction === undefined && table.expiry === undefined ? undefined : classes.noted;
}

function hashClass(classes: MapClasses, table: Table, key: Codec<unknown>, value: Codec<unknown>) {
  const noted = notedClasses(classes, table);
  if (table.texts) return (noted ?? classes).texts;
  if (noted !== undefined) {
    if (table.keySize !== 4 || !isNumberKind(value.scalar)) return noted.hash[classIndex(table.keySize)];
    return key.scalar === Scalar.U32 ? noted.number : noted.otherNumber;
  }
  const { filtered } = classes;
  if (table.absentFilter === true && filtered !== undefined) {
    return key.scalar === Scalar.U32 && isNumberKind(value.scalar) ? filtered.number : filtered.other;
  }
  if (table.keySize !== 4 || !isNumberKind(value.scalar)) return classes.hash[classIndex(table.keySize)];
  const own = key.scalar === Scalar.U32 ? classes.numbers[value.scalar] : undefined;
  return own ?? classes.number;
}

/** A handle of a table. */
function makeHandle(
  host: CoreHost,
  classes: MapClasses,
  table: Table,
  codecs: {
    readonly key: Codec<unknown>;
    readonly value: Codec<unknown>;
    readonly lowWater?: unknown;
    readonly onEvict?: EvictionHook<unknown, unknown> | undefined;
  },
  readable: boolean,
  writable: boolean,
): BpfMap<unknown, unknown> {
  const map = newMap(host, classes, table, codecs.key, codecs.value, readable, writable);
  host.registry.addHandle(map as BpfMap<unknown, unknown>);
  const { lowWater, onEvict } = codecs;
  try {
    if (lowWater !== undefined) hookLowWater(map as BpfMap<unknown, unknown>, lowWater as LowWater<unknown>);
    if (onEvict !== undefined) hookEviction(map as BpfMap<unknown, unknown>, onEvict);
  } catch (error) {
    map.close();
    throw error;
  }
  return map as BpfMap<unknown, unknown>;
}

/** The low-water mark of a map of objects. */
function socketMark(subject: string, { lowWater, maxEntries }: TakenSpec): LowWaterMark<unknown> | undefined {
  if (lowWater === undefined) return undefined;
  return new LowWaterMark<never>(`createMap: ${subject}: lowWater`, lowWater, maxEntries);
}

/** Which maps have no filter of absent keys. */
function checkFilter(host: CoreHost, subject: string, spec: TakenSpec): void {
  const { type, keySize, valueSize, expiry } = spec;
  const what = `createMap: ${subject}: absentFilter`;
  if (expiry !== undefined) throw new TypeError(`${what}: maps with a ttl have none`);
  if (type !== "hash" && type !== "rhash")
    throw new TypeError(`${what}: a hash or an rhash has one, not a map of type ${type}`);
  if (host.shared) throw new TypeError(`${what}: maps of shared hosts have none`);
  if (keySize !== 4 || valueSize > 8) {
    const sizes = `keys of ${keySize} and values of ${valueSize} bytes`;
    throw new RangeError(
      `${what}: it is for keys of 4 bytes and values of up to 8, and the map has ${sizes}`,
    );
  }
}

/** {@link Host.createMap}. */
export function createMapOn(host: CoreHost, classes: MapClasses, spec: AnyMapSpec): BpfMap<unknown, unknown> {
  const attributes = toAttributes(host, spec);
  const { name, type, flags, key } = attributes;
  const subject = name === "" ? `the ${type} map` : `map ${JSON.stringify(name)}`;
  const refusal = refuseCreate(attributes);
  if (refusal !== undefined) throw bpfError(refusal.errno, "createMap", subject, refusal.cause);
  if ((isArray(type) || type === "sockmap") && key.scalar !== Scalar.U32) {
    throw bpfError(
      ERRNO.EINVAL,
      "createMap",
      subject,
      `has keys of ${key.name}; the index of ${type === "sockmap" ? "a sockmap" : "an array"} is a u32`,
    );
  }
  if (attributes.absentFilter === true) checkFilter(host, subject, attributes);
  const sockets = isSocketMap(type);
  const mark = sockets ? socketMark(subject, attributes) : undefined;
  const lowWater = sockets ? undefined : attributes.lowWater;
  if (lowWater !== undefined) {
    const cause = refuseLowWater(type as MapType);
    if (cause !== undefined) throw lowWaterError("createMap", subject, cause);
    checkMark(`createMap: ${subject}`, lowWater.free, attributes.maxEntries);
  }
  host.check("createMap"); // a getter of the spec may have closed it
  const { maxBytes } = attributes;
  const limited = maxBytes === undefined ? attributes : withinBytes(host, subject, attributes, maxBytes);
  const table = host.registry.create(limited, "createMap", subject);
  try {
    if (sockets) table.sockets = new Sockets(host, table, mark);
    return makeHandle(
      host,
      classes,
      table,
      { key, value: attributes.value, lowWater, onEvict: attributes.onEvict },
      (flags & BPF_F_WRONLY) === 0,
      (flags & BPF_F_RDONLY) === 0,
    );
  } finally {
    host.registry.drop(table);
  }
}

/** What {@link Host.open} takes. */
export type AnyOpenSpec = OpenSpec<unknown, unknown, MapType> | OpenSockMapSpec | OpenSockHashSpec<unknown>;

/** What a layout says of special fields that the values of a table do not have, or the other way round. */
function otherSpecials(table: Table, value: Codec<unknown>): string[] {
  const given = specialOffsets(value);
  return (["lockOffset", "timerOffset", "workqueueOffset"] as const).flatMap((offset) => {
    const at = table[offset];
    if (given[offset] === at) return [];
    const name = { lockOffset: "spinLock", timerOffset: "timer", workqueueOffset: "workqueue" }[offset];
    const has =
      at === undefined ? `no ${name}` : given[offset] === undefined ? `a ${name}` : `a ${name} at byte ${at}`;
    return [`values have ${has}, ${value.name} differs`];
  });
}

/** {@link Host.open}. */
export function openMapOn(
  host: CoreHost,
  classes: MapClasses,
  table: Table,
  codecs: AnyOpenSpec,
): BpfMap<unknown, unknown> {
  const what = table.name === "" ? "open" : `open: map ${JSON.stringify(table.name)}`;
  if (typeof codecs !== "object" || codecs === null) {
    throw new TypeError(`${what}: expected { key, value }, got ${describe(codecs)}`);
  }
  // What the map was created with may be said again; its limit and flags are what they are.
  checkKnown(what, codecs, SPEC_OPTIONS);
  const given = codecs as OpenSpec<unknown, unknown, MapType>;
  const { type, key: givenKey, value: givenValue, lowWater: hook } = given;
  const { key, value } = codecsOf(what, table.type, givenKey, givenValue);
  if (hook !== undefined && isSocketMap(table.type)) {
    throw new TypeError(`${what}: lowWater: expected none: a ${table.type} has the hook of its creation`);
  }
  const problems: string[] = [];
  if (type !== undefined && type !== table.type)
    problems.push(`it is a map of type ${table.type}, not ${type}`);
  if (key.size !== table.keySize)
    problems.push(`keys are ${table.keySize} bytes, ${key.name} has ${key.size}`);
  else if (takesTexts(table.type, key) !== table.texts)
    problems.push(`keys ${table.texts ? "are" : "are no"} texts of any length, ${key.name} differs`);
  else if ((isArray(table.type) || table.type === "sockmap") && key.scalar !== Scalar.U32)
    problems.push(`keys are u32 indices, not ${key.name}`);
  if (value.size !== table.valueSize) {
    problems.push(`values are ${table.valueSize} bytes, ${value.name} has ${value.size}`);
  }
  problems.push(...otherSpecials(table, value));
  const lowWater = takeLowWater(what, hook);
  const { onEvict } = takeEviction(what, table.type, given);
  host.check("open"); // a getter may have closed it
  if (lowWater !== undefined) {
    const other = otherMark(host, table, lowWater.free);
    if (other !== undefined) problems.push(other);
  }
  if (problems.length > 0) throw new RangeError(`${what}: ${problems.join("; ")}`);
  if (lowWater !== undefined) {
    const cause = refuseLowWater(table.type as MapType);
    if (cause !== undefined) throw lowWaterError("open", mapSubject(table.name, table.type, table.id), cause);
    checkMark(what, lowWater.free, table.maxEntries);
  }
  return makeHandle(host, classes, table, { key, value, lowWater, onEvict }, true, true);
}
