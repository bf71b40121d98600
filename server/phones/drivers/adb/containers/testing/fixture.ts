/** Containers with a real database, Engines of the test and a clock that is walked. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, type PhoneId, type TeamId } from "../../../../../../shared/ids.ts";
import { deviceProfile, type PhoneState } from "../../../../../../shared/phones.ts";
import { createAudit } from "../../../../../audit/audit.repo.ts";
import { ManualClock } from "../../../../../clock.ts";
import type { TestDatabase } from "../../../../../db/testing.ts";
import { type Log, type LogFields, silentLog } from "../../../../../log.ts";
import type { PhoneSpec } from "../../../../driver.ts";
import { createAdbKeys } from "../../connect/keys.ts";
import type { SourceEvent } from "../../ports.ts";
import { type CatalogueImage, parseCatalogue } from "../catalogue.ts";
import { PHONES_NETWORK } from "../egress-guard.ts";
import { type Engine, openEngine } from "../engine.ts";
import { createPhoneHostsRepo } from "../phone-hosts.repo.ts";
import { createPhoneHosts } from "../phone-hosts.service.ts";
import { type ContainerSource, createContainerSource } from "../source.ts";
import type { Pace } from "../start-phone.ts";
import { FakeEngine } from "./engine.ts";
import type { FakeDevice } from "./engine-things.ts";

export const INSTANCE = "0123456789abcdef";
export const IMAGE: CatalogueImage = imageOf({ id: "android-14", image: "redroid/redroid:14.0.0-latest" });

export function imageOf(entry: Record<string, unknown>): CatalogueImage {
  const [image] = parseCatalogue(
    JSON.stringify({ images: [{ label: "Android 14", android: "14", ...entry }] }),
    "test",
  );
  if (image === undefined) throw new Error("No image came of it.");
  return image;
}

export function specOf(id: PhoneId, image = IMAGE): PhoneSpec {
  return { id, profile: deviceProfile("tall"), model: `container:${image.id}`, settings: {}, rotated: false };
}

/** Waits for what a loop of the code under test brings about; fails by the test's own limit. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A clock that walks by itself when somebody waits for it, so that waits take no time and their number is known. */
export function walkingPace(clock: ManualClock) {
  let waits = 0;
  return {
    /** How often longer every wait is than asked for. */
    stride: 1,
    now: () => clock.now(),
    async wait(ms: number, signal: AbortSignal) {
      waits += 1;
      signal.throwIfAborted();
      clock.advance(ms * this.stride);
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    },
    get waits() {
      return waits;
    },
  } satisfies Pace & { stride: number; waits: number };
}

/** Of phones whose ADB nobody connects to. */
const noDevice = async (): Promise<FakeDevice> => ({ port: 1, close() {} });

export async function openContainers(
  test: TestDatabase,
  options: {
    readonly images?: readonly CatalogueImage[];
    readonly device?: () => Promise<FakeDevice>;
    readonly servers?: readonly string[];
    /** Replaces the ways to Docker. */
    readonly open?: () => Promise<Engine>;
  } = {},
) {
  const { db } = test;
  const folder = mkdtempSync(join(tmpdir(), "hosts-"));
  const clock = new ManualClock();
  const audit = createAudit(db, clock, randomBytes(32));
  const repo = createPhoneHostsRepo(db);
  const hosts = createPhoneHosts({ db, repo, audit, clock });
  const engines: FakeEngine[] = [];
  const logged: { message: string; fields: LogFields | undefined }[] = [];
  const log: Log = {
    ...silentLog,
    warn: (message, fields) => logged.push({ message, fields }),
    error: (message, fields) => logged.push({ message, fields }),
  };
  const images = options.images ?? [IMAGE];
  const pace = walkingPace(clock);
  const sources: ContainerSource[] = [];
  const teamId = await addTeam(test, clock);

  /** As a server makes it at its start. */
  function startSource(network = PHONES_NETWORK) {
    const source = createContainerSource({
      ...{ db, repo, hosts, images, instance: INSTANCE, region: "here", clock, log, pace },
      ...{
        open: options.open ?? ((row) => openEngine(row.address, row.certFolder ?? undefined)),
        keys: createAdbKeys(folder, randomBytes(32)),
      },
      ...{ servers: () => options.servers ?? ["198.51.100.7"], serverPort: 8787, network },
    });
    const events: SourceEvent[] = [];
    source.onEvent((event) => events.push(event));
    sources.push(source);
    return { source, events };
  }

  return {
    ...{ test, db, clock, audit, repo, hosts, images, pace, logged, teamId, folder, startSource },
    /** An Engine that listens, with the catalogue's images, registered under this name. */
    async addHost(name: string, { capacity = 10, region = "here" } = {}): Promise<FakeEngine> {
      const path = join(folder, `${name}.sock`);
      const engine = await FakeEngine.start(path, options.device ?? noDevice);
      for (const { image } of images) engine.images.add(image);
      engines.push(engine);
      await hosts.add({ name, address: `unix://${path}`, certFolder: undefined, region, capacity }, "test");
      return engine;
    },
    async addPhone(state: PhoneState = "starting"): Promise<PhoneId> {
      const id = newId("phone");
      await db.tx((tx) =>
        tx.insert(db.t.phones).values({
          ...{ id, teamId, createdBy: null, name: "Phone", driver: "adb", profile: "tall", settings: {}, state },
          ...{ rotated: false, createdAt: new Date(clock.now()) },
        }),
      );
      return id;
    },
    /** Moves the row as the lifecycle does. */
    async setState(id: PhoneId, state: PhoneState): Promise<void> {
      const { eq } = await import("drizzle-orm");
      await db.tx((tx) => tx.update(db.t.phones).set({ state }).where(eq(db.t.phones.id, id)));
    },
    async close(): Promise<void> {
      for (const source of sources) await source.close();
      for (const engine of engines) await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type Containers = Awaited<ReturnType<typeof openContainers>>;

async function addTeam({ db }: TestDatabase, clock: ManualClock): Promise<TeamId> {
  const id = newId("team");
  await db.tx((tx) => tx.insert(db.t.teams).values({ id, name: "Team", createdAt: new Date(clock.now()) }));
  return id;
}
