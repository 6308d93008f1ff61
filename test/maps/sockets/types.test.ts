// What TypeScript makes of maps of objects.
import type { Socket } from "node:net";
import type { MessagePort } from "node:worker_threads";
import { describe, expectTypeOf, it } from "vitest";
import {
  createHost,
  createMap,
  type HashMap,
  type SkAction,
  type SockHash,
  type SockMap,
  type SockMapSpec,
  struct,
  u16,
  u32,
} from "../../../src/index.ts";

const client = struct({ address: u32, port: u16 });

describe("types", () => {
  it("take the objects from the variable, and the keys from the codec", () => {
    const sockets: SockHash<{ address: number; port: number }, Socket> = createMap({
      type: "sockhash",
      key: client,
      maxEntries: 8,
    });
    expectTypeOf(sockets.get).returns.toEqualTypeOf<Socket | undefined>();
    expectTypeOf(sockets.set).parameters.toEqualTypeOf<[{ address: number; port: number }, Socket]>();
    expectTypeOf([...sockets]).toEqualTypeOf<[{ address: number; port: number }, Socket][]>();
    expectTypeOf(sockets.redirect).returns.toEqualTypeOf<SkAction>();
  });

  it("take the objects from type arguments", () => {
    const host = createHost();
    const ports = host.createMap<MessagePort>({ type: "sockmap", maxEntries: 8 });
    expectTypeOf(ports).toEqualTypeOf<SockMap<MessagePort>>();
    expectTypeOf(host.createMap<number, Socket>({ type: "sockhash", key: u32, maxEntries: 8 })).toEqualTypeOf<
      SockHash<number, Socket>
    >();
    host.pin("/ports", ports);
    expectTypeOf(host.open<MessagePort>("/ports", { type: "sockmap" })).toEqualTypeOf<SockMap<MessagePort>>();
    host.close();
  });

  it("are objects when nothing is said of them", () => {
    expectTypeOf(createMap({ type: "sockmap", maxEntries: 8 })).toEqualTypeOf<SockMap<object>>();
    expectTypeOf(createMap({ type: "sockhash", key: u32, maxEntries: 8 })).toEqualTypeOf<
      SockHash<number, object>
    >();
  });

  it("give the low-water hook the map", () => {
    const spec: SockMapSpec<Socket> = {
      type: "sockmap",
      maxEntries: 8,
      lowWater: {
        free: 2,
        grow(map) {
          expectTypeOf(map).toEqualTypeOf<SockMap<Socket>>();
          map.grow(2 * map.info.maxEntries);
        },
      },
    };
    expectTypeOf(createMap(spec)).toEqualTypeOf<SockMap<Socket>>();
  });

  it("have nothing that takes or gives bytes", () => {
    type Methods = "lookup" | "add" | "addMany" | "locked" | "process" | "iterator" | "lookupMany" | "found";
    type Batches = "createBatch" | "batches" | "lookupBatch" | "updateBatch" | "deleteBatch" | "drain";
    type OfBytes = Methods | Batches | "lookupAndDeleteBatch";
    expectTypeOf<Extract<keyof HashMap<number, number>, OfBytes>>().toEqualTypeOf<OfBytes>();
    expectTypeOf<Extract<keyof SockMap<object>, OfBytes | "local">>().toBeNever();
    expectTypeOf<Extract<keyof SockHash<number, object>, OfBytes | "local">>().toBeNever();
  });

  it("leave the other maps what they were", () => {
    expectTypeOf(createMap({ type: "rhash", key: u32, value: u32, maxEntries: 8 })).toEqualTypeOf<
      HashMap<number, number>
    >();
    // @ts-expect-error a hash has values of bytes
    const withoutValue = () => createMap({ type: "hash", key: u32, maxEntries: 8 });
    // @ts-expect-error a sockmap takes no codec for its values
    const withValue = () => createMap({ type: "sockmap", value: u32, maxEntries: 8 });
    // @ts-expect-error numbers are no objects
    const ofNumbers = (): SockMap<number> => createMap<number>({ type: "sockmap", maxEntries: 8 });
    expectTypeOf([withoutValue, withValue, ofNumbers]).toBeArray();
  });
});
