/** Decides whether what a person started may connect to a host, and to which addresses the connection is pinned. */
import { canonicalAddress, isLoopback, isPublicAddress } from "./address.ts";
import type { EgressAllow } from "./allow.ts";
import { type EgressTarget, isBadPort, isLocalhostName } from "./host.ts";
import type { Resolver } from "./resolver.ts";

export type GuardReason = "private-address" | "bad-port" | "dns";

export type Admission =
  | { readonly admitted: true; readonly addresses: readonly string[] }
  | { readonly admitted: false; readonly reason: GuardReason };

export interface GuardOptions {
  readonly allow: EgressAllow;
  readonly resolve: Resolver;
  /** Canonical addresses of this machine, which are refused like private ones. */
  readonly ownAddresses: () => ReadonlySet<string>;
  /** Ports this server listens on; on this machine they are refused even when listed. */
  readonly ownPorts: () => readonly number[];
}

/**
 * Asks the resolver at most once, judges every address it gave, and pins them: whoever connects takes an address
 * from the answer, so a name that changes its mind afterwards changes nothing.
 */
export async function admit(target: EgressTarget, options: GuardOptions): Promise<Admission> {
  if (isBadPort(target.port)) return refused("bad-port");
  const listed = options.allow.has(target.host, target.port);
  const local = target.kind === "name" && isLocalhostName(target.host);
  const addresses = local ? ["127.0.0.1", "::1"] : await addressesOf(target, listed, options.resolve);
  if (addresses.length === 0) return refused("dns");
  const own = options.ownAddresses();
  if (!listed && addresses.some((address) => !isPublicAddress(address) || own.has(address))) {
    return refused("private-address");
  }
  const here = addresses.some((address) => isLoopback(address) || own.has(address));
  if (here && options.ownPorts().includes(target.port)) return refused("private-address");
  return { admitted: true, addresses };
}

async function addressesOf(target: EgressTarget, listed: boolean, resolve: Resolver): Promise<readonly string[]> {
  if (target.kind === "address") return [target.host];
  try {
    const answers = (await resolve(target.host, { listed })).map(canonicalAddress);
    const addresses = answers.filter((address) => address !== undefined);
    return addresses.length === answers.length ? addresses : [];
  } catch {
    return [];
  }
}

function refused(reason: GuardReason): Admission {
  return { admitted: false, reason };
}
