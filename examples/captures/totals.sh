#!/usr/bin/env bash
# Prints, as JSON, what capinfos and tshark say about a capture: the numbers that test/cli/recorded.test.ts compares with.
# Usage: totals.sh loopback.pcap >../../test/data/loopback.totals.json
set -euo pipefail
capture=$1

# ICMP errors quote the header of the packet they answer: `udp` alone would count them, and -E occurrence=f takes the outer one.
no_quotes='not icmp and not icmpv6'
info="capinfos -M -c -d -u -a -e -S"
count() { tshark -r "$capture" -Y "($1) and $no_quotes" -T fields -e frame.number 2>/dev/null | wc -l; }
fields() {
  tshark -r "$capture" -Y "(tcp or udp) and $no_quotes" -T fields -E separator=, -E occurrence=f -e ip.src -e ipv6.src -e ip.dst \
    -e ipv6.dst -e tcp.srcport -e udp.srcport -e tcp.dstport -e udp.dstport -e ip.proto -e ipv6.nxt -e frame.len 2>/dev/null
}
conversations() { tshark -r "$capture" -q -z "conv,$1" 2>/dev/null | grep -c '<->'; }
value() { $info "$capture" | sed -n "s/^$1: *//p"; }
bytes_of() { value 'Data size' | sed 's/ bytes//'; }

fields | awk -F, '{ key = $1 $2 "," $5 $6 "," $3 $4 "," $7 $8 "," $9 $10; packets[key]++; bytes[key] += $11 }
  END { for (key in bytes) print bytes[key] "," packets[key] "," key }' | sort -t, -k1,1nr -k2,2nr >/tmp/flows.$$
trap 'rm -f /tmp/flows.$$' EXIT

cat <<JSON
{
  "file": "examples/captures/$(basename "$capture")",
  "tools": "$(capinfos --version 2>/dev/null | head -1), $(tshark --version 2>/dev/null | head -1)",
  "commands": {
    "packets, bytes, duration, first, last": "$info FILE (Number of packets, Data size, Capture duration, First and Last packet time)",
    "tcp.packets, udp.packets": "tshark -r FILE -Y '(tcp) and $no_quotes' -T fields -e frame.number | wc -l (and udp)",
    "tcp.conversations, udp.conversations": "tshark -r FILE -q -z conv,tcp | grep -c '<->' (and udp): both directions together",
    "flows, top": "tshark -r FILE -Y '(tcp or udp) and $no_quotes' -T fields -E occurrence=f -e ip.src ... -e frame.len, summed by awk: one direction each (see totals.sh)"
  },
  "packets": $(value 'Number of packets'),
  "bytes": $(bytes_of),
  "duration": "$(value 'Capture duration' | sed 's/ seconds//')",
  "first": "$(value 'First packet time')",
  "last": "$(value 'Last packet time')",
  "tcp": { "packets": $(count tcp), "conversations": $(conversations tcp) },
  "udp": { "packets": $(count udp), "conversations": $(conversations udp) },
  "flows": $(wc -l </tmp/flows.$$),
  "top": [
$(head -10 /tmp/flows.$$ | awk -F, '{ printf "%s    { \"bytes\": %s, \"packets\": %s, \"source\": \"%s\", \"sourcePort\": %s, \"destination\": \"%s\", \"destinationPort\": %s, \"protocol\": %s }", (NR > 1 ? ",\n" : ""), $1, $2, $3, $4, $5, $6, $7 }')
  ]
}
JSON
