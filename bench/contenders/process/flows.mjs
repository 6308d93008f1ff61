// A table of flows, and the ways to sweep it: those that were last seen before a time go.
import { ACT_DELETE, ACT_KEEP, createHost, program, struct, u8, u16, u32, u53 } from "../../../dist/index.js";

/** 16 and 24 bytes: out of line. */
const FLOW = {
  key: struct({ source: u32, target: u32, sport: u16, dport: u16, proto: u8 }),
  value: struct({ lastSeen: u53, packets: u53, bytes: u53 }),
};
/** 4 and 8 bytes: inline. */
const SMALL = { key: u32, value: u53 };

let host;

const keyOf = (n) => ({
  source: n,
  target: ~n >>> 0,
  sport: n & 0xffff,
  dport: 443,
  proto: (n & 1) === 0 ? 17 : 6,
});

class Flows {
  constructor({ seed, maxEntries, small }) {
    host ??= createHost({ seed });
    this.small = small;
    this.map = host.createMap({ type: "rhash", ...(small ? SMALL : FLOW), maxEntries });
  }

  insert(keys) {
    const { map } = this;
    if (this.small) for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
    else
      for (let i = 0; i < keys.length; i++) map.set(keyOf(keys[i]), { lastSeen: i, packets: 1, bytes: 60 });
  }

  remove() {
    this.map.clear();
  }

  close() {
    this.map.close();
  }
}

/** `map.process` with a program, compiled into its loop. */
export class Compiled extends Flows {
  constructor(options) {
    super(options);
    const params = { before: u53 };
    this.program = this.small
      ? program(this.map, ({ value }, { params }) => value.lt(params.before).then(ACT_DELETE), { params })
      : program(this.map, ({ value }, { params }) => value.lastSeen.lt(params.before).then(ACT_DELETE), {
          params,
        });
  }

  sweep(before) {
    this.program.params.before = before;
    return this.map.process({ filter: this.program }).deleted;
  }

  /** The longest of many parts, in us, and how many there were. */
  parts(before, microseconds) {
    this.program.params.before = before;
    return parts(this.map, this.program, microseconds);
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
    this.before = before;
    return this.map.process({ filter: this.filter }).deleted;
  }

  parts(before, microseconds) {
    this.before = before;
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
  sweep(before) {
    const { map, small } = this;
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
  sweep(before) {
    const { map, small } = this;
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
  constructor({ small }) {
    this.small = small;
    this.map = new Map();
  }

  insert(keys) {
    const { map } = this;
    if (this.small) for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
    else
      for (let i = 0; i < keys.length; i++) map.set(`${keys[i]}:443`, { lastSeen: i, packets: 1, bytes: 60 });
  }

  remove() {
    this.map.clear();
  }

  sweep(before) {
    const { map, small } = this;
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

for (const Class of [Compiled, Callback, NextKey, ForOf, JsMap]) {
  Class.prototype.sweepAll = function (size) {
    return this.sweep(size);
  };
}
