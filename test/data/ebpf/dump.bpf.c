// Two programs that print a map, one as text, one as structs: for iterators over its elements.
#include "bpf.h"

struct value {
	__u64 packets, bytes;
	__u32 last_len;
};
struct row {
	__u32 key;
	__u64 packets;
};
__u64 rows, packets;
const volatile __u64 at_least = 1;
char _license[] SEC("license") = "GPL";

#define print(seq, format, args...)                                                    \
	({                                                                             \
		static const char text[] = format;                                     \
		__u64 list[] = {args};                                                 \
		bpf_seq_printf(seq, text, sizeof(text), list, sizeof(list));           \
	})

SEC("iter/bpf_map_elem") int dump_text(struct bpf_iter__bpf_map_elem *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	__u32 *key = ctx->key;
	struct value *v = ctx->value;
	if (ctx->meta->seq_num == 0) print(seq, "key      packets      bytes\n");
	if (!key || !v) {
		print(seq, "%llu rows, %llu packets\n", rows, packets);
		return 0;
	}
	if (v->packets < at_least) return 0;
	rows++;
	packets += v->packets;
	print(seq, "%08x %12llu %12llu\n", *key, v->packets, v->bytes);
	return 0;
}

SEC("iter/bpf_map_elem") int dump_binary(struct bpf_iter__bpf_map_elem *ctx)
{
	__u32 *key = ctx->key;
	struct value *v = ctx->value;
	struct row r = {};
	if (!key || !v) return 0;
	r.key = *key;
	r.packets = v->packets;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
