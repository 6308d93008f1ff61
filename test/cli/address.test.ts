import { describe, expect, test } from "vitest";
import { formatEndpoint, formatIpv4, formatIpv6 } from "../../src/cli/flows/address.ts";
import { address4, address6 } from "./build.ts";

describe("addresses", () => {
  // RFC 5952: sections 4.1 to 4.3, 5 and 6.
  test.each([
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"],
    ["0:1:0:0:0:0:0:0", "0:1::"],
    ["0:0:1:0:0:1:0:0", "::1:0:0:1:0:0"],
    ["fe80:0:0:0:1:2:3:4", "fe80::1:2:3:4"],
    ["1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"],
    ["0:0:0:0:0:ffff:c000:0201", "::ffff:192.0.2.1"],
    ["0:0:0:0:1:ffff:c000:0201", "::1:ffff:c000:201"],
  ])("%s is written %s", (groups, expected) => {
    expect(formatIpv6(address6(groups))).toBe(expected);
  });

  test("IPv4, and ports", () => {
    expect(formatIpv4(address4("192.0.2.1"))).toBe("192.0.2.1");
    expect(formatEndpoint("192.0.2.1", 80)).toBe("192.0.2.1:80");
    expect(formatEndpoint("::1", 443)).toBe("[::1]:443");
  });
});
