// A token bucket for each hash of a packet, under a spin lock; who is refused is forgotten after a second, by a timer.
#include "bpf.h"

struct tbucket {
	struct bpf_spin_lock lock;
	__u32 tokens;
	__u64 refilled;
};
struct tclient {
	__u64 dropped;
	struct bpf_timer idle;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct tbucket);
} buckets SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, struct tclient);
} clients SEC(".maps");
const volatile __u32 rate = 1000, burst = 100;
char _license[] SEC("license") = "GPL";

static int forget(void *map, __u32 *key, struct tclient *c)
{
	bpf_map_delete_elem(&buckets, key);
	return 0;
}

SEC("tc") int limit(struct __sk_buff *skb)
{
	__u32 key = skb->hash;
	__u64 now = bpf_ktime_get_ns();
	int pass = 0;
	struct tbucket *b = bpf_map_lookup_elem(&buckets, &key);
	if (!b) {
		struct tbucket fresh = {.tokens = burst, .refilled = now};
		bpf_map_update_elem(&buckets, &key, &fresh, BPF_NOEXIST);
		if (!(b = bpf_map_lookup_elem(&buckets, &key))) return 2;
	}
	__u64 rate_now = rate;
	bpf_spin_lock(&b->lock);
	__u64 grown = (now - b->refilled) * rate_now / 1000000000ull;
	if (grown) {
		__u64 t = b->tokens + grown;
		b->tokens = t > burst ? burst : t;
		b->refilled = now;
	}
	if (b->tokens) {
		b->tokens--;
		pass = 1;
	}
	bpf_spin_unlock(&b->lock);
	if (pass) return 0;
	struct tclient *c = bpf_map_lookup_elem(&clients, &key);
	if (!c) {
		struct tclient zero = {};
		bpf_map_update_elem(&clients, &key, &zero, BPF_NOEXIST);
		if (!(c = bpf_map_lookup_elem(&clients, &key))) return 2;
		bpf_timer_init(&c->idle, &clients, CLOCK_MONOTONIC);
		bpf_timer_set_callback(&c->idle, forget);
	}
	c->dropped++;
	bpf_timer_start(&c->idle, 1000000000ull, 0);
	return 2;
}
