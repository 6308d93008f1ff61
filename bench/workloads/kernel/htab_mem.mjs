import { mem } from "./mem.mjs";

export const { name, title, options, run } = mem("htab-mem", "hash");
