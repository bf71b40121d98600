/** A whole server with the partner's emulator: launched, turned off there, told by webhook, removed; nothing of a person stays. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Phone } from "../../../../shared/phones.ts";
import { systemClock } from "../../../clock.ts";
import { parseConfig } from "../../../config.ts";
import { createLog } from "../../../log.ts";
import { type RunningServer, startServer } from "../../../server.ts";
import { call, signIn, type TestPerson } from "../../../testing.ts";
import { type Simulator, startSimulator } from "../adb/simulator/simulator.ts";
import { type GeelarkEmulator, startGeelarkEmulator } from "./emulator/emulator.ts";
import { CANARY } from "./emulator/routes.ts";
import { ACCESS } from "./geelark.fixture.ts";
import { GEELARK_WEBHOOK_PATH } from "./webhook.ts";

const lines: string[] = [];
const passwords = new Set<string>();
let folder: string;
let emulator: GeelarkEmulator;
let simulator: Simulator;
let server: RunningServer;
let person: TestPerson;
let password: string | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-partner-server-"));
  simulator = await startSimulator({ login: () => password });
  emulator = await startGeelarkEmulator({
    ...{ clock: systemClock, access: ACCESS, bootMs: 50, adbReadyMs: 500 },
    async adb(phone) {
      password = phone.adb?.password;
      passwords.add(password ?? "");
      await simulator.plugIn();
      return { host: "127.0.0.1", port: simulator.port };
    },
  });
  server = await startServer({
    config: parseConfig({
      ...{ PORT: "0", DATA_DIR: join(folder, "data"), BILLING: "off", WARM_PHONES: "0", ADB_SERVER: "off" },
      ...{ GEELARK_API_BASE: emulator.base, GEELARK_PROXY: "socks5://u:canary-proxy@proxy.example:1080" },
      ...{ GEELARK_APP_ID: ACCESS.key?.appId ?? "", GEELARK_API_KEY: ACCESS.key?.apiKey ?? "" },
    }),
    clock: systemClock,
    log: createLog({ clock: systemClock, write: (line) => lines.push(line) }),
  });
  emulator.callback.url = server.url + GEELARK_WEBHOOK_PATH;
  person = await signIn({ ...server, clock: systemClock });
});
afterAll(async () => {
  await server.close();
  await emulator.close();
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask<T>(type: "query" | "mutation", path: string, input: unknown): Promise<T> {
  const answer = await call(server, type, path, input, person.token);
  if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
  return answer.data as T;
}
const key = (name: string) => ({ idempotencyKey: `partner-test-${name}` });

describe("a server with a cloud-phone partner", () => {
  it("launches phones there, learns what happens there, and leaves nothing behind", async () => {
    expect(await ask("query", "phones.models", undefined)).toMatchObject([{ id: "geelark:android-14" }]);
    const launch = { driver: "geelark", model: "geelark:android-14", ...key("launch") };
    const { id: phoneId } = await ask<Phone>("mutation", "phones.launch", launch);
    const get = () => ask<Phone>("query", "phones.get", { phoneId });
    await vi.waitFor(async () => expect((await get()).state).toBe("running"), { timeout: 10_000, interval: 50 });
    const shot = await ask<{ width: number }>("mutation", "phones.screenshot", { phoneId });
    expect(shot.width).toBe(720);

    const [there] = emulator.world.phones.values();
    if (there === undefined) throw new Error("The partner has no phone.");
    emulator.world.stop(there);
    emulator.faults.webhooks = "twice";
    await emulator.tick();
    await vi.waitFor(async () => expect(await get()).toMatchObject({ state: "failed", reason: "partner_stopped" }), {
      ...{ timeout: 5_000, interval: 50 },
    });
    expect(await ask("mutation", "phones.remove", { phoneId, ...key("remove") })).toMatchObject({
      receipt: { verifiedAbsent: true },
    });
    expect(emulator.world.phones.size).toBe(0);
    const { db } = server;
    const kept = JSON.stringify([
      lines,
      ...(await Promise.all(Object.values(db.t).map((t) => db.read.select().from(t)))),
    ]);
    const secrets = [...passwords, ...Object.values(CANARY), "canary", ACCESS.key?.apiKey ?? "", "62.141.247.218"];
    for (const secret of secrets) expect(kept).not.toContain(secret);
    expect(passwords.size).toBe(1);
  });

  it("takes no message that is not signed, and repeats nothing of it", async () => {
    const body = JSON.stringify({ type: 8, id: "1", username: "canary-somebody", ip: "62.141.247.218", eventTime: 1 });
    const headers = { "content-type": "application/json", traceId: "db6094ab-3797-4186-84d5-b0b58eebad56" };
    const answer = await fetch(server.url + GEELARK_WEBHOOK_PATH, { method: "POST", body, headers });
    expect(answer.status).toBe(401);
    expect(await answer.text()).not.toContain("canary");
    const large = { method: "POST", headers, body: "x".repeat(70_000) };
    expect((await fetch(server.url + GEELARK_WEBHOOK_PATH, large)).status).toBeGreaterThanOrEqual(400);
    expect(lines.join("")).not.toMatch(/canary|62\.141/);
  });
});
