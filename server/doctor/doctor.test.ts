import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../shared/testing/free-port.ts";
import { runAdmin } from "../admin/commands.ts";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { startTestServer, type TestServer } from "../testing.ts";
import type { Diagnosis } from "./diagnosis.ts";

const folder = mkdtempSync(join(tmpdir(), "perch-doctor-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const servers: Server[] = [];
afterEach(() => {
  for (const one of servers.splice(0)) one.close();
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
/** `npm run admin -- doctor --json` in this process. */
async function doctor(env: Record<string, string>) {
  const out: string[] = [];
  const status = await runAdmin(["doctor", "--json"], {
    config: () => parseConfig({ DATA_DIR: join(folder, "data"), ADB_SERVER: "off", BILLING: "off", ...env }),
    clock: systemClock,
    readStdin: async () => "",
    out: (line) => out.push(line),
    error: (line) => out.push(line),
  });
  const { ok, checks } = JSON.parse(out.join("\n")) as { ok: boolean; checks: Diagnosis[] };
  return { status, ok, by: Object.fromEntries(checks.map((one) => [one.name, one])), checks };
}

describe("the doctor before the first start", () => {
  it("finds nothing in the way, says what will be made, and makes nothing", async () => {
    const { status, ok, by, checks } = await doctor({ PORT: String(await freePort()) });
    expect(checks.filter(({ state }) => state === "fail")).toEqual([]);
    expect([status, ok]).toEqual([0, true]);
    expect(by).toMatchObject({
      port: { state: "ok", says: expect.stringContaining("is free") },
      node: { state: "ok" },
      browser: { state: "ok" },
      database: { state: "ok", says: expect.stringContaining("first start makes it") },
      mail: { state: "ok", says: expect.stringContaining("/mail") },
      adb: { state: "ok", says: "ADB is switched off." },
    });
    for (const absent of ["stripe", "traces", "scrcpy", "docker"]) expect(by[absent]).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("names every wrong setting and still looks at the machine", async () => {
    const { status, by } = await doctor({ PORT: "many", WARM_PHONES: "9" });
    expect(status).toBe(1);
    expect(by["settings"]).toMatchObject({ state: "fail", says: expect.stringMatching(/PORT: .*WARM_PHONES: /) });
    expect(by["node"]?.state).toBe("ok");
    expect(by["database"]).toBeUndefined();
  });

  it("tells a person on a terminal, with what to do below each, and takes no other option", async () => {
    const out: string[] = [];
    const process = {
      config: () => parseConfig({ DATA_DIR: join(folder, "data"), PORT: "x" }),
      ...{ clock: systemClock, readStdin: async () => "" },
      ...{ out: (line: string) => out.push(line), error: (line: string) => out.push(line) },
    };
    expect(await runAdmin(["doctor"], process)).toBe(1);
    expect(out[0]).toMatch(/^FAIL {2}settings {2}These settings need a correction: PORT: /);
    expect(out[1]).toMatch(/^ {10,}Correct them in \.env/);
    expect(await runAdmin(["doctor", "--fix"], process)).toBe(2);
  });

  it("says where another program has the port", async () => {
    const port = await listen(createHttpServer((_request, response) => response.end("something else")));
    expect((await doctor({ PORT: String(port) })).by["port"]).toMatchObject({ state: "fail" });
    const mute = await listen(createServer((socket) => socket.on("error", () => {}).end("220 no http\r\n")));
    expect((await doctor({ PORT: String(mute) })).by["port"]).toMatchObject({ state: "fail" });
  });
});

describe("the doctor beside a running server", () => {
  let server: TestServer;
  let data: string;
  beforeAll(async () => {
    data = join(folder, "running", "data");
    server = await startTestServer({ DATA_DIR: data, METRICS_TOKEN: "t".repeat(24) });
  });
  afterAll(() => server.dispose());
  const env = () => ({ PORT: String(server.port), DATA_DIR: data, METRICS_TOKEN: "t".repeat(24) });

  it("asks it how it is, and touches nothing of its files", async () => {
    const state = () =>
      readdirSync(data, { recursive: true }).map((name) => [name, statSync(join(data, String(name))).mode]);
    const before = state();
    const { by, checks } = await doctor(env());
    expect(by["port"]).toMatchObject({ state: "ok", says: expect.stringMatching(/^Perch \d/) });
    expect(by["database"]).toMatchObject({ state: "ok", says: expect.stringContaining("its key fits") });
    expect(checks.filter(({ name }) => name.startsWith("running server, ")).map(({ state }) => state)).toContain("ok");
    expect(by["backups"]).toMatchObject({ state: "warn", todo: expect.stringContaining("backup --reason") });
    expect(state()).toEqual(before);
  });

  it("sees a key others may read, a wrong key, and a missing one", async () => {
    const key = `${data}.key`;
    chmodSync(key, 0o644);
    expect((await doctor(env())).by["database"]).toMatchObject({ state: "warn", todo: `chmod 600 ${key}` });
    chmodSync(key, 0o600);
    const other = join(folder, "other.key");
    writeFileSync(other, `${"0".repeat(64)}\n`, { mode: 0o600 });
    const wrong = (await doctor({ ...env(), KEY_FILE: other })).by["database"];
    expect(wrong).toMatchObject({ state: "fail", says: expect.stringContaining("does not fit the database") });
    const missing = (await doctor({ ...env(), KEY_FILE: join(folder, "none.key") })).by["database"];
    expect(missing).toMatchObject({ state: "fail", says: expect.stringContaining("is missing") });
    expect(existsSync(join(folder, "none.key"))).toBe(false);
  });

  it("counts how old the newest backup is", async () => {
    const BACKUP_DIR = join(folder, "backups");
    const nameOf = (ago: number) => `perch-${new Date(Date.now() - ago).toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
    mkdirSync(join(BACKUP_DIR, nameOf(80 * 3_600_000)), { recursive: true });
    expect((await doctor({ ...env(), BACKUP_DIR })).by["backups"]).toMatchObject({
      ...{ state: "warn", says: "The newest of 1 backups is 80 hours old, and was not put back and compared." },
    });
    mkdirSync(join(BACKUP_DIR, nameOf(60_000)));
    expect((await doctor({ ...env(), BACKUP_DIR })).by["backups"]).toMatchObject({
      ...{ state: "warn", says: expect.stringContaining("on the disk they are to outlive") },
    });
  });
});
