// Sections: the read side of RCU for one host. While at least one section is open, no entry moves and nothing that an
// address may point at is used again (Linux Documentation/RCU/whatisRCU.rst: a reader's references stay valid until it leaves).
// Layouts keep that promise by postponing splits and merges and by leaving deleted slots and elements unused until then.
import { SECTION_DEPTH } from "../memory/regions";

@inline export function inSection(): bool {
  return load<u32>(SECTION_DEPTH) != 0;
}

export function enterSection(): void {
  store<u32>(SECTION_DEPTH, load<u32>(SECTION_DEPTH) + 1);
}

export function leaveSection(): void {
  const depth = load<u32>(SECTION_DEPTH);
  if (depth) store<u32>(SECTION_DEPTH, depth - 1);
}
