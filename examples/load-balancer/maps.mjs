// The maps of the balancer.
import { struct, u16, u32, u53 } from "bpfmap";

/** Doubles a map when it is about to be full: nobody has to know how many clients there will be. */
const doubling = { free: 2, grow: (map) => map.grow(2 * map.info.maxEntries) };

/** The address and port that a connection comes from. */
export const connectionKey = struct({ address: u32, port: u16 });

/** Makes them on a host. */
export function createMaps(host, backends) {
  const connections = { type: "sockhash", key: connectionKey, maxEntries: 8, lowWater: doubling };
  return {
    /** Backends in service: the connection that is kept to each of them, which closes when the backend dies. */
    backends: host.createMap({ type: "sockmap", name: "backends", maxEntries: backends }),
    /** Where a client goes, by its address: one of these connections again. What is there is in service. */
    sticky: host.createMap({ type: "sockhash", name: "sticky", key: u32, maxEntries: 8, lowWater: doubling }),
    /** Of each connection of a client: the way to its backend, and the way back. */
    toBackend: host.createMap({ ...connections, name: "to_backend" }),
    toClient: host.createMap({ ...connections, name: "to_client" }),
    /** What went where, by the port of the backend: clients sent there, their connections, bytes in each direction. */
    counters: host.createMap({
      type: "hash",
      name: "counters",
      key: u32,
      value: struct({ clients: u53, connections: u53, received: u53, sent: u53 }),
      maxEntries: backends,
    }),
  };
}
