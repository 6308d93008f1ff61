// Iterators as async iterables and as web streams.
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { MapIterator } from "../../src/index.ts";
import { expectErrno } from "../support/caught.ts";
import { numbers, showKey, textOf } from "./pieces.ts";

const decoder = new TextDecoder();

describe("for await", () => {
  it("gives the pieces", async () => {
    const { map, host } = numbers("array", 4, 4);
    const { bytes } = host.memoryUsage();
    const iterator = map.iterator({ bufferSize: 4, show: showKey });
    expectTypeOf(iterator[Symbol.asyncIterator]()).toEqualTypeOf<MapIterator>();
    const pieces: string[] = [];
    for await (const piece of iterator) pieces.push(decoder.decode(piece));
    expect(pieces).toEqual(["0\n1\n", "2\n3\n"]);
    expect(host.memoryUsage().bytes).toBe(bytes);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("closes the iterator when it is left", async () => {
    const { map, host } = numbers("array", 4, 4);
    const { bytes } = host.memoryUsage();
    const iterator = map.iterator({ bufferSize: 4, show: showKey });
    for await (const piece of iterator) {
      expect(piece.length).toBe(4);
      break;
    }
    expect(host.memoryUsage().bytes).toBe(bytes);
    expectErrno(() => iterator.read(), "EBADF");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(await iterator.return()).toEqual({ done: true, value: undefined });
  });

  it("throws what a read throws, and closes the iterator", async () => {
    const { map, host } = numbers("array", 4, 4);
    const { bytes } = host.memoryUsage();
    const iterator = map.iterator({
      show(seq, entry) {
        if (entry?.key === 2) throw new Error("no twos");
        showKey(seq, entry);
      },
    });
    const pieces: string[] = [];
    const loop = async () => {
      for await (const piece of iterator) pieces.push(decoder.decode(piece));
    };
    await expect(loop()).rejects.toThrow("no twos");
    expect(pieces).toEqual(["0\n1\n"]);
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("is how pipeline() reads it, which closes it when the other end fails", async () => {
    const { map, host } = numbers("array", 400, 400);
    const { bytes } = host.memoryUsage();
    const pieces: string[] = [];
    const sink = new Writable({
      highWaterMark: 1,
      write(piece, _encoding, done) {
        pieces.push(piece.toString());
        done(pieces.length === 2 ? new Error("hung up") : null);
      },
    });
    await expect(pipeline(map.iterator({ bufferSize: 4, show: showKey }), sink)).rejects.toThrow("hung up");
    expect(pieces).toEqual(["0\n1\n", "2\n3\n"]);
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("is EBADF when the host is closed", async () => {
    const { map, host } = numbers("array", 4, 4);
    const iterator = map.iterator({ bufferSize: 4, show: showKey });
    await iterator.next();
    host.close();
    await expect(iterator.next()).rejects.toMatchObject({ code: "EBADF" });
  });
});

describe("a stream", () => {
  it("gives the pieces to a Response", async () => {
    const { map, host } = numbers("rhash", 1000);
    const { bytes } = host.memoryUsage();
    const response = new Response(map.iterator({ bufferSize: 100, show: showKey }).stream());
    const keys = (await response.text()).split("\n").slice(0, -1);
    expect(host.memoryUsage().bytes).toBe(bytes);
    expect(new Set(keys)).toEqual(new Set(Array.from(map.keys(), String)));
    expect(keys.length).toBe(1000);
  });

  it("shows nothing before it is asked to, and no more than a piece", async () => {
    const { map } = numbers("array", 8, 8);
    let calls = 0;
    const iterator = map.iterator({
      bufferSize: 4,
      show(seq, entry) {
        calls++;
        showKey(seq, entry);
      },
    });
    const reader = iterator.stream().getReader();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(calls).toBe(0);
    expect(textOf((await reader.read()).value)).toBe("0\n1\n");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(calls).toBe(3);
    map.set(2, 9);
    expect(textOf((await reader.read()).value)).toBe("2\n3\n");
    await reader.cancel();
    expectErrno(() => iterator.read(), "EBADF");
  });

  it("closes the iterator when it is cancelled", async () => {
    const { map, host } = numbers("array", 8, 8);
    const { bytes } = host.memoryUsage();
    const stream = map.iterator({ bufferSize: 4, show: showKey }).stream();
    for await (const piece of stream) {
      expect(piece.length).toBe(4);
      break;
    }
    expect(host.memoryUsage().bytes).toBe(bytes);
    await map.iterator({ show: showKey }).stream().cancel();
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("fails with what a read throws, and closes the iterator", async () => {
    const { map, host } = numbers("array", 4, 4);
    const { bytes } = host.memoryUsage();
    const stream = map.iterator({ bufferSize: 1, show: showKey }).stream();
    await expect(new Response(stream).text()).rejects.toMatchObject({ code: "E2BIG" });
    expect(host.memoryUsage().bytes).toBe(bytes);
  });

  it("goes through pipes", async () => {
    const { map } = numbers("array", 4, 4);
    const upper = new TransformStream<Uint8Array, string>({
      transform: (piece, controller) => controller.enqueue(decoder.decode(piece).replaceAll("\n", ",")),
    });
    const parts: string[] = [];
    await map
      .iterator({ bufferSize: 5, show: showKey })
      .stream()
      .pipeThrough(upper)
      .pipeTo(new WritableStream({ write: (part) => void parts.push(part) }));
    expect(parts).toEqual(["0,1,", "2,3,"]);
  });

  it("of an empty map is empty", async () => {
    const { map } = numbers("rhash", 0);
    expect(await new Response(map.iterator({ show: showKey }).stream()).text()).toBe("");
  });
});
