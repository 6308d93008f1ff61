// Whole passes of bpf(2) calls over one map, for bench/kernel/syscalls.mjs: a call from JavaScript per operation would measure
// the way from JavaScript to C (a quarter on top of a bpf(2) call that fails at once). Each function gives 0 or more, or -errno.
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_BATCH = 1 << 16 };

// As much of the attribute as a command has fields, like libbpf: the kernel copies and checks all that it is given.
#define END_OF(field) (offsetof(union bpf_attr, field) + sizeof(((union bpf_attr *)0)->field))

static int element(int command, int map, const void *key, void *value) {
  union bpf_attr attr;
  memset(&attr, 0, END_OF(flags));
  attr.map_fd = map;
  attr.key = (uintptr_t)key;
  attr.value = (uintptr_t)value;
  return syscall(SYS_bpf, command, &attr, END_OF(flags)) ? -errno : 0;
}

// `*count` entries are given, or are room; as many are done afterwards. `in` and `out` are places of a walk.
static int batch(int command, int map, void *in, void *out, const uint32_t *keys, double *values, uint32_t *count) {
  union bpf_attr attr;
  memset(&attr, 0, END_OF(batch));
  attr.batch.in_batch = (uintptr_t)in;
  attr.batch.out_batch = (uintptr_t)out;
  attr.batch.keys = (uintptr_t)keys;
  attr.batch.values = (uintptr_t)values;
  attr.batch.count = *count;
  attr.batch.map_fd = map;
  int result = syscall(SYS_bpf, command, &attr, END_OF(batch)) ? -errno : 0;
  *count = attr.batch.count;
  return result;
}

// A bpf(2) call that the kernel refuses at once: what every call costs before it does anything.
double refused(uint32_t count) {
  union bpf_attr attr;
  memset(&attr, 0, END_OF(flags));
  for (uint32_t i = 0; i < count; i++)
    if (syscall(SYS_bpf, 9999, &attr, END_OF(flags)) == 0) return -EPROTO;
  return count;
}

// How many calls gave `counted`, 0 or -errno. The value of keys[i] is i.
double update(int map, const uint32_t *keys, uint32_t count, int counted) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) {
    double value = i;
    found += element(BPF_MAP_UPDATE_ELEM, map, &keys[i], &value) == counted;
  }
  return found;
}

double lookup(int map, const uint32_t *keys, uint32_t count) {
  double sum = 0, value;
  for (uint32_t i = 0; i < count; i++) {
    int result = element(BPF_MAP_LOOKUP_ELEM, map, &keys[i], &value);
    if (result) return result;
    sum += value;
  }
  return sum;
}

// How many are there.
double count(int map, const uint32_t *keys, uint32_t count) {
  uint32_t found = 0;
  double value;
  for (uint32_t i = 0; i < count; i++) found += element(BPF_MAP_LOOKUP_ELEM, map, &keys[i], &value) == 0;
  return found;
}

// How many were there.
double erase(int map, const uint32_t *keys, uint32_t count) {
  uint32_t found = 0;
  for (uint32_t i = 0; i < count; i++) found += element(BPF_MAP_DELETE_ELEM, map, &keys[i], 0) == 0;
  return found;
}

// The value of keys[i] is first + i.
double update_batch(int map, const uint32_t *keys, uint32_t count, double first) {
  static double values[MAX_BATCH];
  if (count > MAX_BATCH) return -E2BIG;
  for (uint32_t i = 0; i < count; i++) values[i] = first + i;
  int result = batch(BPF_MAP_UPDATE_BATCH, map, 0, 0, keys, values, &count);
  return result ? result : (double)count;
}

// All must be there.
double erase_batch(int map, const uint32_t *keys, uint32_t count) {
  int result = batch(BPF_MAP_DELETE_BATCH, map, 0, 0, keys, 0, &count);
  return result ? result : (double)count;
}

// Sum of all values, one get_next_key and one lookup each.
double walk(int map) {
  double sum = 0, value;
  uint32_t keys[2];
  int result = element(BPF_MAP_GET_NEXT_KEY, map, 0, &keys[0]);
  for (int i = 0; result == 0; i ^= 1) {
    result = element(BPF_MAP_LOOKUP_ELEM, map, &keys[i], &value);
    if (result) return result;
    sum += value;
    result = element(BPF_MAP_GET_NEXT_KEY, map, &keys[i], &keys[i ^ 1]);
  }
  return result == -ENOENT ? sum : result;
}

// Sum of all values, `size` entries at a time, removed on the way if `drain`. A bucket is given as a whole: for one with more
// entries than `size` the kernel says -ENOSPC, and is asked again with more room.
double walk_batch(int map, uint32_t size, int drain) {
  static uint32_t keys[MAX_BATCH];
  static double values[MAX_BATCH];
  int command = drain ? BPF_MAP_LOOKUP_AND_DELETE_BATCH : BPF_MAP_LOOKUP_BATCH;
  uint32_t place = 0, *in = 0, room = size;
  double sum = 0;
  int result;
  do {
    if (room > MAX_BATCH) return -E2BIG;
    uint32_t count = room;
    result = batch(command, map, in, &place, keys, values, &count);
    if (result && result != -ENOENT && result != -ENOSPC) return result;
    for (uint32_t i = 0; i < count; i++) sum += values[i];
    in = &place;
    room = result == -ENOSPC ? 2 * room : size;
  } while (result != -ENOENT);
  return sum;
}
