import { expect } from "vitest";
import { BpfError, ERRNO, type ErrnoCode } from "../../src/index.ts";

/** What `call` throws; fails the test when it throws nothing. */
export function caught(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return error as Error;
  }
  throw new Error("expected the call to throw");
}

/** Expects a BpfError with an errno; gives it for further checks. */
export function expectErrno(call: () => unknown, code: ErrnoCode): BpfError {
  const error = caught(call);
  expect(error, String(error)).toBeInstanceOf(BpfError);
  const failure = error as BpfError;
  expect({ code: failure.code, errno: failure.errno }, failure.message).toEqual({
    code,
    errno: (ERRNO as Readonly<Record<string, number>>)[code],
  });
  expect(failure.message).toContain(`(${code})`);
  return failure;
}
