/** Text of an IPv4 address of 4 bytes. */
export function formatIpv4(bytes: Uint8Array): string {
  return bytes.join(".");
}

/**
 * Text of an IPv6 address of 16 bytes as RFC 5952 wants it: lower case, no leading zeros, `::` for the longest run of at
 * least two zero groups (the first of equals), and the end in IPv4 notation where the prefix says that it is an IPv4 address.
 */
export function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8) | bytes[2 * i + 1]);
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (mapped) return `::ffff:${formatIpv4(bytes.subarray(12))}`;
  const { start, length } = longestZeros(groups);
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function longestZeros(groups: number[]): { start: number; length: number } {
  const longest = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > longest.length) {
      longest.length = length;
      longest.start = i - length + 1;
    }
  }
  return longest;
}

/** Address and port: `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
