#!/bin/sh
# Compiles the programs of this folder again. They are committed, so that tests need no compiler: Debian's packages clang-14 and llvm-14.
set -e
cd "$(dirname "$0")"
for source in *.bpf.c; do
  object="${source%.c}.o"
  debug=-g
  [ "$source" = legacy.bpf.c ] && debug=-g0
  clang-14 -target bpf -O2 $debug -mcpu=v3 -fdebug-prefix-map="$PWD"=. -Wall -Wno-unused-function -c "$source" -o "$object"
  # DWARF goes, BTF stays.
  llvm-strip-14 --strip-debug "$object" 2>/dev/null || /usr/lib/llvm-14/bin/llvm-strip --strip-debug "$object"
done
ls -l *.bpf.o
