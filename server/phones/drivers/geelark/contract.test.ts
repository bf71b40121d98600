/** The contract of drivers on phones of the partner: its emulator, and a simulated Android behind its login. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "../../../../shared/ids.ts";
import { deviceProfile } from "../../../../shared/phones.ts";
import { createAudit } from "../../../audit/audit.repo.ts";
import { systemClock } from "../../../clock.ts";
import { parseConfig } from "../../../config.ts";
import { testSqlite } from "../../../db/testing.ts";
import { silentLog as log } from "../../../log.ts";
import { createPhonesRepo } from "../../phones.repo.ts";
import { driverContract } from "../../testing/driver-contract.ts";
import { createAndroidDriver, createAndroidParts } from "../adb/compose.ts";
import { startSimulator } from "../adb/simulator/simulator.ts";
import { createGeelarkCore, partnerEndpoint, waited } from "./driver.ts";
import { startGeelarkEmulator } from "./emulator/emulator.ts";
import { ACCESS } from "./geelark.fixture.ts";

driverContract("geelark", async () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-partner-"));
  const test = await testSqlite.open();
  const { db } = test;
  let password: string | undefined;
  const simulator = await startSimulator({ login: () => password });
  const emulator = await startGeelarkEmulator({
    ...{ clock: systemClock, access: ACCESS, bootMs: 30, adbReadyMs: 60 },
    async adb(phone) {
      password = phone.adb?.password;
      await simulator.plugIn();
      return { host: "127.0.0.1", port: simulator.port };
    },
  });
  const config = parseConfig({
    ...{ DATA_DIR: join(folder, "data"), ADB_SERVER: "off", GEELARK_API_BASE: emulator.base, GEELARK_PROXY: "1" },
    ...{ GEELARK_APP_ID: ACCESS.key?.appId ?? "", GEELARK_API_KEY: ACCESS.key?.apiKey ?? "" },
  });
  const { geelark } = config;
  if (geelark === undefined) throw new Error("The partner is not set up.");
  const audit = createAudit(db, systemClock, randomBytes(32));
  const parts = createAndroidParts({ config, db, audit, clock: systemClock, log, key: randomBytes(32) });
  const core = createGeelarkCore({
    ...{ geelark, db, clock: systemClock, log, mark: "a1b2c3", connect: partnerEndpoint(parts.keys) },
    pause: (ms, signal) => waited(ms >= 500 ? 20 : ms, signal),
    pace: { look: [20, 40], start: 5_000, stop: 2_000, adbFirst: 70, adb: 2_000, wipe: 2_000 },
  });
  const driver = createAndroidDriver(parts, {
    ...{ kind: "geelark", sources: [core.source] },
    retry: { firstMs: 20, mostMs: 60 },
    probe: { everyMs: 100, withinMs: 300, misses: 2 },
  });
  const phones = createPhonesRepo(db);
  const teamId = newId("team");
  await db.tx((tx) => tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt: new Date() }));
  return {
    driver,
    async spec() {
      const id = newId("phone");
      await db.tx((tx) =>
        phones.insert(tx, {
          ...{ id, teamId, name: "Phone", driver: "geelark", profile: "tall", settings: {}, tags: [], rotated: false },
          ...{ state: "running", createdAt: new Date(systemClock.now()) },
        }),
      );
      return { id, profile: deviceProfile("tall"), model: "geelark:android-14", settings: {}, rotated: false };
    },
    async showCounter({ id }) {
      await driver.apps?.launch(id, "com.example.counter");
    },
    loss: {
      // While the partner answers it says that the phone runs, and ADB is asked for anew.
      async cut() {
        emulator.faults.isDown = true;
        await simulator.unplug();
      },
      async mend() {
        emulator.faults.isDown = false;
        await simulator.plugIn();
      },
    },
    async dispose() {
      await driver.close();
      await emulator.close();
      await simulator.close();
      await test.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});
