import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { selfSigned } from "../automations/script/certificate.fixture.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { type Listening, startListening } from "../http/listener.ts";
import { silentLog } from "../log.ts";
import { tlsVerdict, whoRuns } from "./door.ts";

const folder = mkdtempSync(join(tmpdir(), "perch-door-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
const files = { TLS_CERT_FILE: join(folder, "cert.pem"), TLS_KEY_FILE: join(folder, "key.pem") };
function write({ cert, key } = selfSigned("localhost")) {
  writeFileSync(files.TLS_CERT_FILE, cert);
  writeFileSync(files.TLS_KEY_FILE, key);
  return { cert, key };
}
const NOTHING = { is: "nothing" } as const;
const verdict = (env: Record<string, string> = {}, running: Parameters<typeof tlsVerdict>[1] = NOTHING) =>
  tlsVerdict(parseConfig({ ...files, ...env }), running, new ManualClock(), signal);

let closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing) await close();
  closing = [];
});
const HEALTH = JSON.stringify({ product: "perch", apiVersion: 1, version: "0.1.0" });
async function running(): Promise<Listening> {
  const listening = await startListening({
    ...{ host: "127.0.0.1", port: 0, log: silentLog },
    certificate: { certFile: files.TLS_CERT_FILE, keyFile: files.TLS_KEY_FILE },
    serve: (_request, response) => response.end(HEALTH),
  });
  closing.push(() => listening.close());
  return listening;
}

describe("the certificate, as the doctor sees it", () => {
  it("is looked at by dates, name and who vouches for it", async () => {
    write();
    expect(await verdict()).toMatchObject({ state: "warn", says: expect.stringContaining("Nobody but you vouches") });
    write(selfSigned("localhost", "250101000000Z", "251231235959Z"));
    expect(await verdict()).toMatchObject({ state: "fail", says: "The certificate ended on 2025-12-31." });
    write(selfSigned("localhost", "260201000000Z"));
    expect(await verdict()).toMatchObject({ state: "fail", says: "The certificate holds from 2026-02-01 on." });
    write(selfSigned("other.example"));
    expect(await verdict()).toMatchObject({ state: "fail", says: expect.stringContaining("not for localhost") });
  });

  it("has to be the one the running server shows, by TLS 1.3 alone", async () => {
    write();
    const { port } = await running();
    const env = { PORT: String(port), PUBLIC_URL: `https://localhost:${port}` };
    const found = await whoRuns(parseConfig({ ...files, ...env }), signal);
    expect(found).toMatchObject({ is: "perch", version: "0.1.0" });
    expect(await verdict(env, found)).toMatchObject({ says: expect.stringContaining("TLS 1.3 only") });
    write();
    expect(await verdict(env, found)).toMatchObject({ state: "warn", says: expect.stringContaining("another cert") });
  });

  it("is no comfort where something older is spoken", async () => {
    const old = createServer({ ...write(), minVersion: "TLSv1.2" }, (_request, response) => response.end(HEALTH));
    old.listen(0, "127.0.0.1");
    await once(old, "listening");
    closing.push(async () => {
      old.closeAllConnections();
      old.close();
      await once(old, "close");
    });
    const { port } = old.address() as AddressInfo;
    const env = { PORT: String(port), PUBLIC_URL: `https://localhost:${port}` };
    const found = await whoRuns(parseConfig({ ...files, ...env }), signal);
    expect(await verdict(env, found)).toMatchObject({ state: "fail", says: expect.stringContaining("older than TLS") });
  });

  it("is a proxy's matter without one of ours, which has to be believed", async () => {
    const look = (env: Record<string, string>) => tlsVerdict(parseConfig(env), NOTHING, new ManualClock(), signal);
    const PUBLIC_URL = "https://perch.example";
    expect(await look({})).toMatchObject({ state: "ok" });
    expect(await look({ PUBLIC_URL, BILLING: "off" })).toMatchObject({ state: "warn" });
    expect(await look({ PUBLIC_URL, BILLING: "off", TRUSTED_PROXIES: "10.0.0.0/8" })).toMatchObject({ state: "ok" });
  });
});
