// Contenders whose threads share nothing: each has a map of its own, with all that the others have, too.

/** Nothing but what the workers need to make their maps. */
class Table {
  #data;

  constructor({ size, keys, kind, type, seed }) {
    this.#data = { size, keys, kind, type, seed };
  }

  ticket() {
    return { data: this.#data };
  }

  close() {}
}

export function openApart({ kind, ...options }) {
  if (kind === "empty") throw new Error("what one thread adds, no other thread can delete");
  return new Table({ kind, ...options });
}

/** Key number i has the value i. */
export function fill(map, { keys, kind }) {
  if (kind === "values") for (let i = 0; i < keys.length; i++) map.set(keys[i], i);
  return map;
}
