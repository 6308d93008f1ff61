// Types of every kind that values of maps and global variables may have, and what the loader has to set.
#include "bpf.h"

enum color { RED = 1, BLUE = 3 };
enum wide { NEAR = 1, FAR = 0x123456789abcull };
enum signed_wide { LEAST = -0x123456789abcll, MOST = 1 };
typedef const volatile __u16 port;
union address {
	__u32 v4;
	__u64 v6[2];
};
struct __attribute__((packed)) packed {
	__u8 kind;
	__u32 number;
};
struct bits {
	__u32 low : 3, high : 29;
};
struct nested {
	__s16 small;
	_Bool is_set;
};
struct key {
	char name[8];
	__u8 mac[6];
	port ports[2];
};
struct value {
	__u64 count;
	__s64 balance;
	float ratio;
	double mean;
	enum color color;
	enum wide wide;
	enum signed_wide signed_wide;
	struct nested nested[3];
	union address address;
	struct packed packed;
	struct bits bits;
	char sign;
	void *pointer;
	struct {
		__u32 anonymous;
	};
	__u8 rest[0];
};
struct {
	__uint(type, BPF_MAP_TYPE_RHASH);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(map_extra, 5);
	__uint(numa_node, 0);
	__type(key, struct key);
	__type(value, struct value);
} types SEC(".maps");

const volatile char greeting[12] = "hello";
int limits[4] SEC(".data.limits") = {1, 2, 3, 4};
double half = 0.5;
struct nested pair SEC(".bss.pair");
extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF_JIT __kconfig __weak;
extern __u32 kernel_function(__u32 x) __ksym __weak;
char _license[] SEC("license") = "Dual MIT/GPL";

#define __tag(x) __attribute__((btf_decl_tag(x)))
int tagged __tag("written by programs");

SEC("socket") int look(struct __sk_buff *skb)
{
	struct key key = {.name = "first"};
	struct value *v = bpf_map_lookup_elem(&types, &key);
	if (!v) return limits[skb->len & 3] + LINUX_KERNEL_VERSION + CONFIG_BPF_JIT;
	pair.small = greeting[v->count & 7];
	tagged++;
	half = v->mean;
	return kernel_function ? kernel_function(v->color) : 0;
}
