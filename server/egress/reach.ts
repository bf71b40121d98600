/**
 * The one way out for everything that strangers' pages and people's scripts ask for: judged by the guard, then connected
 * to an address that was judged. Used by web phones' proxies and by scripts of flows.
 */
import type { Socket } from "node:net";
import { machineAddresses } from "./address.ts";
import type { EgressAllow } from "./allow.ts";
import { type Connector, dial, tcpConnect } from "./dial.ts";
import { admit, type GuardReason } from "./guard.ts";
import type { EgressTarget } from "./host.ts";
import { type Resolver, systemResolver } from "./resolver.ts";

export interface ReachOptions {
  readonly allow: EgressAllow;
  readonly resolve?: Resolver;
  readonly connect?: Connector;
  /** Canonical addresses of this machine; its network interfaces by default. */
  readonly ownAddresses?: () => ReadonlySet<string>;
  /** Ports this server listens on, never reachable on this machine even when `allow` lists them. */
  readonly ownPorts?: () => readonly number[];
}

export type ReachReason = GuardReason | "unreachable";

/** An open connection, or why there is none. Never rejects; gives up when `signal` aborts. */
export type Reach = (target: EgressTarget, signal: AbortSignal) => Promise<Socket | ReachReason>;

export function createReach(options: ReachOptions): Reach {
  const connect = options.connect ?? tcpConnect;
  const guard = {
    allow: options.allow,
    resolve: options.resolve ?? systemResolver(),
    ownAddresses: options.ownAddresses ?? machineAddresses,
    ownPorts: options.ownPorts ?? (() => []),
  };
  return async (target, signal) => {
    try {
      const admission = await abortable(admit(target, guard), signal);
      if (admission === undefined) return "dns";
      if (!admission.admitted) return admission.reason;
      return await dial(admission.addresses, target.port, connect, signal);
    } catch {
      return "unreachable";
    }
  };
}

/** `undefined` when the signal aborts first; the promise's own result is then dropped. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
    promise.then(resolve, reject);
  });
}
