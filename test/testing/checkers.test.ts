// The checkers of the kit: of scans, and of addresses.
import { describe, expect, test } from "vitest";
import { BPF_ANY } from "../../src/constants.ts";
import {
  AddressBook,
  AddressViolation,
  ReferenceMap,
  ScanChecker,
  ScanViolation,
} from "../../src/testing/index.ts";

const of = (...bytes: number[]) => Uint8Array.from(bytes);

describe("ScanChecker", () => {
  const model = () => {
    const map = new ReferenceMap({ keySize: 1, valueSize: 1, maxEntries: 9 });
    for (let key = 1; key <= 3; key++) map.update(of(key), of(key), BPF_ANY);
    return map;
  };

  test("accepts each entry once, new entries or not, and forgives what was deleted", () => {
    const map = model();
    const checker = new ScanChecker(map);
    checker.returned(of(2), of(2));
    map.update(of(4), of(4), BPF_ANY);
    map.update(of(5), of(5), BPF_ANY);
    map.delete(of(1));
    checker.returned(of(4), of(4));
    checker.returned(of(3), of(3));
    checker.ended();
    expect(checker.count).toBe(3);
  });

  test("objects to a repeat, an invention, a wrong value and a miss", () => {
    const map = model();
    const checker = new ScanChecker(map);
    checker.returned(of(1), of(1));
    expect(() => checker.returned(of(1), of(1))).toThrow(ScanViolation);
    expect(() => checker.returned(of(1), of(1))).toThrow("twice");
    expect(() => checker.returned(of(7), of(1))).toThrow("not in the map");
    expect(() => checker.returned(of(2), of(9))).toThrow("with value 09, expected 02");
    map.delete(of(2));
    expect(() => checker.returned(of(2), of(2))).toThrow("not in the map");
    expect(() => checker.ended()).toThrow("missed key 03");
    map.delete(of(3));
    map.update(of(3), of(3), BPF_ANY); // inserted again after the start: no longer owed
    checker.ended();
  });
});

describe("AddressBook", () => {
  test("objects to an entry that moves, another value, and memory that is used again in a section", () => {
    const model = new ReferenceMap({ keySize: 1, valueSize: 1, maxEntries: 9 });
    for (let key = 1; key <= 3; key++) model.update(of(key), of(key), BPF_ANY);
    const memory = Uint8Array.of(0, 1, 2, 3, 1);
    const book = new AddressBook(model, (at, length) => memory.subarray(at, at + length), true);
    for (let key = 1; key <= 3; key++) book.handedOut(of(key), key);
    expect(() => book.handedOut(of(1), 4)).toThrow(AddressViolation);
    expect(() => book.handedOut(of(1), 4)).toThrow("key 01 moved from 1 to 4");
    expect(() => book.handedOut(of(1), 2)).toThrow("address 2 of key 01 holds 02, expected 01");
    book.enterSection();
    book.handedOut(of(2), 2);
    book.deleted(of(2), of(2));
    model.delete(of(2));
    book.verify();
    memory[2] = 7;
    expect(() => book.leaveSection()).toThrow("2 held 02 when its entry was deleted and holds 07");
  });
});
