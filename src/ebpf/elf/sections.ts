/**
 * What the name of a section says of the programs in it: libbpf's convention.
 *
 * @module
 */

/** Types of programs by the names that bpftool gives them. */
export type ProgramType =
  | "cgroup_device"
  | "cgroup_skb"
  | "cgroup_sock"
  | "cgroup_sock_addr"
  | "cgroup_sockopt"
  | "cgroup_sysctl"
  | "ext"
  | "flow_dissector"
  | "iter"
  | "kprobe"
  | "lirc_mode2"
  | "lsm"
  | "lwt_in"
  | "lwt_out"
  | "lwt_seg6local"
  | "lwt_xmit"
  | "netfilter"
  | "perf_event"
  | "raw_tracepoint"
  | "raw_tracepoint_writable"
  | "sched_act"
  | "sched_cls"
  | "sk_lookup"
  | "sk_msg"
  | "sk_reuseport"
  | "sk_skb"
  | "sock_ops"
  | "socket_filter"
  | "struct_ops"
  | "syscall"
  | "tracepoint"
  | "tracing"
  | "xdp";

/** What a name says. */
export interface SectionMeaning {
  /** Undefined where the name says none: the caller must. */
  readonly type: ProgramType | undefined;
  /** What stands behind the type: the target of an iterator, the function of a probe. */
  readonly attach: string;
  /** False where the name begins with "?": such programs are loaded only when somebody asks for them. */
  readonly autoload: boolean;
}

/** By what names begin with. Of two that fit, the longer one counts. */
const TYPES: Readonly<Record<string, ProgramType>> = {
  action: "sched_act",
  "cgroup/bind": "cgroup_sock_addr",
  "cgroup/connect": "cgroup_sock_addr",
  "cgroup/dev": "cgroup_device",
  "cgroup/getpeername": "cgroup_sock_addr",
  "cgroup/getsockname": "cgroup_sock_addr",
  "cgroup/getsockopt": "cgroup_sockopt",
  "cgroup/post_bind": "cgroup_sock",
  "cgroup/recvmsg": "cgroup_sock_addr",
  "cgroup/sendmsg": "cgroup_sock_addr",
  "cgroup/setsockopt": "cgroup_sockopt",
  "cgroup/skb": "cgroup_skb",
  "cgroup/sock": "cgroup_sock",
  "cgroup/sysctl": "cgroup_sysctl",
  cgroup_skb: "cgroup_skb",
  classifier: "sched_cls",
  fentry: "tracing",
  "fentry.s": "tracing",
  fexit: "tracing",
  "fexit.s": "tracing",
  flow_dissector: "flow_dissector",
  fmod_ret: "tracing",
  "fmod_ret.s": "tracing",
  freplace: "ext",
  iter: "iter",
  "iter.s": "iter",
  kprobe: "kprobe",
  kretprobe: "kprobe",
  kretsyscall: "kprobe",
  ksyscall: "kprobe",
  lirc_mode2: "lirc_mode2",
  lsm: "lsm",
  "lsm.s": "lsm",
  lsm_cgroup: "lsm",
  lwt_in: "lwt_in",
  lwt_out: "lwt_out",
  lwt_seg6local: "lwt_seg6local",
  lwt_xmit: "lwt_xmit",
  netfilter: "netfilter",
  netkit: "sched_cls",
  perf_event: "perf_event",
  raw_tp: "raw_tracepoint",
  "raw_tp.w": "raw_tracepoint_writable",
  raw_tracepoint: "raw_tracepoint",
  "raw_tracepoint.w": "raw_tracepoint_writable",
  sk_lookup: "sk_lookup",
  sk_msg: "sk_msg",
  sk_reuseport: "sk_reuseport",
  sk_skb: "sk_skb",
  socket: "socket_filter",
  sockops: "sock_ops",
  struct_ops: "struct_ops",
  "struct_ops.s": "struct_ops",
  syscall: "syscall",
  tc: "sched_cls",
  tcx: "sched_cls",
  tp: "tracepoint",
  tp_btf: "tracing",
  tracepoint: "tracepoint",
  uprobe: "kprobe",
  "uprobe.s": "kprobe",
  uretprobe: "kprobe",
  "uretprobe.s": "kprobe",
  usdt: "kprobe",
  xdp: "xdp",
  "xdp.frags": "xdp",
};

const NAMES = Object.keys(TYPES).toSorted((a, b) => b.length - a.length);

/** The meaning of a section's name. Old objects have a number or a word behind a type, `xdp_prog`, `socket1`: it is passed over. */
export function sectionMeaning(section: string): SectionMeaning {
  const autoload = !section.startsWith("?");
  const name = autoload ? section : section.slice(1);
  const begins = NAMES.find((known) => name.startsWith(known) && !/^[A-Za-z]/.test(name.slice(known.length)));
  if (begins === undefined) return { type: undefined, attach: "", autoload };
  const rest = name.slice(begins.length);
  return { type: TYPES[begins], attach: rest.startsWith("/") ? rest.slice(1) : "", autoload };
}
