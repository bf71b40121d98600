/**
 * Connections to devices. Those the operator registered, and the operator's ADB server, are the operator's own machines:
 * private addresses are usual for them, so they are dialled as they are written down. An address somebody else told, as a
 * partner does, is judged as a page's would be. Both go through the one dialler that the wall around this process knows.
 */
import type { Socket } from "node:net";
import { type Connector, dial, tcpConnect } from "../../../../egress/dial.ts";
import { parseAuthority } from "../../../../egress/host.ts";
import type { Reach } from "../../../../egress/reach.ts";
import { type Resolver, systemResolver } from "../../../../egress/resolver.ts";
import { AdbUnavailable } from "./unavailable.ts";

const DIAL_MS = 8_000;
/** A machine that went away without a word is noticed by the system too, after this long and nine questions. */
const KEEP_ALIVE_MS = 15_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}
/** Opens a connection, or throws `AdbUnavailable`. */
export type DialDevice = (to: Address, signal: AbortSignal) => Promise<Socket>;

export function dialOwn(how: { readonly resolve?: Resolver; readonly connect?: Connector } = {}): DialDevice {
  const { resolve = systemResolver(), connect = tcpConnect } = how;
  return async (to, signal) => {
    const timed = AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)]);
    const target = parseAuthority(addressText(to));
    if (target === undefined) throw gone(to);
    try {
      const addresses = target.kind === "address" ? [target.host] : await resolve(target.host, { listed: true });
      return alive(await dial(addresses, target.port, connect, timed));
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw gone(to, cause);
    }
  };
}

/** `reach`: the guard for what strangers name. */
export function dialOutside(reach: Reach): DialDevice {
  return async (to, signal) => {
    const timed = AbortSignal.any([signal, AbortSignal.timeout(DIAL_MS)]);
    const target = parseAuthority(addressText(to));
    const reached = target === undefined ? "dns" : await reach(target, timed);
    if (typeof reached === "object") return alive(reached);
    if (signal.aborted) throw signal.reason;
    throw gone(to);
  };
}

export function addressText({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function alive(socket: Socket): Socket {
  return socket.setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true);
}
function gone(to: Address, cause?: unknown): AdbUnavailable {
  const refused = cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED";
  const why = refused ? "refuses the connection. Is ADB over the network on there?" : "cannot be reached.";
  return new AdbUnavailable("device_gone", `The device at ${addressText(to)} ${why}`, { cause });
}
