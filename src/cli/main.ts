#!/usr/bin/env node
import { commandLine } from "./command_line.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", ({ code }: NodeJS.ErrnoException) => {
    // `bpfmap flows ... | head` closes the pipe before all is written: that is no error.
    if (code === "EPIPE") return;
    process.stderr.write(`bpfmap: cannot write the output (${code})\n`);
    process.exit(1);
  });
}

commandLine(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
