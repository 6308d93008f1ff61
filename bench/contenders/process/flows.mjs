// A table of flows, and the ways to sweep it: those that were last seen before a time go.
import {
  ACT_DELETE,
  ACT_KEEP,
  createHost,
  program,
  struct,
  u8,
  u16,
  u32,
  u53,
  u64,
} from "../../../dist/index.js";

/** Kinds of flows: layouts, and how a number and a time are written in them. */
const KINDS = {
  /** 4 and 8 bytes: inline. */
  small: { key: u32, value: u53, keyOf: (n) => n, entryOf: (time) => time, timeOf: (time) => time },
  /** 4 and 16 bytes, times in 64 bits as the kernel's clocks have them: inline, found by tags. */
  u64: {
    key: u32,
    value: struct({ lastSeen: u64, bytes: u64 }),
    keyOf: (n) => n,
    entryOf: (time) => ({ lastSeen: BigInt(time), bytes: 60n }),
    timeOf: BigInt,
  },
  /** 16 and 24 bytes: out of line. */
  flow: {
    key: struct({ source: u32, target: u32, sport: u16, dport: u16, proto: u8 }),
    value: struct({ lastSeen: u53, packets: u53, bytes: u53 }),
    keyOf: (n) => ({ source: n, target: ~n >>> 0, sport: n & 0xffff, dport: 443, proto: 17 }),
    entryOf: (time) => ({ lastSeen: time, packets: 1, bytes: 60 }),
    timeOf: (time) => time,
  },
};

let host;

class Flows {
  constructor({ seed, maxEntries, kind }) {
    host ??= createHost({ seed });
    this.kind = KINDS[kind];
    this.small = kind === "small";
    const { key, value } = this.kind;
    this.map = host.createMap({ type: "rhash", key, value, maxEntries });
  }

  insert(keys) {
    const { map } = this;
    const { keyOf, entryOf } = this.kind;
    for (let i = 0; i < keys.length; i++) map.set(keyOf(keys[i]), entryOf(i));
  }

  remove() {
    this.map.clear();
  }

  close() {
    this.map.close();
  }
}

class Programmed extends Flows {
  constructor(options, backend) {
    super(options);
    const params = { before: this.small ? u53 : this.kind.value.fields.lastSeen };
    this.program = program(
      this.map,
      ({ value }, { params }) => (this.small ? value : value.lastSeen).lt(params.before).then(ACT_DELETE),
      { params, backend },
    );
  }

  sweep(before) {
    this.program.params.before = this.kind.timeOf(before);
    return this.map.process({ filter: this.program }).deleted;
  }

  parts(before, microseconds) {
    this.program.params.before = this.kind.timeOf(before);
    return parts(this.map, this.program, microseconds);
  }
}

/** `map.process` with a program, compiled into its loop. */
export class Compiled extends Programmed {
  constructor(options) {
    super(options, "wasm");
  }
}

/** The same program where code generation is forbidden: as a callback of JavaScript. */
export class Interpreted extends Programmed {
  constructor(options) {
    super(options, "js");
  }
}

/** `map.process` with a function. */
export class Callback extends Flows {
  constructor(options) {
    super(options);
    this.before = 0;
    this.filter = this.small
      ? (entry) => (entry.value < this.before ? ACT_DELETE : ACT_KEEP)
      : (entry) => (entry.value.lastSeen < this.before ? ACT_DELETE : ACT_KEEP);
  }

  sweep(before) {
    this.before = this.kind.timeOf(before);
    return this.map.process({ filter: this.filter }).deleted;
  }

  parts(before, microseconds) {
    this.before = this.kind.timeOf(before);
    return parts(this.map, this.filter, microseconds);
  }
}

function parts(map, filter, microseconds) {
  const budget = { microseconds };
  const times = [];
  let cursor;
  do {
    const start = performance.now();
    ({ cursor } = map.process({ filter, budget, cursor }));
    times.push((performance.now() - start) * 1000);
  } while (cursor !== undefined);
  return times;
}

/** What there is without programs: nextKey, get, delete. */
export class NextKey extends Flows {
  sweep(time) {
    const { map, small } = this;
    const before = this.kind.timeOf(time);
    let deleted = 0;
    let key = map.nextKey();
    while (key !== undefined) {
      const next = map.nextKey(key);
      const value = map.get(key);
      if ((small ? value : value.lastSeen) < before) {
        map.delete(key);
        deleted++;
      }
      key = next;
    }
    return deleted;
  }
}

/** The iterator of the map, as for a Map. */
export class ForOf extends Flows {
  sweep(time) {
    const { map, small } = this;
    const before = this.kind.timeOf(time);
    let deleted = 0;
    for (const [key, value] of map) {
      if ((small ? value : value.lastSeen) >= before) continue;
      map.delete(key);
      deleted++;
    }
    return deleted;
  }
}

/** lookup_and_delete_batch, copied out. It takes everything. */
export class Batches extends Flows {
  constructor(options) {
    super(options);
    this.batch = this.map.createBatch(4096);
  }

  sweepAll() {
    const { map, batch } = this;
    let deleted = 0;
    batch.rewind();
    for (let more = true; more; ) {
      batch.count = 4096;
      more = map.lookupAndDeleteBatch(batch);
      deleted += batch.count;
    }
    return deleted;
  }
}

/** A JS Map: by number, or by a string for a flow. */
export class JsMap {
  constructor({ kind }) {
    this.kind = KINDS[kind];
    this.small = kind === "small";
    this.flow = kind === "flow";
    this.map = new Map();
  }

  insert(keys) {
    const { map, flow } = this;
    const { entryOf } = this.kind;
    for (let i = 0; i < keys.length; i++) map.set(flow ? `${keys[i]}:443` : keys[i], entryOf(i));
  }

  remove() {
    this.map.clear();
  }

  sweep(time) {
    const { map, small } = this;
    const before = this.kind.timeOf(time);
    let deleted = 0;
    for (const [key, value] of map) {
      if ((small ? value : value.lastSeen) >= before) continue;
      map.delete(key);
      deleted++;
    }
    return deleted;
  }

  close() {
    this.map.clear();
  }
}

for (const Class of [Compiled, Interpreted, Callback, NextKey, ForOf, JsMap]) {
  Class.prototype.sweepAll = function (size) {
    return this.sweep(size);
  };
}
