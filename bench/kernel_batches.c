// The live kernel's HASH (preallocated, 4-byte keys, 8-byte values) under the batch workloads of bench/batches.mjs, through
// bpf(2). Prints one JSON object with nanoseconds per entry. Creates one map and attaches nothing. Needs root.
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long bpf(int cmd, union bpf_attr *attr) { return syscall(SYS_bpf, cmd, attr, sizeof *attr); }

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static uint32_t mix(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352d;
  x = (x ^ (x >> 15)) * 0x846ca68b;
  return x ^ (x >> 16);
}

int main(int argc, char **argv) {
  uint32_t entries = argc > 1 ? atoi(argv[1]) : 100000, batch = argc > 2 ? atoi(argv[2]) : 100;
  union bpf_attr attr;
  memset(&attr, 0, sizeof attr);
  attr.map_type = BPF_MAP_TYPE_HASH;
  attr.key_size = 4;
  attr.value_size = 8;
  attr.max_entries = entries;
  long fd = bpf(BPF_MAP_CREATE, &attr);
  if (fd < 0) {
    perror("BPF_MAP_CREATE");
    return 1;
  }
  uint32_t *keys = malloc(entries * 4);
  uint64_t *values = malloc(entries * 8);
  for (uint32_t i = 0; i < entries; i++) keys[i] = mix(i), values[i] = i;
  memset(&attr, 0, sizeof attr);
  attr.batch.map_fd = fd;
  attr.batch.keys = (uintptr_t)keys;
  attr.batch.values = (uintptr_t)values;
  attr.batch.count = entries;
  if (bpf(BPF_MAP_UPDATE_BATCH, &attr)) return perror("BPF_MAP_UPDATE_BATCH"), 1;

  // nextKey + get per entry
  uint32_t key = 0, next;
  uint64_t value, sum = 0;
  double start = now();
  uint32_t n = 0;
  for (int first = 1;; first = 0) {
    memset(&attr, 0, sizeof attr);
    attr.map_fd = fd;
    attr.key = first ? 0 : (uintptr_t)&key;
    attr.next_key = (uintptr_t)&next;
    if (bpf(BPF_MAP_GET_NEXT_KEY, &attr)) break;
    key = next;
    memset(&attr, 0, sizeof attr);
    attr.map_fd = fd;
    attr.key = (uintptr_t)&key;
    attr.value = (uintptr_t)&value;
    if (bpf(BPF_MAP_LOOKUP_ELEM, &attr)) return perror("BPF_MAP_LOOKUP_ELEM"), 1;
    sum += value;
    n++;
  }
  double walk = (now() - start) / n;

  double per_entry[2];
  int commands[2] = {BPF_MAP_LOOKUP_BATCH, BPF_MAP_LOOKUP_AND_DELETE_BATCH};
  for (int i = 0; i < 2; i++) {
    uint32_t cursor = 0, done = 0, count = batch;
    start = now();
    for (int first = 1;; first = 0) {
      memset(&attr, 0, sizeof attr);
      attr.batch.map_fd = fd;
      attr.batch.in_batch = first ? 0 : (uintptr_t)&cursor;
      attr.batch.out_batch = (uintptr_t)&cursor;
      attr.batch.keys = (uintptr_t)keys;
      attr.batch.values = (uintptr_t)values;
      attr.batch.count = count;
      long result = bpf(commands[i], &attr);
      done += attr.batch.count;
      if (result) break; // ENOENT: the end. ENOSPC cannot come with batches far above the longest chain.
    }
    per_entry[i] = (now() - start) / done;
    if (done != entries) return fprintf(stderr, "only %u of %u entries\n", done, entries), 1;
  }
  printf("{\"walkNs\":%.1f,\"lookupBatchNs\":%.1f,\"lookupAndDeleteBatchNs\":%.1f,\"sum\":%llu}\n", walk, per_entry[0],
         per_entry[1], (unsigned long long)sum);
  return 0;
}
