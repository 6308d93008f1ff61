// Objects that are cut off or have wrong bytes end in an object, or in an error that says what is wrong.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codecOf } from "../../../src/ebpf/elf/codecs.ts";
import { ObjectError } from "../../../src/ebpf/elf/object_error.ts";
import { parseObject } from "../../../src/ebpf/elf/object_file.ts";
import { structureProblem } from "../../../src/ebpf/isa/structure.ts";
import { testSeed } from "../../support/seed.ts";
import { bySize } from "../../support/size.ts";
import { OBJECTS, objectBytes } from "../support/objects.ts";

const seed = testSeed("ebpf/elf/damage.test.ts");

/** What `read` throws may only be an ObjectError with a message. */
function soundly(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof ObjectError)) throw error;
    expect(error.message).toMatch(/^object: .{8}/);
    return false;
  }
}

/** Reads everything that an object has. Whether it is one. */
function read(bytes: Uint8Array): boolean {
  return soundly(() => {
    const { maps, data, programs, functions, btf } = parseObject(bytes);
    for (const program of [...programs, ...functions]) {
      soundly(() => {
        const { code, relocations } = program.link();
        structureProblem(code, "kernel");
        for (const { slot } of relocations) expect(slot).toBeLessThan(code.length / 8);
      });
    }
    if (btf === undefined) return;
    const types = [
      ...maps.flatMap(({ keyType, valueType }) => [keyType, valueType]),
      ...data.flatMap(({ variables }) => variables.map(({ type }) => type)),
    ];
    for (const type of types) if (type !== undefined) soundly(() => codecOf(btf, type));
  });
}

describe.each(OBJECTS)("%s.bpf.o", (name) => {
  const whole = objectBytes(name);

  it("is whole", () => expect(read(whole)).toBe(true));

  it("cut off anywhere is no object", () => {
    const step = bySize(97, 7);
    for (let length = 0; length < whole.length; length += step) {
      expect(read(whole.subarray(0, length)), `${length} bytes`).toBe(false);
    }
  });

  it("with wrong bytes ends in an object or an error", () => {
    const change = fc.record({
      at: fc.nat(whole.length - 1),
      value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const damaged = whole.slice();
        for (const { at, value } of changes) damaged[at] = value;
        read(damaged);
      }),
      { seed, numRuns: bySize(60, 1000) },
    );
  });
});
