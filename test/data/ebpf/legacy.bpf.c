// Maps as loaders knew them before BTF, one function of each kind in one section. Compiled without -g.
#include "bpf.h"

struct bpf_map_def {
	__u32 type, key_size, value_size, max_entries, map_flags;
};
struct bpf_map_def SEC("maps") first = {BPF_MAP_TYPE_HASH, 4, 8, 100, BPF_F_NO_PREALLOC};
struct bpf_map_def SEC("maps") second = {BPF_MAP_TYPE_ARRAY, 4, 16, 7, 0};
char _license[] SEC("license") = "GPL";

SEC("classifier/ingress") int ingress(struct __sk_buff *skb)
{
	__u32 key = 1;
	return bpf_map_lookup_elem(&second, &key) != 0;
}

SEC("xdp_prog") int drop(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 one = 1;
	return bpf_map_update_elem(&first, &key, &one, BPF_ANY) ? XDP_PASS : XDP_DROP;
}
