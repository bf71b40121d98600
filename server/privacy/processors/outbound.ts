/**
 * The processor register as a wall: while it stands, this process connects to hosts of the register, to this machine, and
 * to what the guarded dialler of phones and scripts opens; everything else fails before a packet leaves. Child processes
 * and worker threads have their own modules and are not behind it.
 */
import dgram from "node:dgram";
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";
import type { Clock } from "../../clock.ts";
import { isOwnCall } from "../../egress/own-calls.ts";
import { PerchError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { isOnThisMachine, type Processor, type ProcessorId } from "./processors.ts";

export interface Outbound {
  lastContactAt(id: ProcessorId): Date | undefined;
  /** Takes the wall down; for tests. */
  remove(): void;
}

/** Functions that ask name servers, or the machine's resolver, about a name. */
const LOOK_UPS = [
  ...["lookup", "resolve", "resolve4", "resolve6", "resolveAny", "resolveCaa", "resolveCname", "resolveMx"],
  ...["resolveNaptr", "resolveNs", "resolvePtr", "resolveSoa", "resolveSrv", "resolveTxt", "resolveTlsa"],
] as const;

type Callable = (this: unknown, ...args: unknown[]) => unknown;

export interface OutboundOptions {
  readonly processors: readonly Processor[];
  /** The operator's own places that get nothing about people: where traces go. */
  readonly ownPlaces?: readonly { readonly host: string; readonly port: number }[];
  readonly clock: Clock;
  readonly log: Log;
}

export function guardOutbound(options: OutboundOptions): Outbound {
  const { processors, ownPlaces = [], clock, log } = options;
  const contacts = new Map<ProcessorId, Date>();
  const restored: (() => void)[] = [];

  const ownerOf = (host: string, port: number | undefined) =>
    processors.find((one) => one.contacts.some((to) => to.host === host && (port === undefined || to.port === port)));
  const isOwnPlace = (host: string, port: number | undefined) =>
    ownPlaces.some((to) => to.host === host && (port === undefined || to.port === port));
  const refusal = (kind: string) => {
    // Neither host nor data: what asked may have put something about a person into the name.
    log.error("A connection to a host outside the processor register was stopped", { kind });
    return new PerchError(
      "forbidden",
      "This server connects to its processors and to nobody else. Add the processor to the register first.",
    );
  };

  /** Puts `make(original)` in the place of a function. */
  function replace(owner: object, name: string, make: (original: Callable) => Callable): void {
    const original = Object.getOwnPropertyDescriptor(owner, name);
    const callable: unknown = original?.value;
    if (original === undefined || typeof callable !== "function") return;
    Object.defineProperty(owner, name, { ...original, value: make(callable as Callable) });
    restored.push(() => Object.defineProperty(owner, name, original));
  }

  replace(
    net.Socket.prototype,
    "connect",
    (original) =>
      function connect(...args) {
        const to = destination(args);
        if (to === undefined || isOwnCall() || isOnThisMachine(to.host)) return Reflect.apply(original, this, args);
        const owner = ownerOf(to.host, to.port);
        if (owner === undefined && isOwnPlace(to.host, to.port)) return Reflect.apply(original, this, args);
        if (owner === undefined) throw refusal("connect");
        contacts.set(owner.id, new Date(clock.now()));
        return Reflect.apply(original, this, args);
      },
  );
  const lookUp = (original: Callable): Callable =>
    function lookUpGuarded(...args) {
      const host = nameOf(args[0]);
      const isKnown =
        net.isIP(host) !== 0 ||
        isOnThisMachine(host) ||
        ownerOf(host, undefined) !== undefined ||
        isOwnPlace(host, undefined);
      if (!isOwnCall() && !isKnown) throw refusal("dns");
      return Reflect.apply(original, this, args);
    };
  for (const owner of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
    for (const name of LOOK_UPS) replace(owner, name, lookUp);
  }
  // Nothing here speaks UDP; who begins to has to be written down first.
  for (const name of ["send", "connect"]) {
    replace(dgram.Socket.prototype, name, () => () => {
      throw refusal("udp");
    });
  }
  syncBuiltinESMExports();

  return {
    lastContactAt: (id) => contacts.get(id),
    remove() {
      for (const restore of restored.splice(0)) restore();
      syncBuiltinESMExports();
    },
  };
}

/**
 * Where a call of `Socket.connect` leads; `undefined` for a socket file. `net.connect` hands its arguments on in one
 * array, users give options, or a port and perhaps a host. What cannot be read is no host of the register.
 */
function destination(args: readonly unknown[]): { host: string; port: number } | undefined {
  const [first, second] = Array.isArray(args[0]) ? (args[0] as readonly unknown[]) : args;
  if (typeof first === "object" && first !== null) {
    const { path, host, port } = first as { path?: unknown; host?: unknown; port?: unknown };
    // A name beside a path is not asked for by Node; the path wins.
    if (typeof path === "string" && path !== "" && port === undefined) return undefined;
    return { host: host === undefined || host === null ? "localhost" : nameOf(host), port: Number(port) };
  }
  if (typeof first === "string" && !/^\d+$/.test(first)) return undefined;
  return { host: typeof second === "string" ? nameOf(second) : "localhost", port: Number(first) };
}

function nameOf(host: unknown): string {
  return String(host)
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}
