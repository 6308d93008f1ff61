/**
 * Modules of Node, without importing them: the package runs where there are none.
 *
 * @module
 */

interface NodeGlobal {
  readonly process?: { getBuiltinModule?(id: string): unknown };
}

/** A module of Node, or undefined where there is none: browsers have no `process`. */
export function builtinModule<T>(id: string): T | undefined {
  try {
    return (globalThis as NodeGlobal).process?.getBuiltinModule?.(id) as T | undefined;
  } catch {
    // The edge runtime of Next.js has the function, and throws from it.
    return undefined;
  }
}
