import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAudit } from "../../../../audit/audit.repo.ts";
import { systemClock } from "../../../../clock.ts";
import { parseConfig } from "../../../../config.ts";
import { type TestDatabase, testSqlite } from "../../../../db/testing.ts";
import { isLoopback } from "../../../../egress/address.ts";
import { silentLog } from "../../../../log.ts";
import { createAndroidParts } from "../compose.ts";
import { createContainerDesk, createContainers } from "./compose.ts";
import { FakeEngine } from "./testing/engine.ts";

describe("containers of a server", () => {
  let database: TestDatabase;
  let folder: string;
  let engine: FakeEngine;
  beforeAll(async () => {
    database = await testSqlite.open();
    folder = mkdtempSync(join(tmpdir(), "containers-"));
    engine = await FakeEngine.start(join(folder, "docker.sock"));
    engine.images.add("redroid/redroid:14.0.0-latest");
    const image = { id: "android-14", label: "Android 14", image: "redroid/redroid:14.0.0-latest", android: "14" };
    writeFileSync(join(folder, "images.json"), JSON.stringify({ images: [image] }));
    writeFileSync(join(folder, "wrong.json"), "{}");
  });
  afterAll(async () => {
    await engine.close();
    await database.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  function options(env: Readonly<Record<string, string>>) {
    const { db } = database;
    const config = parseConfig({ DATA_DIR: join(folder, "data"), ADB_SERVER: "off", ...env });
    const audit = createAudit(db, systemClock, randomBytes(32));
    const parts = { config, db, audit, clock: systemClock, log: silentLog };
    return { ...createAndroidParts({ ...parts, key: Buffer.alloc(32) }), key: Buffer.alloc(32, 7), serverPort: 8787 };
  }
  const settings = (more: Readonly<Record<string, string>> = {}) => ({
    ...{ ANDROID_IMAGES: join(folder, "images.json"), DOCKER_HOST: `unix://${join(folder, "docker.sock")}`, ...more },
  });

  it("are none without a catalogue, whatever DOCKER_HOST says for other programs", async () => {
    expect(await createContainers(options({ DOCKER_HOST: "ssh://root@elsewhere" }))).toBeUndefined();
  });
  it("have the host of DOCKER_HOST, as it is set now", async () => {
    const first = options(settings());
    const source = await createContainers(first);
    await source?.recover();
    expect(await source?.models()).toMatchObject([{ id: "container:android-14", label: "Android 14" }]);
    expect((await source?.models())?.[0]).not.toHaveProperty("unavailable");
    await source?.close();
    const again = await createContainers(options(settings({ DOCKER_PHONES: "9", REGION: "eu" })));
    await again?.close();
    const desk = createContainerDesk(first);
    expect(await desk.hosts.list()).toMatchObject([{ name: "default", capacity: 9, region: "eu", taken: 0 }]);
    expect(desk.instance).toMatch(/^[0-9a-f]{16}$/);
    // A phone can only look at what its network has a way to: link-local addresses of IPv6 would all look open.
    expect(desk.servers().filter((address) => !isIPv4(address) || isLoopback(address))).toEqual([]);
  });
  it("stop the start for settings that cannot be meant", async () => {
    await expect(createContainers(options(settings({ DOCKER_HOST: "tcp:nonsense" })))).rejects.toThrow("unix:///");
    await expect(createContainers(options(settings({ DOCKER_HOST: "http://10.0.0.1:2375" })))).rejects.toThrow("TLS");
    await expect(createContainers(options(settings({ ANDROID_IMAGES: join(folder, "wrong.json") })))).rejects.toThrow(
      "ANDROID_IMAGES",
    );
  });
});
