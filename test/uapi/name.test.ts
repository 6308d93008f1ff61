import { expect, test } from "vitest";
import { createHost } from "../../src/index.ts";
import {
  BPF_ATTR_MAP_CREATE,
  BPF_MAP_CREATE,
  BPF_MAP_TYPE_HASH,
  BPF_OBJ_GET_INFO_BY_FD,
  writeStruct,
} from "../../src/uapi/index.ts";

const ERRNO_EINVAL = 22;
/** Offsets of map_name in MAP_CREATE, and of name in struct bpf_map_info. */
const [MAP_NAME, INFO_NAME] = [28, 24];

/** As the live kernel answers, byte for byte (test/kernel): letters are those of Latin-1, upper and lower case. */
test("the bytes that a name may hold, and that it is given back with", () => {
  using host = createHost();
  const accepted: number[] = [];
  for (let byte = 1; byte < 256; byte++) {
    const attr = writeStruct(BPF_ATTR_MAP_CREATE, {
      map_type: BPF_MAP_TYPE_HASH,
      key_size: 4,
      value_size: 4,
      max_entries: 1,
      map_flags: 1,
    });
    attr.set([0x61, byte, 0x7a], MAP_NAME);
    const fd = host.bpf(BPF_MAP_CREATE, attr);
    if (fd < 0) {
      expect(fd).toBe(-ERRNO_EINVAL);
      continue;
    }
    accepted.push(byte);
    const memory = new Uint8Array(256);
    const info = new Uint8Array(new Uint32Array([fd, 104, 8, 0]).buffer);
    expect(host.bpf(BPF_OBJ_GET_INFO_BY_FD, info, memory.buffer)).toBe(0);
    expect([...memory.subarray(8 + INFO_NAME, 8 + INFO_NAME + 4)]).toEqual([0x61, byte, 0x7a, 0]);
    host.closeFd(fd);
  }
  const ascii = [..."._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"].map((c) =>
    c.charCodeAt(0),
  );
  const latin = Array.from({ length: 64 }, (_, i) => 0xc0 + i).filter(
    (byte) => byte !== 0xd7 && byte !== 0xf7,
  );
  expect(accepted).toEqual([...ascii, ...latin].sort((a, b) => a - b));
});
