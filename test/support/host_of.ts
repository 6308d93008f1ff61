import type { BpfMap, Host } from "../../src/index.ts";

/** The host of a map with all that hosts can do. To a map's user it is less: see the type of `map.host`. */
export function hostOf(map: Pick<BpfMap<unknown, unknown>, "host">): Host {
  return map.host as Host;
}
