/** Hosts and ports as they stand in proxy requests, in Host headers and in `EGRESS_ALLOW`. */
import { isIPv4, isIPv6 } from "node:net";
import { canonicalAddress } from "./address.ts";

/** Where a connection is to go. `host` is canonical: an address without brackets, or a lower-case name without final dot. */
export interface EgressTarget {
  readonly kind: "address" | "name";
  readonly host: string;
  readonly port: number;
}

const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

/**
 * Reads a host the way the browser does (WHATWG URL), so that `0x7f.1`, `017700000001` and `2130706433` are the
 * address 127.0.0.1 and never a name somebody resolves. `undefined` for anything a browser does not send:
 * percent-encodings, zones, empty labels, bytes beyond ASCII.
 */
export function parseHost(text: string): Pick<EgressTarget, "kind" | "host"> | undefined {
  if (text.startsWith("[") && text.endsWith("]")) {
    const inner = text.slice(1, -1);
    const address = isIPv6(inner) ? canonicalAddress(inner) : undefined;
    return address === undefined ? undefined : { kind: "address", host: address };
  }
  if (!/^[a-z0-9._-]+$/i.test(text) || !URL.canParse(`http://${text}/`)) return undefined;
  const { hostname } = new URL(`http://${text}/`);
  if (isIPv4(hostname)) return { kind: "address", host: hostname };
  const name = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const wellFormed = name.split(".").every((label) => label.length > 0 && label.length <= MAX_LABEL_LENGTH);
  return wellFormed ? { kind: "name", host: name } : undefined;
}

/** Reads `host:port`, or `host` where a default port is given. `undefined` when it is neither. */
export function parseAuthority(text: string, defaultPort?: number): EgressTarget | undefined {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(0|[1-9]\d{0,4}))?$/.exec(text);
  const host = parseHost(match?.[1] ?? "");
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (host === undefined || port === undefined || port > 65_535) return undefined;
  return { ...host, port };
}

/** True for names that mean this machine whatever DNS says (RFC 6761 §6.3). */
export function isLocalhostName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}

/** Ports of services that a web request could be mistaken for: "bad ports" of the Fetch standard (§2.9), and 0. */
const BAD_PORTS: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
  111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
  540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
  6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);

export function isBadPort(port: number): boolean {
  return BAD_PORTS.has(port);
}
