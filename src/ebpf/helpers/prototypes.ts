/**
 * The helpers that programs may call here: what they take, and what they give back.
 *
 * @module
 */

/**
 * What an argument must be.
 *
 * - `anything`: a register that can be read; `context`: the program's; `seq`: where an iterator prints
 * - `map`; `key`, `value`: memory of its key or value size that is read, `value_out`: that is written
 * - `memory`, `memory_out`: memory of as many bytes as the next argument says, read or written; `memory_or_null`: none of 0 bytes
 * - `size`: the size of the memory before it, not 0; `size_or_zero`; `constant_size`: known when the program is loaded
 * - `function`: a callback; `lock`, `timer`: that field of a map's value; `record`: a reserved ring buffer record
 */
export type Argument =
  | "anything"
  | "context"
  | "seq"
  | "map"
  | "key"
  | "value"
  | "value_out"
  | "memory"
  | "memory_out"
  | "memory_or_null"
  | "size"
  | "size_or_zero"
  | "constant_size"
  | "function"
  | "lock"
  | "timer"
  | "record";

/** What is in r0 afterwards: a number, one below 2^32, a pointer or NULL. */
export type Result = "number" | "u32" | "value_or_null" | "record_or_null";

/** Programs that have a packet. */
export type PacketProgram = "xdp" | "skb";

export interface Prototype {
  readonly id: number;
  /** Without `bpf_`. */
  readonly name: string;
  readonly arguments: readonly Argument[];
  readonly result: Result;
  /** Whether it may move the packet, or change its bounds: pointers into it are dead afterwards. */
  readonly movesPacket: boolean;
  /** Whether it does nothing but give a number, without touching a map, an event or a packet. */
  readonly isPure: boolean;
  /** The types of map that it is for; undefined: maps with keys and values. */
  readonly mapTypes?: readonly string[];
  /** The programs that have it; undefined: all. */
  readonly programs?: PacketProgram | "iter";
}

interface Traits {
  readonly result?: Result;
  readonly isPure?: boolean;
  readonly mapTypes?: readonly string[];
  readonly programs?: PacketProgram | "iter";
}

/** `bpf_helper_changes_pkt_data` of net/core/filter.c. A program that is called by 12, tail_call, may call any of them. */
const MOVES_PACKET: ReadonlySet<number> = new Set([
  9, 10, 11, 12, 13, 18, 19, 31, 38, 39, 43, 44, 50, 54, 63, 65, 73, 74, 75, 76, 90, 91, 143,
]);

const QUEUES = ["queue", "stack", "bloom_filter"];
const REDIRECTS = ["devmap", "devmap_hash", "cpumap", "xskmap"];
const RINGS = ["ringbuf"];
const PURE: Traits = { isPure: true };
const PURE_U32: Traits = { isPure: true, result: "u32" };
const XDP: Traits = { programs: "xdp" };
const SKB: Traits = { programs: "skb" };

const TABLE: readonly Prototype[] = [
  helper(1, "map_lookup_elem", "map key", { result: "value_or_null" }),
  helper(2, "map_update_elem", "map key value anything"),
  helper(3, "map_delete_elem", "map key"),
  helper(4, "probe_read", "memory_out size_or_zero anything"),
  helper(5, "ktime_get_ns", "", PURE),
  helper(6, "trace_printk", "memory size"),
  helper(7, "get_prandom_u32", "", PURE_U32),
  helper(8, "get_smp_processor_id", "", PURE_U32),
  helper(9, "skb_store_bytes", "context anything memory size anything", SKB),
  helper(10, "l3_csum_replace", "context anything anything anything anything", SKB),
  helper(11, "l4_csum_replace", "context anything anything anything anything", SKB),
  helper(12, "tail_call", "context map anything", { mapTypes: ["prog_array"] }),
  helper(13, "clone_redirect", "context anything anything", SKB),
  helper(14, "get_current_pid_tgid", "", PURE),
  helper(15, "get_current_uid_gid", "", PURE),
  helper(16, "get_current_comm", "memory_out size"),
  helper(18, "skb_vlan_push", "context anything anything", SKB),
  helper(19, "skb_vlan_pop", "context", SKB),
  helper(23, "redirect", "anything anything"),
  helper(25, "perf_event_output", "context map anything memory size_or_zero", {
    mapTypes: ["perf_event_array"],
  }),
  helper(26, "skb_load_bytes", "context anything memory_out size", SKB),
  helper(28, "csum_diff", "memory_or_null size_or_zero memory_or_null size_or_zero anything"),
  helper(31, "skb_change_proto", "context anything anything", SKB),
  helper(34, "get_hash_recalc", "context", { programs: "skb", result: "u32" }),
  helper(35, "get_current_task", "", PURE),
  helper(38, "skb_change_tail", "context anything anything", SKB),
  helper(39, "skb_pull_data", "context anything", SKB),
  helper(40, "csum_update", "context anything", SKB),
  helper(41, "set_hash_invalid", "context", SKB),
  helper(43, "skb_change_head", "context anything anything", SKB),
  helper(44, "xdp_adjust_head", "context anything", XDP),
  helper(45, "probe_read_str", "memory_out size_or_zero anything"),
  helper(48, "set_hash", "context anything", SKB),
  helper(50, "skb_adjust_room", "context anything anything anything", SKB),
  helper(51, "redirect_map", "map anything anything", { mapTypes: REDIRECTS }),
  helper(54, "xdp_adjust_meta", "context anything", XDP),
  helper(65, "xdp_adjust_tail", "context anything", XDP),
  helper(87, "map_push_elem", "map value anything", { mapTypes: QUEUES }),
  helper(88, "map_pop_elem", "map value_out", { mapTypes: QUEUES }),
  helper(89, "map_peek_elem", "map value_out", { mapTypes: QUEUES }),
  helper(93, "spin_lock", "lock"),
  helper(94, "spin_unlock", "lock"),
  helper(112, "probe_read_user", "memory_out size_or_zero anything"),
  helper(113, "probe_read_kernel", "memory_out size_or_zero anything"),
  helper(114, "probe_read_user_str", "memory_out size_or_zero anything"),
  helper(115, "probe_read_kernel_str", "memory_out size_or_zero anything"),
  helper(118, "jiffies64", "", PURE),
  helper(125, "ktime_get_boot_ns", "", PURE),
  helper(126, "seq_printf", "seq memory size memory_or_null size_or_zero", { programs: "iter" }),
  helper(127, "seq_write", "seq memory size_or_zero", { programs: "iter" }),
  helper(130, "ringbuf_output", "map memory size_or_zero anything", { mapTypes: RINGS }),
  helper(131, "ringbuf_reserve", "map constant_size anything", { mapTypes: RINGS, result: "record_or_null" }),
  helper(132, "ringbuf_submit", "record anything"),
  helper(133, "ringbuf_discard", "record anything"),
  helper(134, "ringbuf_query", "map anything", { mapTypes: RINGS }),
  helper(160, "ktime_get_coarse_ns", "", PURE),
  helper(164, "for_each_map_elem", "map function anything anything"),
  helper(169, "timer_init", "timer map anything"),
  helper(170, "timer_set_callback", "timer function"),
  helper(171, "timer_start", "timer anything anything"),
  helper(172, "timer_cancel", "timer"),
  helper(177, "trace_vprintk", "memory size memory_or_null size_or_zero"),
  helper(181, "loop", "anything function anything anything"),
  helper(188, "xdp_get_buff_len", "context", XDP),
  helper(189, "xdp_load_bytes", "context anything memory_out size", XDP),
  helper(190, "xdp_store_bytes", "context anything memory size", XDP),
  helper(195, "map_lookup_percpu_elem", "map key anything", {
    result: "value_or_null",
    mapTypes: ["percpu_hash", "percpu_array", "lru_percpu_hash"],
  }),
];

function helper(id: number, name: string, takes: string, traits: Traits = {}): Prototype {
  return {
    id,
    name,
    arguments: takes === "" ? [] : (takes.split(" ") as Argument[]),
    result: traits.result ?? "number",
    movesPacket: MOVES_PACKET.has(id),
    isPure: traits.isPure ?? false,
    ...(traits.mapTypes && { mapTypes: traits.mapTypes }),
    ...(traits.programs && { programs: traits.programs }),
  };
}

/** By id. */
export const PROTOTYPES: ReadonlyMap<number, Prototype> = new Map(TABLE.map((entry) => [entry.id, entry]));

/** Types of map that have helpers of their own, and neither keys nor values for the others. */
export const WITHOUT_LOOKUP: ReadonlySet<string> = new Set([
  ...QUEUES,
  ...RINGS,
  "prog_array",
  "perf_event_array",
]);

/** A helper that is not in the table, which the caller brings: it takes what is in r1 to r5 as numbers. */
export function broughtHelper(id: number, name: string): Prototype {
  return { id, name, arguments: [], result: "number", movesPacket: MOVES_PACKET.has(id), isPure: false };
}

/** Ids that the verifier itself knows. */
export const HELPER = {
  TAIL_CALL: 12,
  SPIN_LOCK: 93,
  SPIN_UNLOCK: 94,
  FOR_EACH_MAP_ELEM: 164,
  TIMER_INIT: 169,
  TIMER_SET_CALLBACK: 170,
  RINGBUF_SUBMIT: 132,
  RINGBUF_DISCARD: 133,
  LOOP: 181,
} as const;
