#!/usr/bin/env bash
# Records loopback.pcap: real programs talking to each other on this machine's loopback interface, nothing else.
# Needs root and: tcpdump, nginx, ab (apache2-utils), dnsmasq, dig (dnsutils), redis-server with redis-benchmark.
# Usage: record.sh [OUTPUT]. Takes about 15 s, sends a fixed number of requests, stops every program it started.
set -euo pipefail

output=$(realpath -m "${1:-$(dirname "$0")/loopback.pcap}")
work=$(mktemp -d /tmp/bpfmap-record.XXXXXX)
chmod 755 "$work"
started=()

stop_all() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap stop_all EXIT

# An address of its own for each server keeps whatever else uses the loopback interface out of the capture.
web=127.77.0.1 names=127.77.0.2 store=127.77.0.3

mkdir "$work/www"
head -c 200 /dev/zero | tr '\0' a >"$work/www/small"
head -c 6000 /dev/zero | tr '\0' b >"$work/www/page"
for size in 1 2 3 4 5 6 7 8; do head -c $((size * size * 40000)) /dev/zero | tr '\0' c >"$work/www/image$size"; done
cat >"$work/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/nginx.log; user root;
events { worker_connections 256; }
http {
  access_log off; root $work/www; client_body_temp_path $work/t1; proxy_temp_path $work/t2;
  fastcgi_temp_path $work/t3; uwsgi_temp_path $work/t4; scgi_temp_path $work/t5;
  server { listen $web:8080; listen [::1]:8080; }
}
CONF
nginx -p "$work" -c "$work/nginx.conf" & started+=($!)

for host in $(seq 1 200); do
  echo "10.20.$((host % 7)).$host host$host.example"
  echo "fd00:20::$host host$host.example"
done >"$work/hosts"
dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --addn-hosts="$work/hosts" --bind-interfaces \
  --listen-address=$names --listen-address=::1 --local=/example/ --user=root --pid-file= & started+=($!)

redis-server --bind $store ::1 --port 6379 --save '' --appendonly no --dir "$work" --logfile "$work/redis.log" & started+=($!)

# 96 bytes hold the link, IPv6 and TCP headers with room for options; only headers are counted.
tcpdump -i lo -n -s 96 -B 16384 -w "$work/loopback.pcap" \
  'net 127.77.0.0/24 or (ip6 and (port 8080 or port 53 or port 6379))' 2>"$work/tcpdump.log" & recorder=$!
started+=("$recorder")
sleep 2

load() { ab -q -n "$1" -c "$2" "http://$3/$4" >/dev/null 2>&1; } # REQUESTS CLIENTS SERVER PAGE: a connection for each request
queries() { # COUNT SERVER: one source port for each query, A and AAAA, some names that do not exist
  for number in $(seq 1 "$1"); do
    echo "host$((number * 7 % 220 + 1)).example $([ $((number % 3)) = 0 ] && echo AAAA || echo A)"
  done >"$work/queries.$2"
  dig "@$2" +tries=1 +time=2 -f "$work/queries.$2" >/dev/null
}
benchmark() { redis-benchmark -h "$1" -p 6379 -q -t "$2" -n "$3" -c "$4" -d "$5" >/dev/null; }

# Waves with pauses between them: a flow table that follows its entries has something to show.
load 250 2 $web:8080 small;  queries 200 $names;  sleep 1
load 500 8 $web:8080 page & busy=$!;  queries 300 $names;  wait "$busy";  sleep 1
benchmark $store set,get 600 20 100;  load 250 4 '[::1]:8080' page;  sleep 1
for size in 1 2 3 4 5 6 7 8; do load $((17 - 2 * size)) 1 $web:8080 image$size; done;  queries 250 ::1;  sleep 2
load 400 10 '[::1]:8080' small;  benchmark ::1 lpush,lrange_100 120 12 40;  sleep 1
for name in 1 2 3 4 5; do dig "@$names" +tcp "host$name.example" >/dev/null; done
dig "@$names" -p 5399 +tries=1 +time=1 host1.example >/dev/null || true # nobody listens: ICMP answers
sleep 2
benchmark $store incr 600 50 3;  queries 200 $names;  load 120 2 $web:8080 small

sleep 2
kill -INT "$recorder"
wait "$recorder" || true
grep -E 'packets (captured|received|dropped)' "$work/tcpdump.log"
grep -q '^0 packets dropped by kernel' "$work/tcpdump.log" || { echo "packets were lost: record again" >&2; exit 1; }
install -m 644 "$work/loopback.pcap" "$output"
ls -l "$output"
