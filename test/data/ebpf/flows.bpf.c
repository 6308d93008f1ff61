// Counts flows: VLAN tags, IPv4, IPv6 with extension headers, ports of TCP, UDP and SCTP. Statistics are per CPU.
#include "bpf.h"

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88a8

struct flow {
	__u8 src[16], dst[16];
	__be16 sport, dport;
	__u8 proto, version;
	__u16 vlan;
};
struct stats {
	__u64 packets, bytes, first, last;
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow);
	__type(value, struct stats);
} flows SEC(".maps");
enum { PARSED, NOT_IP, SHORT, FRAGMENT, NO_ROOM, REASONS };
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REASONS);
	__type(key, __u32);
	__type(value, __u64);
} reasons SEC(".maps");
char _license[] SEC("license") = "GPL";
struct vtag {
	__be16 tci, proto;
};

static __always_inline int note(__u32 reason)
{
	__u64 *n = bpf_map_lookup_elem(&reasons, &reason);
	if (n) ++*n;
	return XDP_PASS;
}

SEC("xdp") int flow(struct xdp_md *ctx)
{
	void *at = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 len = end - at;
	struct flow key = {};
	struct ethhdr *eth = at;
	if (at + sizeof(*eth) > end) return note(SHORT);
	__be16 proto = eth->h_proto;
	at += sizeof(*eth);
#pragma unroll
	for (int i = 0; i < 2; i++) {
		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD)) break;
		struct vtag *tag = at;
		if (at + sizeof(*tag) > end) return note(SHORT);
		key.vlan = bpf_ntohs(tag->tci) & 0xfff;
		proto = tag->proto;
		at += sizeof(*tag);
	}
	if (proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = at;
		if (at + sizeof(*ip) > end) return note(SHORT);
		__u32 words = ip->ihl;
		if (words < 5) return note(SHORT);
		__builtin_memcpy(key.src, &ip->saddr, 4);
		__builtin_memcpy(key.dst, &ip->daddr, 4);
		key.proto = ip->protocol;
		key.version = 4;
		if (ip->frag_off & bpf_htons(0x1fff)) {
			note(FRAGMENT);
			goto count;
		}
		at += words * 4;
	} else if (proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = at;
		if (at + sizeof(*ip) > end) return note(SHORT);
		__builtin_memcpy(key.src, &ip->saddr, 16);
		__builtin_memcpy(key.dst, &ip->daddr, 16);
		key.version = 6;
		__u8 next = ip->nexthdr;
		at += sizeof(*ip);
		for (int i = 0; i < 6; i++) {
			if (next != 0 && next != 43 && next != 60) break;
			struct ipv6_opt_hdr *opt = at;
			if (at + sizeof(*opt) > end) return note(SHORT);
			next = opt->nexthdr;
			at += (opt->hdrlen + 1) * 8;
		}
		key.proto = next;
		if (next == 44) {
			note(FRAGMENT);
			goto count;
		}
	} else
		return note(NOT_IP);
	if (key.proto == 6 || key.proto == 17 || key.proto == 132) {
		struct {
			__be16 source, dest;
		} *ports = at;
		if ((void *)(ports + 1) > end) return note(SHORT);
		key.sport = ports->source;
		key.dport = ports->dest;
	}
count:;
	__u64 now = bpf_ktime_get_ns();
	struct stats *s = bpf_map_lookup_elem(&flows, &key);
	if (s) {
		s->packets++;
		s->bytes += len;
		s->last = now;
		return note(PARSED);
	}
	struct stats first = {1, len, now, now};
	return note(bpf_map_update_elem(&flows, &key, &first, BPF_ANY) ? NO_ROOM : PARSED);
}
