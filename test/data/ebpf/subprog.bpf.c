// Functions, callbacks, maps in maps, tail calls, a queue, a ring buffer, and variables of every section.
#include "bpf.h"

struct event {
	__u32 kind;
	__u64 at;
	char text[16];
};
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");
int finish(struct __sk_buff *skb);
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(void *));
} stages SEC(".maps") = {.values = {[1] = (void *)&finish}};
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 16);
	__type(value, __u64);
} queue SEC(".maps");
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} inner SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = {.values = {&inner}};

const volatile __u32 primes[8] = {2, 3, 5, 7, 11, 13, 17, 19};
__u64 results[16];
__u32 calls = 7;
static __u64 hidden;
char _license[] SEC("license") = "GPL";

static __noinline __u64 mix(__u64 a, __u64 b)
{
	calls++;
	return (a ^ b) * 0x9e3779b97f4a7c15ull >> 7;
}

__noinline int weigh(__u32 n)
{
	return n < 8 ? primes[n & 7] : -1;
}

static long step(__u32 i, __u64 *sum)
{
	*sum = mix(*sum, i);
	return *sum == 0;
}

SEC("tc") int start(struct __sk_buff *skb)
{
	__u64 sum = skb->len;
	__u32 zero = 0;
	bpf_loop(100, step, &sum, 0);
	for (__u32 i = 0; i < 16; i++) {
		int w = weigh(i);
		results[i] = w < 0 ? sum : w;
	}
	bpf_map_push_elem(&queue, &sum, BPF_EXIST);
	void *in = bpf_map_lookup_elem(&outer, &zero);
	if (in) {
		__u64 *v = bpf_map_lookup_elem(in, &zero);
		if (v) *v += sum;
	}
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (e) {
		e->kind = bpf_get_smp_processor_id();
		e->at = bpf_get_prandom_u32();
		__builtin_memcpy(e->text, "started", 8);
		bpf_ringbuf_submit(e, 0);
	}
	static const char format[] = "sum %llu after %u calls";
	bpf_trace_printk(format, sizeof(format), sum, calls);
	hidden += sum;
	bpf_tail_call(skb, &stages, 1);
	return 7;
}

SEC("tc") int finish(struct __sk_buff *skb)
{
	__u64 v = 0;
	bpf_map_pop_elem(&queue, &v);
	return v == hidden ? 42 : 43;
}

SEC("?tc") int spare(struct __sk_buff *skb)
{
	return calls;
}
