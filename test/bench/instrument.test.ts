// Instructions counted in small modules, beside counts made by hand. What counts: bench/counters/instrument.mjs.
import binaryen from "binaryen";
import { describe, expect, test } from "vitest";
// @ts-expect-error plain JavaScript
import { executedByFunction, instrument } from "../../bench/counters/instrument.mjs";

type Run = (...parameters: number[]) => number;

function assemble(text: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.All);
  expect(module.validate()).toBe(1);
  const binary = module.emitBinary();
  module.dispose();
  return new Uint8Array(binary);
}

const imports = { env: { twice: (x: number) => 2 * x } };

/** The exports of a module as it is and with counters, and what a call executes in each function. */
function load(text: string) {
  const binary = assemble(text);
  const plain = new WebAssembly.Instance(new WebAssembly.Module(binary), imports);
  const instrumented = instrument(binary);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(instrumented.binary), imports);
  const executed = (): number[] => executedByFunction(exports, instrumented.blocks);
  const call = (...parameters: number[]) => {
    const before = executed();
    const result = (exports.f as Run)(...parameters);
    expect(result).toBe((plain.exports.f as Run)(...parameters));
    return { result, executed: executed().map((count, i) => count - before[i]) };
  };
  return { plain: plain.exports, exports, call };
}

/** Instructions of one call of the function `f`. */
function counts(body: string, calls: number[][]): number[] {
  const { call } = load(`(module (func (export "f") ${body}))`);
  return calls.map((parameters) => call(...parameters).executed[0]);
}

const SQUARE_OR_ONE = `(if (result i32) (local.get 0)
  (then (i32.const 1))
  (else (i32.mul (local.get 1) (local.get 1))))`;

describe("operands", () => {
  test("straight code: every instruction once", () => {
    expect(
      counts("(param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))", [
        [1, 2],
        [3, 4],
      ]),
    ).toEqual([3, 3]);
  });

  test("an if with a value as the first operand", () => {
    // local.get, if, i32.const | local.get, local.get, i32.mul; then local.get, i32.add
    expect(
      counts(`(param i32 i32) (result i32) (i32.add ${SQUARE_OR_ONE} (local.get 1))`, [
        [1, 5],
        [0, 5],
      ]),
    ).toEqual([5, 7]);
  });

  test("an if with a value as the last operand", () => {
    expect(
      counts(`(param i32 i32) (result i32) (i32.sub (local.get 1) ${SQUARE_OR_ONE})`, [
        [1, 5],
        [0, 5],
      ]),
    ).toEqual([5, 7]);
  });

  test("ifs in each of three operands, and in the condition of an if", () => {
    // Three times 3 or 5, and the select. Around it: if, and local.get or i32.const.
    const select = `(select ${SQUARE_OR_ONE} ${SQUARE_OR_ONE} ${SQUARE_OR_ONE})`;
    const body = `(param i32 i32) (result i32)
      (if (result i32) ${select} (then (i32.const 7)) (else (i32.eqz (local.get 1))))`;
    expect(
      counts(body, [
        [1, 0],
        [0, 2],
        [0, 0],
      ]),
    ).toEqual([10 + 2, 16 + 2, 16 + 3]);
  });

  test("operands of a call", () => {
    const { call } = load(`(module
      (func $g (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
      (func (export "f") (param i32 i32) (result i32)
        (i32.add (call $g (local.get 1) ${SQUARE_OR_ONE}) (call $g ${SQUARE_OR_ONE} (local.get 1)))))`);
    // $g: 3 each. f: twice local.get, the if, call; i32.add.
    expect(call(1, 5).executed).toEqual([6, 2 * (1 + 3 + 1) + 1]);
    expect(call(0, 5).executed).toEqual([6, 2 * (1 + 5 + 1) + 1]);
  });

  test("a value that stays on the stack while others come and go", () => {
    // local.get, i32.const, local.set, local.get, i32.add: binaryen keeps the first one in a local variable of its own.
    expect(
      counts("(param i32) (result i32) local.get 0 i32.const 5 local.set 0 local.get 0 i32.add", [[3]]),
    ).toEqual([5]);
  });

  test("a value that stays on the stack over a branch", () => {
    // local.get, local.get, if, (i32.const, local.set,) local.get, i32.add
    const body = `(param i32) (result i32)
      local.get 0 local.get 0 if i32.const 5 local.set 0 end local.get 0 i32.add`;
    expect(counts(body, [[3], [0]])).toEqual([7, 5]);
  });
});

describe("branches", () => {
  test("a loop", () => {
    // Each time: local.get, local.get, i32.add, local.set; local.get, i32.const, i32.sub, local.tee, br_if. At last: local.get.
    const body = `(param i32) (result i32) (local i32)
      (loop $again
        (local.set 1 (i32.add (local.get 1) (local.get 0)))
        (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      (local.get 1)`;
    expect(counts(body, [[1], [2], [100]])).toEqual([10, 19, 901]);
  });

  test("a loop in a loop that is left from within", () => {
    // Outer: local.get, i32.eqz, br_if, (i32.const, local.set,) inner, local.get, i32.const, i32.sub, local.set, br
    // Inner: local.get, i32.const, i32.sub, local.tee, br_if
    const body = `(param i32) (result i32) (local i32)
      (block $done
        (loop $outer
          (br_if $done (i32.eqz (local.get 0)))
          (local.set 1 (i32.const 3))
          (loop $inner (br_if $inner (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))
          (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
          (br $outer)))
      (local.get 0)`;
    expect(counts(body, [[0], [1], [10]])).toEqual([3 + 1, 25 + 3 + 1, 250 + 3 + 1]);
  });

  test("br_table", () => {
    const body = `(param i32) (result i32)
      (block $c
        (block $b
          (block $a (br_table $a $b $c (local.get 0)))
          (return (i32.const 10)))
        (return (i32.add (i32.const 19) (i32.const 1))))
      (i32.const 30)`;
    // local.get, br_table; i32.const, return | i32.const, i32.const, i32.add, return | i32.const
    expect(counts(body, [[0], [1], [2], [77]])).toEqual([4, 6, 3, 3]);
  });

  test("a return out of the middle of operands", () => {
    const body = `(param i32) (result i32)
      (i32.add
        (i32.const 1)
        (block (result i32)
          (if (local.get 0) (then (return (i32.mul (i32.const 7) (local.get 0)))))
          (i32.const 2)))`;
    // i32.const, local.get, if; i32.const, local.get, i32.mul, return | i32.const, i32.add
    expect(counts(body, [[1], [0]])).toEqual([7, 5]);
  });

  test("br_if with a value", () => {
    const body = (inner: string) => `(param i32) (result i32)
      (i32.add (block $out (result i32) ${inner}) (i32.const 1))`;
    const branch = "(br_if $out (i32.const 5) (local.get 0))";
    // i32.const, local.get, br_if; (i32.const, i32.mul;) i32.const, i32.add
    expect(counts(body(`(i32.mul ${branch} (i32.const 3))`), [[1], [0]])).toEqual([5, 7]);
    // i32.const, i32.const, local.get, br_if; (i32.mul;) i32.const, i32.add
    expect(counts(body(`(i32.mul (i32.const 3) ${branch})`), [[1], [0]])).toEqual([6, 7]);
  });

  test("code that is never reached", () => {
    expect(counts("(param i32) (result i32) (return (local.get 0)) (i32.const 5)", [[1]])).toEqual([2]);
    // local.get, i32.const, return, and the drop that binaryen adds.
    expect(counts("(param i32) (result i32) (i32.add (local.get 0) (return (i32.const 5)))", [[1]])).toEqual([
      4,
    ]);
  });

  test("nop, block and drop", () => {
    const body = "(param i32) (result i32) (nop) (block (block $x (drop (local.get 0)))) (local.get 0)";
    expect(counts(body, [[1]])).toEqual([3]);
  });
});

test("recursion", () => {
  const { call } = load(`(module (func $f (export "f") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 1))
      (else (i32.mul (local.get 0) (call $f (i32.sub (local.get 0) (i32.const 1))))))))`);
  // local.get, i32.eqz, if; i32.const | local.get, local.get, i32.const, i32.sub, call, i32.mul
  expect(call(0)).toEqual({ result: 1, executed: [4] });
  expect(call(5)).toEqual({ result: 120, executed: [5 * 9 + 4] });
});

test("functions are told apart; imported ones do not count", () => {
  const { call } = load(`(module
    (import "env" "twice" (func $twice (param i32) (result i32)))
    (func $unused (result i32) (i32.const 1))
    (func $g (param i32) (result i32) (call $twice (local.get 0)))
    (func (export "f") (param i32) (result i32) (drop (call $g (local.get 0))) (call $g (local.get 0))))`);
  expect(call(4)).toEqual({ result: 8, executed: [0, 4, 5] });
});

test("memory, globals and vectors; the memory stays as it is", () => {
  const { call, plain, exports } = load(`(module
    (memory (export "memory") 1)
    (global $calls (mut i32) (i32.const 0))
    (func (export "f") (param i32) (result i32)
      (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
      (i32.store (i32.const 16) (local.get 0))
      (v128.store (i32.const 32) (i32x4.add (v128.load (i32.const 16)) (i32x4.splat (global.get $calls))))
      (memory.copy (i32.const 64) (i32.const 32) (i32.const 16))
      (memory.fill (i32.const 80) (i32.const 7) (i32.const 16))
      (i32.add (i32x4.extract_lane 0 (v128.load (i32.const 64))) (i32.load8_u (i32.const 95)))))`);
  // 4, 3, 7, 4, 4, and 6
  expect(call(100)).toEqual({ result: 108, executed: [28] });
  expect(call(100)).toEqual({ result: 109, executed: [28] });
  const bytes = ({ memory }: WebAssembly.Exports) => new Uint8Array((memory as WebAssembly.Memory).buffer);
  expect(bytes(exports)).toEqual(bytes(plain));
  expect(
    bytes(exports)
      .subarray(0, 16)
      .every((byte) => byte === 0),
  ).toBe(true);
});

test("an instruction that it does not know is an error, not a wrong count", () => {
  const binary = assemble("(module (func (param f64) (drop (ref.null func))))");
  expect(() => instrument(binary)).toThrow("does not know");
});
