/** Turning a phone on: its container made or taken over, booted in its turn, kept in, and a way to its ADB. */
import type { Duplex } from "node:stream";
import { PerchError } from "../../../../errors.ts";
import { errorFields, type Log } from "../../../../log.ts";
import { dialOwn } from "../connect/dial-device.ts";
import { canLook, type ForbiddenTarget, guardIsBlind, guardIsOpen, openTarget, TOYBOX } from "./egress-guard.ts";
import { ADB_PORT, type ContainerFacts, type ContainerPlan, type Engine } from "./engine.ts";
import type { LiveHost } from "./live-hosts.ts";
import { PLAN_LABEL } from "./plans.ts";

/** Without a GPU a first boot was seen to take minutes (redroid-doc). */
const BOOT_LIMIT_MS = 5 * 60_000;
const BOOT_POLL_MS = 1_000;
const dialDirectly = dialOwn();

/** What waits for an Android to boot. */
export interface Pace {
  now(): number;
  /** @throws the signal's reason */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** Resolves when Android is up and shut in. On any failure the container is gone; the volume stays. */
export async function startPhone(options: {
  readonly host: LiveHost;
  readonly plan: ContainerPlan;
  readonly forbidden: readonly ForbiddenTarget[];
  readonly pace: Pace;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<ContainerFacts> {
  const { host, plan, forbidden, pace, log, signal } = options;
  const { engine } = host;
  return host.boots.run(signal, async () => {
    try {
      const id = await begin(engine, plan, signal);
      const near = [...forbidden, ...machineOf(await engine.inspect(id))];
      await keptIn(host, id, near, log, signal);
      await booted(engine, id, pace, signal);
      if (!(await canLook(engine, id, signal))) {
        log.error("The egress guard of a host could not be looked at", { kind: host.row.name });
        throw guardIsBlind();
      }
      // Android has set up its own network since.
      await keptIn(host, id, near, log, signal);
      const facts = await engine.inspect(id);
      if (facts?.running !== true) throw diedBooting();
      return facts;
    } catch (error) {
      await engine.remove(plan.name).catch((left: unknown) => {
        log.warn("A container that did not start was left behind", { kind: host.row.name, ...errorFields(left) });
      });
      throw error;
    }
  });
}

/** The container runs; one that runs already and was made the same is taken over, as after a restart of the server. */
async function begin(engine: Engine, plan: ContainerPlan, signal: AbortSignal): Promise<string> {
  const known = await engine.inspect(plan.name);
  if (known?.running && known.labels[PLAN_LABEL] === plan.Labels[PLAN_LABEL]) return known.id;
  if (known !== undefined) await engine.remove(known.id);
  const id = await engine.create(plan);
  await engine.start(id, signal);
  return id;
}

/** SSH and the kubelet of the machine a cluster has chosen. */
function machineOf(facts: ContainerFacts | undefined): readonly ForbiddenTarget[] {
  const { machine } = facts ?? {};
  return machine === undefined
    ? []
    : [22, 10_250].map((port) => ({ address: machine, port, what: "the machine it stands on" }));
}

async function keptIn(
  host: LiveHost,
  id: string,
  forbidden: readonly ForbiddenTarget[],
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const open = await openTarget(host.engine, id, forbidden, signal);
  if (open === undefined) return;
  log.error("A phone could reach what its host must keep it from", {
    kind: host.row.name,
    reason: open.what,
    port: open.port,
  });
  throw guardIsOpen();
}

async function booted(engine: Engine, id: string, pace: Pace, signal: AbortSignal): Promise<void> {
  const until = pace.now() + BOOT_LIMIT_MS;
  for (;;) {
    const facts = await engine.inspect(id);
    if (facts?.running !== true) throw diedBooting();
    const { exitCode, stdout } = await engine.exec(id, ["/system/bin/getprop", "sys.boot_completed"], { signal });
    if (exitCode === 0 && stdout.trim() === "1") return;
    if (pace.now() >= until) {
      throw new PerchError(
        "phone_unavailable",
        "Android did not finish to start within 5 minutes. Try again; if it fails again, ask who runs the server.",
      );
    }
    await pace.wait(BOOT_POLL_MS, signal);
  }
}

function diedBooting(): PerchError {
  return new PerchError(
    "phone_unavailable",
    "Android stopped while it started. Try again; if it fails again, ask who runs the server.",
  );
}

/**
 * A published port where the host is this machine, the container's own address in a cluster this server is in, else a
 * program in the container that hands on to ADB, through the Engine's own connection: nothing of another machine listens
 * for it.
 */
export function adbStream(engine: Engine, facts: ContainerFacts, signal: AbortSignal): Promise<Duplex> {
  const { id, adbPort, adbAddress } = facts;
  if (adbAddress !== undefined) return dialDirectly(adbAddress, signal);
  if (engine.local && adbPort !== undefined) return dialDirectly({ host: "127.0.0.1", port: adbPort }, signal);
  return engine.execStream(id, [TOYBOX, "nc", "127.0.0.1", ADB_PORT.split("/")[0] ?? ""], signal);
}
