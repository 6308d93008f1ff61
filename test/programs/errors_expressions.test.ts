// Expressions that the builder of programs refuses; messages name the map and the path.
import { describe, it } from "vitest";
import { cstring } from "../../src/index.ts";
import { expectRefused, type Refused } from "../support/programs/untyped.ts";

describe("refused while building", () => {
  it.each([
    // Fields.
    [
      "an unknown field",
      (e) => e.value.aeg.lt(1),
      TypeError,
      'value: expected a field, got string "aeg"; it has age, big',
    ],
    [
      "an unknown field inside",
      (e) => e.value.inner.y,
      TypeError,
      'value.inner: expected a field, got string "y"; it has x',
    ],
    [
      "an unknown part of the entry",
      (e) => e.vale,
      TypeError,
      'the entry: expected a field, got string "vale"; it has key, value',
    ],
    ["slots of one value", (e) => e.values, TypeError, 'the entry: expected a field, got string "values"'],
    [
      "an unknown param",
      (_, { params }) => params.limits,
      TypeError,
      'params: expected a field, got string "limits"; it has limit',
    ],
    [
      "an unknown counter",
      (_, { counters }) => counters.m,
      TypeError,
      'counters: expected a field, got string "m"; it has n, f',
    ],
    ["a spinLock", (e) => e.value.lock, TypeError, 'value: expected a field, got string "lock"'],
    [
      "a codec of one's own",
      (e) => e.value.date,
      TypeError,
      "value.date: expected a codec of this package, got date",
    ],
    // Constants.
    [
      "a constant that the field cannot be",
      (e) => e.value.age.lt(2 ** 32),
      RangeError,
      "value.age.lt: expected u32 (0..4294967295), got number 4294967296",
    ],
    [
      "a negative one",
      (e) => e.key.proto.eq(-1),
      RangeError,
      "key.proto.eq: expected u8 (0..255), got number -1",
    ],
    [
      "a fraction",
      (e) => e.value.age.lt(1.5),
      RangeError,
      "value.age.lt: expected u32 (0..4294967295), got number 1.5",
    ],
    ["NaN", (e) => e.value.age.lt(Number.NaN), RangeError, "value.age.lt: expected u32"],
    [
      "NaN as a float",
      (e) => e.value.ratio.lt(Number.NaN),
      RangeError,
      "value.ratio.lt: expected a number, got NaN",
    ],
    [
      "a number that is not exact",
      (e) => e.value.big.lt(2 ** 53),
      RangeError,
      "value.big.lt: expected u64 (0..18446744073709551615), got number 9007199254740992; pass large ones as bigints",
    ],
    [
      "a bigint beyond 64 bits",
      (e) => e.value.big.lt(2n ** 64n),
      RangeError,
      "value.big.lt: expected u64 (0..18446744073709551615), got bigint 18446744073709551616n",
    ],
    [
      "an operand beyond 64 bits",
      (e) => e.value.age.add(2n ** 64n),
      RangeError,
      "value.age.add: expected an integer (-9223372036854775808..18446744073709551615)",
    ],
    [
      "a computed one beyond 64 bits",
      (e) => e.value.age.add(1).eq(-(2n ** 63n) - 1n),
      RangeError,
      "(value.age + 1).eq: expected an integer (-9223372036854775808..",
    ],
    [
      "a text too long",
      (e) => e.value.name.eq("12345678"),
      RangeError,
      "value.name.eq: expected cstring(8) (at most 7 bytes of UTF-8), got 8 bytes",
    ],
    [
      "bytes of another length",
      (e) => e.value.mac.eq(new Uint8Array(5)),
      RangeError,
      "value.mac.eq: expected bytes(6) (exactly 6 bytes), got 5 bytes",
    ],
    [
      "an index outside",
      (e) => e.value.hits.at(3),
      RangeError,
      "value.hits.at: expected an index 0..2, got number 3",
    ],
    [
      "an index that is no integer",
      (e) => e.value.hits.at(0.5),
      RangeError,
      "value.hits.at: expected an index 0..2, got number 0.5",
    ],
    [
      "a byte outside",
      (e) => e.value.mac.byte(-1),
      RangeError,
      "value.mac.byte: expected an index 0..5, got number -1",
    ],
    // Types.
    [
      "a text for a number",
      (e) => e.value.age.lt("5"),
      TypeError,
      'value.age.lt: expected an integer or an expression that is one, got string "5"',
    ],
    [
      "nothing for a number",
      (e) => e.value.age.add(),
      TypeError,
      "value.age.add: expected an integer or an expression that is one, got undefined",
    ],
    [
      "a condition for a number",
      (e) => e.value.age.add(e.value.age.lt(1)),
      TypeError,
      "value.age.add: expected an integer or an expression that is one, got an expression that is no number",
    ],
    [
      "a struct for a number",
      (e) => e.value.age.lt(e.value.inner),
      TypeError,
      "value.age.lt: expected an integer or an expression that is one, got Object",
    ],
    [
      "a float for an integer",
      (e) => e.value.age.lt(e.value.ratio),
      TypeError,
      "value.age.lt: expected an integer, got a float; to(i64) makes one of it",
    ],
    [
      "an integer for a float",
      (e) => e.value.ratio.add(e.value.age),
      TypeError,
      "value.ratio.add: expected a float, got an integer; to(f64) makes one of it",
    ],
    [
      "a bigint for a float",
      (e) => e.value.ratio.add(1n),
      TypeError,
      "value.ratio.add: expected a number or an expression that is one, got bigint 1n",
    ],
    [
      "bits of floats",
      (e) => e.value.ratio.bitAnd(1),
      TypeError,
      "value.ratio.bitAnd: expected an integer, got a float",
    ],
    [
      "not of floats",
      (e) => e.value.ratio.bitNot(),
      TypeError,
      "value.ratio.bitNot: expected an integer, got a float",
    ],
    [
      "the remainder of floats",
      (e) => e.value.ratio.mod(1),
      TypeError,
      "value.ratio.mod: expected an integer, got a float",
    ],
    [
      "a conversion to no number",
      (e) => e.value.age.to(cstring(4)),
      TypeError,
      "value.age.to: expected the codec of a number, got Object",
    ],
    [
      "a conversion to nothing",
      (e) => e.value.age.to(),
      TypeError,
      "value.age.to: expected the codec of a number, got undefined",
    ],
    [
      "a number for bytes",
      (e) => e.value.mac.eq(5),
      TypeError,
      "value.mac.eq: expected bytes(6) (a Uint8Array), got number 5",
    ],
    [
      "a number for a text",
      (e) => e.value.name.eq(5),
      TypeError,
      "value.name.eq: expected cstring(8) (a string), got number 5",
    ],
    [
      "a text for bytes",
      (e) => e.value.mac.eq(e.value.name),
      TypeError,
      "value.mac.eq: expected bytes(6) or an expression that is one, got an expression that is none",
    ],
    [
      "an index that is no number",
      (e) => e.value.hits.at("0"),
      TypeError,
      'value.hits.at: expected an index 0..2, got string "0"',
    ],
    [
      "a float as an index",
      (e) => e.value.hits.at(e.value.ratio),
      TypeError,
      "value.hits.at: expected an integer, got a float",
    ],
    [
      "a sum of structs",
      (e) => e.value.many.sum(),
      TypeError,
      "value.many.sum: the elements are no numbers: expected a function",
    ],
    [
      "a sum of nothing",
      (e) => e.value.many.sum(() => 5),
      TypeError,
      "value.many.sum: expected the function to return a numeric expression, got number 5",
    ],
    [
      "a sum by no function",
      (e) => e.value.hits.sum(5),
      TypeError,
      "value.hits.sum: expected a function of an element, got number 5",
    ],
    [
      "a number for a condition",
      (e) => e.value.age.lt(1).and(1),
      TypeError,
      "(value.age < 1).and: expected a condition, got number 1",
    ],
    [
      "an expression for a condition",
      (e) => e.value.age.lt(1).or(e.value.age),
      TypeError,
      "(value.age < 1).or: expected a condition, got an expression that is none",
    ],
  ] as Refused[])("%s", (_, fn, type, message) => {
    expectRefused(fn, type, message);
  });
});
