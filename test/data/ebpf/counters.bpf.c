// Counts packets and bytes by the last byte of the sender's address and the protocol.
#include "bpf.h"

struct value {
	__u64 packets, bytes;
	__u32 last_len;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct value);
} counters SEC(".maps");

const volatile __u32 min_len = 14;
__u64 total, missed;
char _license[] SEC("license") = "GPL";

SEC("xdp") int count(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	if (data + sizeof(*eth) > end) return XDP_DROP;
	__u64 len = end - data;
	if (len < min_len) return XDP_DROP;
	__u32 key = eth->h_source[5] | eth->h_proto << 8;
	struct value *v = bpf_map_lookup_elem(&counters, &key);
	__sync_fetch_and_add(&total, 1);
	if (!v) {
		struct value fresh = {.packets = 1, .bytes = len, .last_len = len};
		if (bpf_map_update_elem(&counters, &key, &fresh, BPF_NOEXIST)) missed++;
		return XDP_PASS;
	}
	__sync_fetch_and_add(&v->packets, 1);
	__sync_fetch_and_add(&v->bytes, len);
	v->last_len = len;
	return XDP_PASS;
}
