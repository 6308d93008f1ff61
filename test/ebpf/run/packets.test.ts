// Contexts with packets, and the helpers that read, write, move and redirect them: the rules of BPF_PROG_TEST_RUN.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assemble, type BpfProgram, loadProgram, type ProgramType } from "../../../src/ebpf/index.ts";
import { bytes, createHost, type Host, u32 } from "../../../src/index.ts";
import { caught } from "../../support/caught.ts";

let host: Host;
beforeEach(() => {
  host = createHost({ seed: 1, maxMemory: 32 * 1024 * 1024, clock: () => 1234.5 });
});
afterEach(() => {
  expect(host.verify()).toEqual([]);
  host.close();
});

const load = (type: ProgramType, code: string): BpfProgram => loadProgram(host, assemble(code), { type });
const packet = (length: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => (i === 12 ? 8 : i === 13 ? 0 : i));
const signed = (r0: bigint) => Number(BigInt.asIntN(64, r0));
const words = (context: Uint8Array) => [...new Uint32Array(context.slice().buffer)];

describe("XDP", () => {
  const LENGTH = `
    r0 = *(u32 *)(r1 +4)
    r2 = *(u32 *)(r1 +0)
    r0 -= r2
    exit`;

  test("the program sees the packet, and the caller gets offsets", () => {
    const result = load("xdp", LENGTH).run({ data: packet(60) });
    expect(result).toMatchObject({ retval: 60, r0: 60n, data: packet(60) });
    expect(words(result.context)).toEqual([0, 60, 0, 0, 0, 0]);
    expect(result.redirect).toBeUndefined();
  });

  test.each([0, 13, 65536])("a packet of %i bytes is none", (length) => {
    const program = load("xdp", LENGTH);
    expect(caught(() => program.run({ data: new Uint8Array(length) }))).toMatchObject({ code: "EINVAL" });
  });

  test("metadata, and fields of the context", () => {
    const program = load(
      "xdp",
      `
      r0 = *(u32 *)(r1 +0)
      r2 = *(u32 *)(r1 +8)
      r0 -= r2
      r3 = *(u32 *)(r1 +16)
      r0 += r3
      exit`,
    );
    const run = (context: object) => program.run({ data: packet(60), context });
    expect(run({ data: 8, rx_queue_index: 100 }).retval).toBe(108);
    expect(words(run({ data: 8 }).context)).toEqual([8, 60, 0, 0, 0, 0]);
    for (const context of [
      { data: 3 },
      { data: 256 },
      { data_meta: 4 },
      { data_end: 59 },
      { egress_ifindex: 1 },
    ]) {
      expect(
        caught(() => run(context)),
        JSON.stringify(context),
      ).toMatchObject({ code: "EINVAL" });
    }
    expect(() => run({ dat: 1 })).toThrow("did you mean data?");
  });

  test("head and tail are moved within their room", () => {
    const adjust = (helper: string, delta: number) =>
      load("xdp", `r2 = ${delta}\ncall bpf_xdp_adjust_${helper}\nexit`).run({ data: packet(60) });
    const grown = adjust("head", -256);
    expect(signed(grown.r0)).toBe(0);
    expect(grown.data.length).toBe(316);
    expect(grown.data.subarray(256)).toEqual(packet(60));
    expect(signed(adjust("head", -257).r0)).toBe(-22);
    expect(adjust("head", 14).data).toEqual(packet(60).subarray(14));
    expect(signed(adjust("head", 46).r0)).toBe(0);
    expect(signed(adjust("head", 47).r0)).toBe(-22);
    expect(adjust("tail", -40).data).toEqual(packet(60).subarray(0, 20));
    expect(signed(adjust("tail", -47).r0)).toBe(-22);
    expect(adjust("tail", 100).data.subarray(60)).toEqual(new Uint8Array(100));
    expect(signed(adjust("tail", 3460).r0)).toBe(0);
    expect(signed(adjust("tail", 3461).r0)).toBe(-22);
    expect(adjust("meta", -8).data.length).toBe(68);
    expect(signed(adjust("meta", -6).r0)).toBe(-13);
    expect(signed(adjust("meta", 4).r0)).toBe(-22);
  });

  test("a repeated run goes on with what the one before has left", () => {
    const program = load("xdp", "r2 = -4\ncall bpf_xdp_adjust_head\nexit");
    expect(program.run({ data: packet(60), repeat: 3 }).data.length).toBe(72);
  });

  test("redirect", () => {
    const program = load("xdp", "r1 = 7\nr2 = 0\ncall bpf_redirect\nexit");
    expect(program.run({ data: packet(60) })).toMatchObject({ retval: 4, redirect: 7 });
  });

  test("many packets, one after the other", () => {
    // Packets of more than 100 bytes read 2 GiB further.
    const program = load(
      "xdp",
      `${LENGTH.replace("exit", "")}\nif r0 > 100 goto far\nexit\nfar:\nr0 = 0\nexit`,
    );
    const seen: number[][] = [];
    const many = program.runMany([packet(60), packet(61), packet(200), packet(60)], (...given) =>
      seen.push(given),
    );
    expect(many).toEqual({
      runs: 4,
      traps: 0,
      retvals: new Map([
        [60, 2],
        [61, 1],
        [0, 1],
      ]),
    });
    expect(seen).toEqual([
      [60, 0],
      [61, 1],
      [0, 2],
      [60, 3],
    ]);
  });

  test("a packet on which the program traps is counted", () => {
    // Reads the byte that the first one names, without a look where the packet ends.
    const program = load(
      "xdp",
      `
      r2 = *(u32 *)(r1 +0)
      r3 = *(u32 *)(r1 +4)
      r4 = r2
      r4 += 14
      if r4 > r3 goto short
      r5 = *(u8 *)(r2 +0)
      r2 += r5
      r0 = *(u8 *)(r2 +0)
      exit
    short:
      r0 = 0
      exit`,
    );
    expect(program.verified).toMatchObject({ checked: 1 });
    const at = (byte: number) => Uint8Array.of(byte, ...packet(60).subarray(1));
    expect(program.runMany([at(20), at(59), at(60), at(255), at(1)])).toEqual({
      runs: 5,
      traps: 2,
      retvals: new Map([
        [20, 1],
        [59, 1],
        [1, 1],
      ]),
    });
  });
});

describe("sk_buffs", () => {
  const READ = `
    r6 = r1
    *(u64 *)(r10 -8) = 0
    r2 = 0
    r3 = r10
    r3 += -8
    r4 = 4
    call bpf_skb_load_bytes
    r0 = *(u32 *)(r10 -8)
    exit`;

  test("tc sees the Ethernet header, a socket filter what is behind it", () => {
    expect(load("tc", READ).run({ data: packet(60) }).retval).toBe(0x03020100);
    expect(load("socket_filter", READ).run({ data: packet(60) }).retval).toBe(0x11100f0e);
    const { data } = load("socket_filter", READ).run({ data: packet(60) });
    expect(data).toEqual(Uint8Array.from([...new Uint8Array(14), ...packet(60).subarray(14)]));
  });

  test("the context has what the packet says and what the caller does", () => {
    const program = load("tc", "r0 = *(u32 *)(r1 +8)\n*(u32 *)(r1 +8) = 9\nexit");
    const { retval, context } = program.run({ data: packet(60), context: { mark: 5, tstamp: 2n ** 40n } });
    const view = new DataView(context.buffer);
    expect(retval).toBe(5);
    expect(view.getUint32(0, true)).toBe(60);
    expect(view.getUint32(8, true)).toBe(9);
    expect(view.getUint16(16, true)).toBe(8);
    expect(view.getUint32(76, true)).toBe(0);
    expect(view.getBigUint64(152, true)).toBe(2n ** 40n);
  });

  test("bytes are written, and read only where there are any", () => {
    const store = (offset: number, flags = 0) =>
      load(
        "tc",
        `
        *(u64 *)(r10 -8) = 255
        r2 = ${offset}
        r3 = r10
        r3 += -8
        r4 = 4
        r5 = ${flags}
        call bpf_skb_store_bytes
        exit`,
      ).run({ data: packet(60) });
    expect([...store(56).data.subarray(55)]).toEqual([55, 255, 0, 0, 0]);
    expect(signed(store(57).r0)).toBe(-14);
    expect(signed(store(-1).r0)).toBe(-14);
    expect(signed(store(0, 8).r0)).toBe(-22);
  });

  test("a checksum is what a whole one would be", () => {
    const ip = Uint8Array.of(0x45, 0, 0, 46, 1, 2, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2);
    const sumOf = (header: Uint8Array) => {
      let sum = 0;
      for (let i = 0; i < 20; i += 2) sum += (header[i] << 8) | header[i + 1];
      while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
      return 0xffff - sum;
    };
    const whole = sumOf(ip);
    const frame = packet(60);
    frame.set(ip, 14);
    frame.set([whole >>> 8, whole & 255], 24);
    // The sender becomes 192.168.1.9, by the words before and after, in network order.
    const from = new DataView(Uint8Array.of(10, 0, 0, 1).buffer).getInt32(0, true);
    const to = new DataView(Uint8Array.of(192, 168, 1, 9).buffer).getInt32(0, true);
    const run = (code: string) => load("tc", code).run({ data: frame }).data;
    const replaced = run(`r2 = 24\nw3 = ${from}\nw4 = ${to}\nr5 = 4\ncall bpf_l3_csum_replace\nexit`);
    const expected = sumOf(Uint8Array.from([...ip.subarray(0, 12), 192, 168, 1, 9, ...ip.subarray(16)]));
    expect([...replaced.subarray(24, 26)]).toEqual([expected >>> 8, expected & 255]);
    const byDifference = run(`
      r6 = r1
      w1 = ${from}
      *(u32 *)(r10 -4) = r1
      w1 = ${to}
      *(u32 *)(r10 -8) = r1
      r1 = r10
      r1 += -4
      r2 = 4
      r3 = r10
      r3 += -8
      r4 = 4
      r5 = 0
      call bpf_csum_diff
      r1 = r6
      r2 = 24
      r3 = 0
      r4 = r0
      r5 = 0
      call bpf_l3_csum_replace
      exit`);
    expect(byDifference.subarray(24, 26)).toEqual(replaced.subarray(24, 26));
  });
});

describe("what a program learns of its surroundings", () => {
  const raw = (code: string) => loadProgram(host, assemble(code), { type: "raw" }).run().r0;

  test("time, CPU and nobody", () => {
    expect(raw("call bpf_ktime_get_ns\nexit")).toBe(1234500000n);
    expect(raw("call bpf_ktime_get_boot_ns\nexit")).toBe(1234500000n);
    expect(raw("call bpf_jiffies64\nexit")).toBe(308n);
    expect(raw("call bpf_get_smp_processor_id\nexit")).toBe(BigInt(host.cpu));
    expect(raw("call bpf_get_current_pid_tgid\nexit")).toBe(0n);
  });

  test("chance is that of the host's seed", () => {
    const draw = (seed: number) => {
      const other = createHost({ seed });
      const program = loadProgram(other, assemble("call bpf_get_prandom_u32\nexit"), { type: "raw" });
      return [program.run().retval, program.run().retval, program.run().retval];
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
    expect(new Set(draw(5)).size).toBe(3);
  });

  test("a map of structs that a program never saw stays as it was", () => {
    const map = host.createMap({ type: "hash", key: u32, value: bytes(4), maxEntries: 2 });
    expect(raw("r0 = 0\nexit")).toBe(0n);
    expect(map.size).toBe(0);
  });
});
