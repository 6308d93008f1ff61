// Deletes what was not seen for a minute, by a callback for each element: a filter of a batch.
#include "bpf.h"

struct value {
	__u64 bytes;
	__u32 last_seen;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct value);
} table SEC(".maps");
struct sweep {
	__u32 before, deleted;
	__u64 bytes;
};
__u32 now = 1000, max_age = 60;
__u64 freed_bytes;
char _license[] SEC("license") = "GPL";

static long visit(struct bpf_map *map, const __u32 *key, struct value *v, struct sweep *s)
{
	if (v->last_seen >= s->before) return 0;
	s->bytes += v->bytes;
	if (bpf_map_delete_elem(map, key) == 0) s->deleted++;
	return s->deleted >= 1000;
}

SEC("tc") int evict(struct __sk_buff *skb)
{
	struct sweep s = {.before = now - max_age};
	long visited = bpf_for_each_map_elem(&table, visit, &s, 0);
	__sync_fetch_and_add(&freed_bytes, s.bytes);
	return visited < 0 ? visited : s.deleted;
}
