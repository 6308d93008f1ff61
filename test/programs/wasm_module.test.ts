// The modules and the control flow that the encoder writes validate and run.
import { describe, expect, it } from "vitest";
import {
  CodeWriter,
  I32,
  ModuleWriter,
  TYPE_F64,
  TYPE_I32,
  TYPE_I64,
  type ValueType,
} from "../../src/programs/wasm/index.ts";
import { instantiate, memory } from "../support/core/wasm_function.ts";

describe("control", () => {
  it("blocks, loops, branches, calls and imports", () => {
    const module = new ModuleWriter({ shared: false });
    const report = module.import("report", { parameters: [TYPE_I32], results: [] });
    const square = module.function(
      undefined,
      { parameters: [TYPE_I32], results: [TYPE_I32] },
      (code, [n]) => {
        code.get(n).get(n).op(I32.mul);
      },
    );
    module.function("squares", { parameters: [TYPE_I32], results: [TYPE_I32] }, (code, [n]) => {
      const sum = code.local(TYPE_I32);
      code.local(TYPE_I64);
      const i = code.local(TYPE_I32);
      const done = code.block();
      const next = code.loop();
      code.get(i).get(n).op(I32.ge_u).brIf(done);
      code.get(sum).get(i).call(square).op(I32.add).set(sum);
      code.get(i).i32(1).op(I32.add).tee(i).call(report);
      code.br(next);
      code.end(next);
      code.end(done);
      code
        .get(sum)
        .i32(100)
        .op(I32.gt_u)
        .ifThen(
          () => code.i32(-1).return(),
          () => code.i32(-2).call(report),
        );
      code.get(sum).op(I32.eqz);
      const label = code.if(TYPE_I32);
      code.i32(7);
      code.else(label);
      code.get(sum).i32(0).i32(1).select();
      code.end(label);
    });
    const reported: unknown[] = [];
    const exports = instantiate(module.finish(), {
      memory: memory(),
      report: (value: number) => reported.push(value),
    });
    expect(exports.squares(4)).toBe(14);
    expect(reported).toEqual([1, 2, 3, 4, -2]);
    expect(exports.squares(0)).toBe(7);
    expect(exports.squares(100)).toBe(-1);
    expect(Object.keys(exports)).toEqual(["squares"]);
  });

  it("refuses code that cannot be closed", () => {
    const code = new CodeWriter(0);
    const outer = code.block();
    const inner = code.block();
    expect(() => code.end(outer)).toThrow("innermost");
    expect(() => code.finish()).toThrow("2 blocks");
    code.end(inner);
    expect(() => code.br(inner)).toThrow("closed");
    expect(() => code.v128Const(new Uint8Array(15))).toThrow(RangeError);
    expect(() => code.get(-1)).toThrow(RangeError);
    const module = new ModuleWriter({ shared: false });
    module.function("f", { parameters: [], results: [] }, () => {});
    expect(() => module.import("late", { parameters: [], results: [] })).toThrow("before");
  });

  it("takes memories of any size, shared or not", () => {
    for (const shared of [false, true]) {
      const module = new ModuleWriter({ shared });
      module.function("f", { parameters: [], results: [TYPE_I32] }, (code) => code.i32(1));
      for (const maximum of [1, 65536]) {
        const env = { memory: new WebAssembly.Memory({ initial: 1, maximum, shared }) };
        expect(instantiate(module.finish(), env).f()).toBe(1);
      }
    }
  });

  it("a module with large functions and many types has long sections", () => {
    const module = new ModuleWriter({ shared: false });
    const types: ValueType[] = [TYPE_I32, TYPE_I64, TYPE_F64];
    for (let i = 0; i < 200; i++) {
      const parameters = Array.from({ length: i % 7 }, (_, p) => types[(p + i) % 3]);
      module.function(`f${i}`, { parameters, results: [TYPE_I32] }, (code) => {
        code.i32(i);
        for (let n = 0; n < i; n++) code.i32(1).op(I32.add);
      });
    }
    const exports = instantiate(module.finish());
    for (let i = 0; i < 200; i++) {
      const zeros = Array.from({ length: i % 7 }, (_, p) => (types[(p + i) % 3] === TYPE_I64 ? 0n : 0));
      expect(exports[`f${i}`](...zeros)).toBe(2 * i);
    }
  });
});
