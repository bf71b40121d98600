/** Which addresses are proxies whose word about the caller is believed: `TRUSTED_PROXIES`, single ones and ranges. */
import { BlockList, isIP } from "node:net";

export interface TrustedProxies {
  includes(ip: string): boolean;
}

const RANGE = /^(.+)\/(\d{1,3})$/;
const familyOf = (ip: string) => (isIP(ip) === 6 ? "ipv6" : "ipv4");

/** @throws Error that says what is wrong with which part */
export function trustedProxies(list: readonly string[]): TrustedProxies {
  const known = new BlockList();
  for (const one of list) {
    const [, range = one, bits] = RANGE.exec(one) ?? [];
    if (isIP(range) === 0) throw new Error("Write IP addresses or ranges, separated by commas, like 10.0.0.0/8,::1.");
    const prefix = Number(bits);
    if (bits === undefined) known.addAddress(range, familyOf(range));
    else if (prefix === 0) throw new Error(`${one} is everybody: whoever connects could say who they are.`);
    else if (prefix > (isIP(range) === 6 ? 128 : 32)) throw new Error(`${one} is no range: it has too many bits.`);
    else known.addSubnet(range, prefix, familyOf(range));
  }
  return { includes: (ip) => isIP(ip) !== 0 && known.check(ip, familyOf(ip)) };
}
