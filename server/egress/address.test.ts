import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROVE_TIMES } from "../../shared/testing/prove.ts";
import { canonicalAddress, isLoopback, isPublicAddress, machineAddresses } from "./address.ts";

/** IANA IPv4 special-purpose registry, multicast and class E; written out here so that the library is not its own judge. */
const SPECIAL_V4: readonly [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];
const special = new BlockList();
for (const [network, prefix] of SPECIAL_V4) special.addSubnet(network, prefix, "ipv4");
special.addAddress("168.63.129.16", "ipv4");

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
const ipv4 = octets.map((bytes) => bytes.join("."));
const hextets = fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 });
const v6Text = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(":");
const asHextets = ([a, b, c, d]: readonly [number, number, number, number]) =>
  `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;

describe("isPublicAddress", () => {
  it.each(["1.1.1.1", "8.8.8.8", "11.22.33.44", "172.15.255.255", "172.32.0.0", "100.128.0.0", "223.255.255.255"])(
    "admits %s",
    (ip) => expect(isPublicAddress(ip)).toBe(true),
  );
  it.each(["2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888", "::ffff:8.8.8.8"])(
    "admits %s",
    (ip) => expect(isPublicAddress(ip)).toBe(true),
  );

  it.each([
    ...SPECIAL_V4.map(([network]) => network),
    ...["127.0.0.1", "127.255.255.254", "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
    ...["255.255.255.255", "0.0.0.0", "239.255.255.250", "198.19.255.255"],
  ])("refuses %s", (ip) => expect(isPublicAddress(ip)).toBe(false));

  it.each([
    ...["::", "::1", "::7f00:1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1"],
    ...["64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:808:808::1"],
    ...["2001:0:4136:e378:8000:63bf:3fff:fdd2", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254"],
    ...["ff02::1", "100::1", "2001:db8::1", "3fff::1", "2001:2::1", "2001:10::1", "5f00::1", "4000::1", "e000::1"],
  ])("refuses %s", (ip) => expect(isPublicAddress(ip)).toBe(false));

  it.each([
    ...["2130706433", "0x7f000001", "017700000001", "127.1", "0177.0.0.1", "0x8.8.8.8", "8.8.8.8.", "08.8.8.8"],
    ...["8.8.8.8\n", " 8.8.8.8", "8.8.8.8/32", "[::1]", "2606:4700::1111%1", "localhost", "example.com", "", "8.8.8"],
  ])("refuses %j, which is not a standard text form", (text) => expect(isPublicAddress(text)).toBe(false));

  it("agrees with the IANA registry on every IPv4 address", () => {
    fc.assert(
      fc.property(ipv4, (ip) => isPublicAddress(ip) === !special.check(ip, "ipv4")),
      { numRuns: 5_000 * PROVE_TIMES },
    );
  });

  it("agrees with the registry at both edges of every block", () => {
    for (const [network, prefix] of SPECIAL_V4) {
      const first = network.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
      for (const edge of [first - 1, first, first + 2 ** (32 - prefix) - 1, first + 2 ** (32 - prefix)]) {
        if (edge < 0 || edge > 0xffff_ffff) continue;
        const ip = [24, 16, 8, 0].map((shift) => Math.floor(edge / 2 ** shift) % 256).join(".");
        expect(isPublicAddress(ip), ip).toBe(!special.check(ip, "ipv4"));
      }
    }
  });

  it("judges a mapped address as the IPv4 address it is", () => {
    fc.assert(
      fc.property(octets, (bytes) => {
        const plain = isPublicAddress(bytes.join("."));
        expect(isPublicAddress(`::ffff:${bytes.join(".")}`)).toBe(plain);
        expect(isPublicAddress(`::ffff:${asHextets(bytes)}`)).toBe(plain);
      }),
    );
  });

  it("refuses every address that carries another one inside", () => {
    fc.assert(
      fc.property(octets, hextets, (bytes, rest) => {
        const inner = asHextets(bytes);
        const [a = 0, b = 0, c = 0, d = 0] = rest;
        for (const ip of [
          `::${inner}`,
          `::ffff:0:${inner}`,
          `64:ff9b::${inner}`,
          `64:ff9b:1:${v6Text([a, b, c])}:${inner}`,
          `2002:${inner}:${v6Text([a, b, c, d])}:0`,
          `2001:0:${v6Text([a, b, c, d])}:${inner}`,
        ]) {
          expect(isPublicAddress(ip), ip).toBe(false);
        }
      }),
    );
  });

  it("admits nothing of IPv6 outside 2000::/3 except mapped IPv4", () => {
    fc.assert(
      fc.property(hextets, (groups) => {
        const [first = 0] = groups;
        if (isPublicAddress(v6Text(groups))) expect(first & 0xe000).toBe(0x2000);
      }),
      { numRuns: 2_000 * PROVE_TIMES },
    );
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.string(), (text) => typeof isPublicAddress(text) === "boolean"));
  });
});

describe("canonicalAddress", () => {
  it("gives one form for each address", () => {
    expect(canonicalAddress("0:0:0:0:0:FFFF:7F00:1")).toBe("127.0.0.1");
    expect(canonicalAddress("2606:4700:0:0:0:0:0:1")).toBe("2606:4700::1");
    expect(canonicalAddress("fe80::1%eth0")).toBeUndefined();
    expect(canonicalAddress("0x7f.1")).toBeUndefined();
  });
});

describe("this machine", () => {
  it("knows its own addresses", () => expect(machineAddresses().has("127.0.0.1")).toBe(true));
  it.each(["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"])("calls %s this machine", (ip) =>
    expect(isLoopback(ip)).toBe(true),
  );
  it("calls nothing else so", () =>
    expect(["8.8.8.8", "10.0.0.1", "x"].map(isLoopback)).toEqual([false, false, false]));
});
