/** The Android driver as a server composes it, over simulated devices that are called directly or by an ADB server. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AndroidDeviceId, newId, type PhoneId } from "../../../../../shared/ids.ts";
import { deviceProfile } from "../../../../../shared/phones.ts";
import { createAudit } from "../../../../audit/audit.repo.ts";
import { type Clock, systemClock } from "../../../../clock.ts";
import { parseConfig } from "../../../../config.ts";
import { type TestDatabase, type TestEngine, testSqlite } from "../../../../db/testing.ts";
import { type Log, silentLog } from "../../../../log.ts";
import type { DriverEvent, PhoneDriver, PhoneSpec } from "../../../driver.ts";
import type { Retry } from "../android-phone.ts";
import { type AndroidParts, createAndroidDriver, createAndroidParts, createDeviceSource } from "../compose.ts";
import { createDevicesRepo } from "../devices.repo.ts";
import type { AndroidSource } from "../ports.ts";

export interface AndroidWorld {
  readonly test: TestDatabase;
  readonly parts: AndroidParts;
  readonly source: AndroidSource;
  readonly driver: PhoneDriver;
  readonly events: DriverEvent[];
  /** Registers a device: `server:<serial>` or `tcp:<host>:<port>`. */
  register(endpoint: string, label?: string): Promise<AndroidDeviceId>;
  /** A phone's row, and the driver's view of it. */
  phone(device: AndroidDeviceId): Promise<PhoneSpec>;
  forget(id: PhoneId): Promise<void>;
  /** The same on the same database, as after a restart. */
  again(): { source: AndroidSource; driver: PhoneDriver };
  dispose(): Promise<void>;
}

const QUICK: Partial<Retry> = { firstMs: 20, mostMs: 100 };

export async function androidWorld(
  options: {
    engine?: TestEngine;
    clock?: Clock;
    env?: Readonly<Record<string, string>>;
    retry?: Partial<Retry>;
    log?: Log;
  } = {},
): Promise<AndroidWorld> {
  const { engine = testSqlite, clock = systemClock, log = silentLog } = options;
  const folder = mkdtempSync(join(tmpdir(), "perch-android-"));
  const test = await engine.open();
  const { db } = test;
  const audit = createAudit(db, clock, randomBytes(32));
  const config = parseConfig({ DATA_DIR: join(folder, "data"), ADB_SERVER: "off", ...options.env });
  const parts = createAndroidParts({ config, db, audit, clock, log, key: Buffer.alloc(32, 1) });
  const repo = createDevicesRepo(db);
  const teamId = newId("team");
  const createdAt = new Date(clock.now());
  await db.tx((tx) => tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt }));
  const make = () => {
    const source = createDeviceSource(parts);
    const driver = createAndroidDriver(parts, {
      kind: "adb",
      sources: [source],
      retry: { ...QUICK, ...options.retry },
      probe: { everyMs: 100, withinMs: 300, misses: 2 },
    });
    return { source, driver };
  };
  const { source, driver } = make();
  const events: DriverEvent[] = [];
  driver.onEvent((event) => events.push(event));
  return {
    ...{ test, parts, source, driver, events, again: make },
    async register(endpoint, label = "Pixel") {
      const id = newId("androidDevice");
      await db.tx((tx) => repo.insert(tx, { id, endpoint, label, addedAt: new Date(clock.now()) }));
      return id;
    },
    async phone(device) {
      const id = newId("phone");
      await db.tx((tx) =>
        tx.insert(db.t.phones).values({
          ...{ id, teamId, name: "Phone", driver: "adb", profile: "tall", settings: {}, rotated: false },
          ...{ state: "starting", model: `device:${device}`, createdAt },
        } as never),
      );
      return { id, profile: deviceProfile("tall"), model: `device:${device}`, settings: {}, rotated: false };
    },
    forget: async (id) => {
      const { eq } = await import("drizzle-orm");
      await db.tx((tx) => tx.delete(db.t.phones).where(eq(db.t.phones.id, id)));
    },
    async dispose() {
      await driver.close();
      await test.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
