// Loops with a source text of their own for each subject. V8 learns by the function, so one loop that several kinds of maps share would
// be as slow as the most of them that it has seen; a program has one for each place.

/**
 * A class of subjects: a map, and a method for each loop over it.
 *
 * @param {Record<string, [string, string]>} loops name: arguments and body, in which the map is `map`
 * @param {(options?: object) => { close?(): void }} open
 */
export function loopsOf(loops, open) {
  const made = Object.entries(loops).map(([name, [parameters, body]]) => [
    name,
    new Function("map", ...parameters.split(",").filter(Boolean), `${body} // ${count++}`),
  ]);
  return (options) => {
    const map = open(options);
    const methods = made.map(([name, loop]) => [name, (input) => loop(map, input)]);
    return { ...Object.fromEntries(methods), close: () => map.close?.() };
  };
}

let count = 0;
