// The system call and maps of objects: it lists them, and opens none, since no file descriptor of a host stands for an object.
import { describe, expect, it } from "vitest";
import { createHost, u32 } from "../../../src/index.ts";
import * as uapi from "../../../src/uapi/index.ts";

describe.each([false, true])("host.bpf, shared: %s", (shared) => {
  const make = () => {
    const host = createHost({ seed: 1, shared, cpus: 2, maxMemory: 16 * 1024 * 1024 });
    const map = host.createMap({ type: "sockhash", name: "s", key: u32, maxEntries: 4 }).set(1, {});
    host.pin("/s", map);
    return { host, map };
  };

  it("gives no descriptor of one", () => {
    const { host, map } = make();
    const byId = uapi.writeStruct(uapi.BPF_ATTR_ID, { map_id: map.info.id });
    expect(host.bpf(uapi.BPF_MAP_GET_FD_BY_ID, byId)).toBe(-95);
    expect(uapi.bpf_obj_get(host, "/s")).toBe(-95);
    // Nothing is held on to.
    map.close();
    host.unpin("/s");
    expect(host.memoryUsage().maps).toEqual([]);
    expect(host.bpf(uapi.BPF_MAP_GET_FD_BY_ID, byId)).toBe(-2);
  });

  it("lists them by their ids", () => {
    const { host, map } = make();
    const attr = uapi.writeStruct(uapi.BPF_ATTR_ID, { start_id: 0 });
    expect(host.bpf(uapi.BPF_MAP_GET_NEXT_ID, attr)).toBe(0);
    expect(uapi.readStruct(uapi.BPF_ATTR_ID, attr).next_id).toBe(map.info.id);
  });

  it("makes none", () => {
    const { host } = make();
    for (const map_type of [uapi.BPF_MAP_TYPE_SOCKMAP, uapi.BPF_MAP_TYPE_SOCKHASH]) {
      const attr = uapi.writeStruct(uapi.BPF_ATTR_MAP_CREATE, {
        map_type,
        key_size: 4,
        value_size: 4,
        max_entries: 4,
      });
      expect(host.bpf(uapi.BPF_MAP_CREATE, attr)).toBe(-22);
    }
  });
});
