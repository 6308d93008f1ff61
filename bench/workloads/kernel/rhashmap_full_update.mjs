import { fullUpdate } from "./full_update.mjs";

export const { name, title, defaultSizes, options, run } = fullUpdate("rhashmap-full-update", "rhash");
