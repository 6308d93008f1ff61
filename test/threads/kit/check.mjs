// Checks at the end of a job, when no thread writes any more.

export function check(what, condition) {
  if (!condition) throw new Error(`${what} does not hold`);
}

export function equal(what, expected, got) {
  if (expected !== got) throw new Error(`${what}: expected ${expected}, got ${got}`);
}

/** Throws unless all invariants of a map, or of a host with all its maps, hold. */
export function verified(subject, when) {
  const problems = subject.verify();
  if (problems.length > 0) throw new Error(`verify ${when}: ${problems.join("; ")}`);
}

/** Throws unless `map` holds exactly the numbers of `model` (0: absent) as the sequences of its keys. */
export function holds(map, layout, model, when) {
  const seen = new Uint8Array(model.length);
  let entries = 0;
  for (const [key, value] of map) {
    const n = layout.numberOf(key);
    const sequence = layout.sequenceOf(n, value);
    if (seen[n] !== 0) throw new Error(`${when}: key ${n} came twice`);
    seen[n] = 1;
    entries++;
    equal(`${when}: sequence of key ${n}`, model[n], sequence);
  }
  for (let n = 0; n < model.length; n++) {
    if (model[n] !== 0 && seen[n] === 0)
      throw new Error(`${when}: key ${n} is missing, expected ${model[n]}`);
    const got = map.get(layout.keyOf(n));
    equal(`${when}: get of key ${n}`, model[n], got === undefined ? 0 : layout.sequenceOf(n, got));
  }
  equal(`${when}: size`, entries, map.size);
}
