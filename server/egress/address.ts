/** Which IP addresses phones and scripts may reach: the public internet, and nothing that stands for anything nearer. */
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

/**
 * Public by range and still part of the machine's own surroundings: the Azure host agent answers every virtual
 * machine there, as 169.254.169.254 does elsewhere (Microsoft, "What is IP address 168.63.129.16?").
 */
const HOST_AGENTS: ReadonlySet<string> = new Set(["168.63.129.16"]);

/**
 * True only for a globally routed unicast address in its standard text form. Octal, hexadecimal, short and zoned
 * forms are false: a caller canonicalises with `parseHost` first, so that what is judged is what is connected to.
 */
export function isPublicAddress(ip: string): boolean {
  if (isIP(ip) === 0 || ip.includes("%")) return false;
  const address = ipaddr.process(ip);
  if (address.range() !== "unicast") return false;
  if (address.kind() === "ipv4") return !HOST_AGENTS.has(address.toString());
  // ipaddr.js calls everything it has no entry for unicast, `::7f00:1` (IPv4-compatible loopback) included.
  // 2000::/3 is the only block IANA hands out as global unicast.
  const [first = 0] = address.toByteArray();
  return first >> 5 === 0b001;
}

/** One text form for each address: lower case, shortest, IPv4-mapped as IPv4. `undefined` when it is none. */
export function canonicalAddress(ip: string): string | undefined {
  return isIP(ip) === 0 || ip.includes("%") ? undefined : ipaddr.process(ip).toString();
}

/** True for 127.0.0.0/8, ::1 and the unspecified addresses, which connect to this machine too. */
export function isLoopback(ip: string): boolean {
  if (isIP(ip) === 0) return false;
  const range = ipaddr.process(ip).range();
  return range === "loopback" || range === "unspecified";
}

/** The canonical addresses of this machine's interfaces, read now: a public one leads back to our own services. */
export function machineAddresses(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address } of addresses ?? []) found.add(canonicalAddress(address) ?? address);
  }
  return found;
}
