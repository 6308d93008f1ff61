import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type { SockHash } from "../../src/index.ts";
import { lib, type Place, type Row, tryRows } from "./kit.ts";

const { u32 } = lib;

type Objects = SockHash<number, object>;

/** What an object in a map of sockets may do when it is looked at or listened to. */
const ACTIONS: Readonly<Record<string, (map: Objects, place: Place) => void>> = {
  "closes the map": (map, place) => {
    map.close();
    place.refill();
  },
  "closes the host": (_map, place) => place.host.close(),
  "clears the map": (map) => map.clear(),
  "makes memory grow": (_map, place) => place.refill(),
  inserts: (map) => void map.set(77, new EventEmitter()),
};

/** An object whose code runs when it is asked whether it is open, when it gets a listener, or when it loses one. */
const OBJECTS: Readonly<Record<string, (act: () => void) => object>> = {
  "asked whether it is open": (act) =>
    Object.defineProperty(new EventEmitter(), "destroyed", {
      get: () => {
        act();
        return false;
      },
    }),
  "listened to": (act) => Object.assign(new EventEmitter(), { prependListener: act }),
  "let go": (act) => Object.assign(new EventEmitter(), { off: act }),
};

const CALLS: Readonly<Record<string, (map: Objects, object: object) => void>> = {
  set: (map, object) => void map.set(1, object),
  "set over another": (map, object) => void map.set(5, object).set(5, new EventEmitter()),
  delete: (map, object) => void map.set(5, object).delete(5),
  clear: (map, object) => map.set(6, object).clear(),
  redirect: (map, object) => void map.set(6, object).redirect(6, "data"),
};

test("objects in maps of sockets", () => {
  const rows: Row[] = [];
  for (const [call, make] of Object.entries(CALLS)) {
    for (const [when, objectOf] of Object.entries(OBJECTS)) {
      for (const [action, act] of Object.entries(ACTIONS)) {
        for (const shared of [false, true]) {
          rows.push({
            name: `${call}: an object ${when} ${action}`,
            shared,
            run: (place) => {
              const map = place.open(place.host.createMap({ type: "sockhash", key: u32, maxEntries: 64 }));
              for (let key = 20; key < 30; key++) map.set(key, new EventEmitter());
              let acted = false;
              const object = objectOf(() => {
                if (acted || map.closed) return;
                acted = true;
                act(map as unknown as Objects, place);
              });
              make(map as unknown as Objects, object);
            },
          });
        }
      }
    }
  }
  expect(tryRows("objects in maps of sockets", rows)).toEqual([]);
});
