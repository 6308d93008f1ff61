// The contenders from npm live in bench/peers, with a lock of their own: nobody needs them to work on the library.
import { fileURLToPath } from "node:url";
import { requireFrom } from "../../scripts/packages_apart.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Loads a package of bench/peers. */
export function requirePeer(name) {
  return requireFrom(folder, name);
}
