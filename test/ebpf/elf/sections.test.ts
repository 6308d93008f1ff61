import { expect, it } from "vitest";
import { sectionMeaning } from "../../../src/ebpf/elf/sections.ts";

it.each([
  ["xdp", "xdp", "", true],
  ["xdp.frags", "xdp", "", true],
  ["xdp/devmap", "xdp", "devmap", true],
  ["xdp_sock", "xdp", "", true],
  ["?tc", "sched_cls", "", false],
  ["tcx/ingress", "sched_cls", "ingress", true],
  ["classifier/one", "sched_cls", "one", true],
  ["action", "sched_act", "", true],
  ["socket1", "socket_filter", "", true],
  ["iter/bpf_map_elem", "iter", "bpf_map_elem", true],
  ["cgroup_skb/egress", "cgroup_skb", "egress", true],
  ["cgroup/connect4", "cgroup_sock_addr", "", true],
  ["raw_tp.w/sys_enter", "raw_tracepoint_writable", "sys_enter", true],
  ["kprobe/tcp_connect", "kprobe", "tcp_connect", true],
  ["lsm.s/bpf", "lsm", "bpf", true],
  ["syscall", "syscall", "", true],
  ["2/7", undefined, "", true],
  ["xdpdump", undefined, "", true],
  ["", undefined, "", true],
])("section %j holds programs of type %s", (section, type, attach, autoload) => {
  expect(sectionMeaning(section)).toEqual({ type, attach, autoload });
});
