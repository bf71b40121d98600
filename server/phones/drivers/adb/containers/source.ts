/**
 * The `AndroidSource` of containers: redroid on registered Docker hosts. The rows say which phone has which volume on which
 * host; the Engines are made to follow, and what runs there without a row or without need goes. Events of an Engine are
 * hints; what counts is what `inspect` says.
 */
import type { PhoneHostId, PhoneId } from "../../../../../shared/ids.ts";
import type { PhoneModel, PhoneReason } from "../../../../../shared/phones.ts";
import type { Clock } from "../../../../clock.ts";
import type { Database } from "../../../../db/database.ts";
import { PerchError } from "../../../../errors.ts";
import { errorFields, type Log } from "../../../../log.ts";
import type { DriverState } from "../../../driver.ts";
import { streamEndpoint } from "../connect/endpoints.ts";
import type { AdbKeys } from "../connect/keys.ts";
import { AdbUnavailable } from "../connect/unavailable.ts";
import type { AndroidSource, SourceEvent } from "../ports.ts";
import type { CatalogueImage } from "./catalogue.ts";
import { forbiddenTargets } from "./egress-guard.ts";
import type { ContainerFacts, Engine } from "./engine.ts";
import { createLiveHosts, type LiveHost } from "./live-hosts.ts";
import type { PhoneContainerRow, PhoneHostRow, PhoneHostsRepo } from "./phone-hosts.repo.ts";
import type { PhoneHosts } from "./phone-hosts.service.ts";
import { containerName, PHONE_LABEL, phonePlan, SERVER_LABEL, volumeLabels, volumeName } from "./plans.ts";
import { adbStream, type Pace, startPhone } from "./start-phone.ts";
import { createStrays } from "./strays.ts";
import { wipePhone } from "./wipe.ts";

const NAME = "container";
/** A phone whose host does not come back for this long has failed. */
const LOST_LIMIT_MS = 15 * 60_000;
const STOP_GRACE_SECONDS = 10;
const LOOK_THROUGH_EACH_MS = 15_000;

export interface ContainerSource extends AndroidSource {
  /** Looks at the hosts that are due, and at what runs there. Called every few seconds. */
  tick(): Promise<void>;
}

export interface ContainerSourceOptions {
  readonly db: Database;
  readonly repo: PhoneHostsRepo;
  readonly hosts: PhoneHosts;
  readonly images: readonly CatalogueImage[];
  /** Names this server's containers on hosts it shares. */
  readonly instance: string;
  /** Where this server stands: hosts of that region are better than others. */
  readonly region: string;
  readonly open: (row: PhoneHostRow) => Promise<Engine>;
  readonly keys: AdbKeys;
  /** Addresses of this machine, loopback aside, and the server's port: phones must reach none of them. */
  readonly servers: () => readonly string[];
  readonly serverPort: number;
  readonly network: string;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly log: Log;
}

export function createContainerSource(options: ContainerSourceOptions): ContainerSource {
  const { db, repo, hosts, images, instance, region, pace, clock, log } = options;
  const label = `${SERVER_LABEL}=${instance}`;
  const listeners = new Set<(event: SourceEvent) => void>();
  /** Phones this process has turned on, or is about to. */
  const active = new Map<PhoneId, Active>();
  /** Phones that are looked at now, and whether to look once more. */
  const looking = new Map<PhoneId, { again: boolean; over: Promise<void> }>();

  const lookedThrough = new Map<PhoneHostId, number>();

  const emit = (event: SourceEvent) => {
    for (const listener of listeners) listener(event);
  };
  const activeOn = (host: PhoneHostId) => [...active].filter(([, one]) => one.host === host).map(([id]) => id);

  const live = createLiveHosts({
    ...{ rows: () => repo.hosts(), open: options.open, images, network: options.network, label, clock, log },
    listener: {
      came(host) {
        for (const id of activeOn(host.row.id)) emit({ type: "hint", phoneId: id });
      },
      lost(host) {
        for (const id of activeOn(host)) emit({ type: "hint", phoneId: id });
      },
      hint(host, { [PHONE_LABEL]: phone }) {
        const id = activeOn(host.row.id).find((one) => one === phone);
        if (id !== undefined) void lookAt(id);
      },
    },
  });
  const strays = createStrays({ clock, log, instance, label });

  /** However many hints there are, one look at a time, and one more after the last. */
  function lookAt(id: PhoneId): Promise<void> {
    const now = looking.get(id);
    if (now === undefined) {
      const look = { again: false, over: Promise.resolve() };
      looking.set(id, look);
      look.over = lookAndAgain(id, look);
      return look.over;
    }
    now.again = true;
    return now.over;
  }

  async function lookAndAgain(id: PhoneId, look: { again: boolean }): Promise<void> {
    try {
      do {
        look.again = false;
        const one = active.get(id);
        if (one?.container === undefined) return;
        const { container } = one;
        const { facts, whenGone } = await live.call(one.host, async ({ engine }) => {
          return { facts: await engine.inspect(container), whenGone: engine.whenGone };
        });
        if (active.get(id) !== one) return;
        if (facts?.running !== true) ended(id, reasonOf(facts, whenGone));
        else heard(id, one, facts.lost !== true);
      } while (look.again);
    } catch (error) {
      log.warn("A phone on a host could not be looked at", { phoneId: id, ...errorFields(error) });
    } finally {
      looking.delete(id);
    }
  }

  function ended(id: PhoneId, reason: PhoneReason): void {
    if (active.delete(id)) emit({ type: "ended", phoneId: id, reason });
  }

  /** Its machine says how it is, or nothing any more: worth another look either way. */
  function heard(id: PhoneId, one: Active, answers: boolean): void {
    if (answers === (one.silentSince === undefined)) return;
    one.silentSince = answers ? undefined : clock.now();
    emit({ type: "hint", phoneId: id });
  }

  function imageOf(model: string | undefined): CatalogueImage {
    const image = images.find(({ id }) => model === `${NAME}:${id}`);
    if (image === undefined) {
      throw new PerchError(
        "bad_input",
        "This server no longer has the Android image of this phone. Ask who runs the server.",
      );
    }
    return image;
  }

  async function rowOf(id: PhoneId): Promise<PhoneContainerRow> {
    const row = await repo.find(id);
    if (row === undefined) throw new Error("A phone was used before it was created.");
    return row;
  }

  function unavailable(
    image: CatalogueImage,
    all: readonly {
      readonly id: PhoneHostId;
      readonly region: string;
      readonly capacity: number;
      readonly taken: number;
      readonly draining: boolean;
    }[],
  ): string | undefined {
    const here = all.filter((host) => image.region === undefined || host.region === image.region);
    if (here.length === 0) return "No machine for phones of this kind is registered. Ask who runs the server.";
    const up = new Map(live.up().map((host) => [host.row.id, host]));
    const answering = here.filter(({ id }) => up.has(id));
    if (answering.length === 0) return "No machine for phones of this kind answers now. Try again in a few minutes.";
    const having = answering.filter(({ id }) => up.get(id)?.images.has(image.id));
    if (having.length === 0) return "No machine has this Android image yet. Ask who runs the server.";
    if (!having.some(({ draining, taken, capacity }) => !draining && taken < capacity))
      return "No machine has room for another phone of this kind.";
    return undefined;
  }

  const source: ContainerSource = {
    name: NAME,
    async models() {
      const all = await hosts.list();
      return images.map((image): PhoneModel => {
        const why = unavailable(image, all);
        return {
          ...{ id: `${NAME}:${image.id}`, driver: "adb", label: image.label },
          detail: `Android ${image.android} in a container, ${image.width} × ${image.height}`,
          ...(why !== undefined && { unavailable: why }),
        };
      });
    },
    async create(spec) {
      const image = imageOf(spec.model);
      const { id } = spec;
      const usable = new Set(live.up().flatMap(({ row, images: has }) => (has.has(image.id) ? [row.id] : [])));
      const row = await hosts.place(
        { id, volume: volumeName(id), image: image.image },
        { usable, region: image.region, near: region },
      );
      if (row.madeAt !== null) return;
      await live.call(row.hostId, ({ engine }) => engine.createVolume(row.volume, volumeLabels(id, instance)));
      await db.tx((tx) => repo.made(tx, id, new Date(clock.now())));
    },
    async start(spec, signal) {
      const image = imageOf(spec.model);
      const { id } = spec;
      const row = await rowOf(id);
      const { hostId, volume } = row;
      refuseDraining(live.use(hostId));
      const one: Active = { host: hostId, container: undefined, silentSince: undefined };
      active.set(id, one);
      try {
        const { facts, host } = await live.call(hostId, async (on) => {
          if (!(await on.engine.hasVolume(volume))) throw volumeLost();
          if (!(await on.engine.hasImage(row.image))) throw imageLost();
          const { engine } = on;
          const { network } = options;
          const plan = phonePlan({
            ...{ id, instance, volume, reference: row.image, image, publish: engine.local, network },
          });
          const { gateways } = on;
          const { serverPort } = options;
          const forbidden = [
            ...forbiddenTargets({ gateways, servers: options.servers(), serverPort }),
            ...engine.nearby,
          ];
          return { facts: await startPhone({ host: on, plan, forbidden, pace, log, signal }), host: on };
        });
        one.container = facts.id;
        return streamEndpoint(`${image.label} on ${host.row.name}`, options.keys, (ends) =>
          live.call(hostId, ({ engine }) => adbStream(engine, facts, ends)).catch(asUnavailable),
        );
      } catch (error) {
        if (active.get(id) === one) active.delete(id);
        throw error;
      }
    },
    async park(id) {
      active.delete(id);
      const row = await repo.find(id);
      // What runs on a host that does not answer is stopped as a stray when it is back.
      if (row === undefined || live.lostSince(row.hostId) !== undefined) return;
      await live.call(row.hostId, ({ engine }) => stop(engine, id));
    },
    async remove(id) {
      active.delete(id);
      const row = await repo.find(id);
      if (row === undefined) {
        const wipedAt = new Date(clock.now()).toISOString();
        return { phoneId: id, files: 0, bytes: 0, verifiedAbsent: true, wipedAt };
      }
      const receipt = await live.call(row.hostId, ({ engine }) => wipePhone({ engine, row, instance, clock, log }));
      await db.tx((tx) => repo.delete(tx, id));
      return receipt;
    },
    async state(id) {
      // Whoever hears first that one does not run any more is told why by the same look.
      await lookAt(id);
      const row = await repo.find(id);
      return row === undefined ? "absent" : stateOf(row);
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async recover() {
      await source.tick();
      const rows = await repo.places();
      return Promise.all(rows.map(async (row) => ({ id: row.phoneId, state: await stateOf(row) })));
    },
    async tick() {
      await live.tick();
      for (const [id, one] of active) {
        const since = live.knows(one.host) ? live.lostSince(one.host) : 0;
        const silent = [since, one.silentSince].filter((at) => at !== undefined);
        if (silent.some((at) => clock.now() - at >= LOST_LIMIT_MS)) ended(id, "host_gone");
      }
      for (const host of live.up()) {
        if (clock.now() < (lookedThrough.get(host.row.id) ?? 0) + LOOK_THROUGH_EACH_MS) continue;
        lookedThrough.set(host.row.id, clock.now());
        await lookThrough(host).catch((error: unknown) => {
          log.warn("What runs on a host of phones could not be looked at", {
            kind: host.row.name,
            ...errorFields(error),
          });
        });
      }
    },
    async close() {
      live.close();
      listeners.clear();
    },
  };

  async function stateOf(row: PhoneContainerRow): Promise<DriverState> {
    try {
      const facts = await live.call(row.hostId, ({ engine }) => engine.inspect(containerName(row.phoneId)));
      if (facts?.running !== true) return "parked";
      return facts.lost === true ? "unknown" : "running";
    } catch (error) {
      if (error instanceof PerchError) return "unknown";
      throw error;
    }
  }

  async function stop(engine: Engine, id: PhoneId): Promise<void> {
    const facts = await engine.inspect(containerName(id));
    if (facts === undefined) return;
    if (facts.running) await engine.stop(facts.id, STOP_GRACE_SECONDS);
    await engine.remove(facts.id);
    if ((await engine.inspect(facts.id)) !== undefined)
      throw new PerchError("phone_unavailable", "The phone did not stop. Try to park it again.");
  }

  /** Events get lost: phones of ours that no longer run have ended, and what runs and is nobody's goes. */
  async function lookThrough(host: LiveHost): Promise<void> {
    const there = await live.call(host.row.id, ({ engine }) => engine.containers(label));
    const well = new Set(there.filter(({ running, lost }) => running && lost !== true).map(({ id }) => id));
    for (const [id, one] of active) {
      if (one.host !== host.row.id || one.container === undefined) continue;
      if (!well.has(one.container) || one.silentSince !== undefined) await lookAt(id);
    }
    const places = await repo.places(host.row.id);
    await live.call(host.row.id, ({ engine }) => strays.sweep({ host: host.row.id, engine, there, places }));
  }

  return source;
}

/** A phone this process has turned on, or is about to. */
interface Active {
  readonly host: PhoneHostId;
  container: string | undefined;
  /** Since when the machine its cluster chose says nothing of it. */
  silentSince: number | undefined;
}

function reasonOf(facts: ContainerFacts | undefined, whenGone: PhoneReason): PhoneReason {
  if (facts === undefined) return whenGone;
  if (facts.outOfMemory) return "out_of_memory";
  return facts.takenAway === true ? whenGone : "browser_crashed";
}

function refuseDraining({ row }: LiveHost): void {
  if (!row.draining) return;
  throw new PerchError(
    "phone_unavailable",
    "The machine this phone lives on is being taken out of service, so phones there are not started. Ask who runs the server.",
  );
}
/** The host answers and the phone does not. */
function asUnavailable(error: unknown): never {
  if (error instanceof AdbUnavailable || !(error instanceof PerchError)) throw error;
  throw new AdbUnavailable("device_gone", "The phone does not answer. It may have stopped.", { cause: error });
}
function volumeLost(): PerchError {
  return new PerchError(
    "phone_unavailable",
    "What this phone stored is gone from the machine it lived on. Remove the phone and launch a new one.",
  );
}
function imageLost(): PerchError {
  return new PerchError(
    "phone_unavailable",
    "The machine this phone lives on no longer has its Android image. Ask who runs the server.",
  );
}
