/**
 * Taking a node out of service without dropping what people do: nothing new begins, runs and recordings end by themselves
 * while there is time, phones that go on by themselves are given to other nodes, and the rest is parked with a warning.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Monotonic } from "../clock.ts";
import { errorFields, type Log } from "../log.ts";
import type { LifecycleListener } from "../phones/phone-life-parts.ts";
import type { PhoneLifecycle } from "../phones/phone-lifecycle.ts";
import { ACTIVE_STATES, type PhoneRow, type PhonesRepo } from "../phones/phones.repo.ts";
import type { ProfileArchive } from "../phones/profile-archive.ts";
import type { Membership } from "./membership.ts";
import type { SeenNode } from "./nodes.repo.ts";
import type { PhonesAnywhere } from "./phone-calls.ts";
import { placeFor } from "./placement.ts";

export interface Drained {
  /** Runs and recordings that were cut short. */
  readonly cut: number;
  readonly handedOver: number;
  readonly parked: number;
}

const SERVER = "server";
/** How often is looked whether all has ended. */
const LOOK_MS = 250;

export function createDrain(options: {
  membership: Membership;
  phones: Pick<PhonesRepo, "ofNode" | "findAnywhere">;
  lifecycle: Pick<PhoneLifecycle, "park" | "handOver" | "leave">;
  anywhere: Pick<PhonesAnywhere, "adopt" | "start">;
  archive: ProfileArchive;
  listener: () => Pick<LifecycleListener, "idleWarning">;
  region: string;
  /** Runs and recordings that go on here. */
  busy: () => number;
  monotonic: Monotonic;
  now: () => number;
  log: Log;
}): (forMs: number) => Promise<Drained> {
  const { membership, phones, lifecycle, anywhere, archive, log } = options;

  /** Where a phone can go on: for one that takes no room, any node that works. */
  function targetFor(row: PhoneRow): SeenNode | undefined {
    const others = membership.nodes().filter(({ id }) => id !== membership.id);
    if (row.driver === "web") return placeFor(others, { region: options.region, here: membership.id });
    return others.find(({ living, draining, address }) => living && draining === null && address !== null);
  }

  async function give(row: PhoneRow): Promise<"handedOver" | "parked"> {
    const isStored = row.driver === "web";
    if (isStored) {
      await lifecycle.park(row.id, "server_stopped", SERVER);
      await archive.archive(row.id);
    }
    const target = isStored && !(await archive.has(row.id)) ? undefined : targetFor(row);
    if (target === undefined) {
      if (!isStored) await lifecycle.park(row.id, "server_stopped", SERVER);
      return "parked";
    }
    const now = await phones.findAnywhere(row.id);
    if (now === undefined) return "parked";
    await lifecycle.handOver(now, target.id);
    const told = isStored
      ? anywhere.start(target, row.id).then(() => lifecycle.leave([row.id]))
      : anywhere.adopt(target, [row.id]);
    // One that does not hear it finds an Android at its next heartbeat; a web phone stays parked there.
    await told.catch((error: unknown) =>
      log.warn("A phone that was given to another node was not taken up at once, or something of it is left here", {
        phoneId: row.id,
        ...errorFields(error),
      }),
    );
    return "handedOver";
  }

  return async (forMs) => {
    await membership.drain();
    const until = options.monotonic.now() + forMs;
    for (const row of await phones.ofNode(membership.id, ["running"])) {
      if (forMs > 0) options.listener().idleWarning(row.id, new Date(options.now() + forMs));
    }
    while (options.busy() > 0 && options.monotonic.now() < until) await sleep(LOOK_MS);
    const cut = options.busy();
    const rows = await phones.ofNode(membership.id, ACTIVE_STATES);
    const done = await Promise.all(
      rows.map((row) =>
        give(row).catch((error: unknown) => {
          log.error("A phone was not given to another node", { phoneId: row.id, ...errorFields(error) });
          return "parked" as const;
        }),
      ),
    );
    const handedOver = done.filter((what) => what === "handedOver").length;
    return { cut, handedOver, parked: done.length - handedOver };
  };
}
