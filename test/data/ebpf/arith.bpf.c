// A million rounds of arithmetic, in a callback of bpf_loop. The result is a global variable.
#include "bpf.h"

char _license[] SEC("license") = "GPL";
__u64 result;

static long outer(__u32 n, __u64 *state)
{
	__u64 x = *state;
	for (int i = 0; i < 1000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		x += n;
		x = x * 0x9e3779b97f4a7c15ull + (x % 1000003);
	}
	*state = x;
	return 0;
}

SEC("tc") int arith(struct __sk_buff *skb)
{
	__u64 state = 88172645463325252ull;
	bpf_loop(1000, outer, &state, 0);
	result = state;
	return state & 0x7fffffff;
}
