/** The whole server with a Supabase project behind its sign-in: the same pages, the same promises. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CHROME_EXTENSION_ID, type Exchanged, type TotpEnrolment } from "../../../shared/accounts.ts";
import type { DeletionView, ExportDownload, ExportView } from "../../../shared/privacy.ts";
import { ManualClock } from "../../clock.ts";
import { FakeDriver } from "../../phones/testing/fake-driver.ts";
import { readArchive } from "../../privacy/export/testing.ts";
import { call, startTestServer, type TestServer } from "../../testing.ts";
import { totpCodeAt } from "../testing/app-code.ts";
import { ANON_KEY, FakeGoTrue, SERVICE_KEY } from "./testing/fake-gotrue.ts";

const PASSWORD = "blaue gurken tanzen";
const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/connected`;

describe("a server whose people sign in through Supabase", () => {
  const clock = new ManualClock(Date.now());
  const fake = new FakeGoTrue(clock);
  const folder = mkdtempSync(join(tmpdir(), "perch-supabase-"));
  let server: TestServer;
  const start = (env: Record<string, string> = {}) =>
    startTestServer(
      { SUPABASE_URL: fake.url, SUPABASE_SERVICE_ROLE_KEY: SERVICE_KEY, SUPABASE_ANON_KEY: ANON_KEY, ...env },
      { folder, clock, driver: new FakeDriver() },
    );
  beforeAll(async () => {
    await fake.start();
  });
  afterAll(async () => {
    await server?.close();
    await fake.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A browser: keeps cookies, sends where a form stood, does not follow. */
  const browser = () => {
    const cookies = new Map<string, string>();
    const send = async (path: string, init: RequestInit = {}) => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const answer = await fetch(`${server.url}${path}`, {
        ...init,
        redirect: "manual",
        headers: { ...init.headers, cookie },
      });
      for (const header of answer.headers.getSetCookie()) {
        const [name = "", value = ""] = (header.split(";")[0] ?? "").split("=");
        if (value === "") cookies.delete(name);
        else cookies.set(name, value);
      }
      return answer;
    };
    return {
      get: (path: string) => send(path),
      post: (path: string, fields: Record<string, string>) =>
        send(path, {
          method: "POST",
          body: new URLSearchParams(fields).toString(),
          headers: { origin: server.url, "content-type": "application/x-www-form-urlencoded" },
        }),
    };
  };
  const linkTo = async (recipient: string, path: string) => {
    const mails = (await server.accounts.mail.preview()).filter((one) => one.recipient === recipient);
    const links = mails.flatMap(({ text }) => [...text.matchAll(/https?:\/\/\S+/g)].map(([link]) => link));
    return new URL(links.find((link) => link.includes(path)) ?? "");
  };
  const ask = async <T>(token: string, type: "query" | "mutation", path: string, input?: unknown): Promise<T> => {
    const answer = await call(server, type, path, input, token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.code} ${answer.error.message}`);
    return answer.data as T;
  };

  /** Presses Connect in a browser that is signed in, and exchanges the code as the extension does. */
  const connect = async (visitor: ReturnType<typeof browser>, path: string, verifier: string): Promise<Exchanged> => {
    const consent = await visitor.get(path);
    expect([consent.status, await consent.text()]).toEqual([200, expect.stringContaining("Connect")]);
    const query = Object.fromEntries(new URL(path, server.url).searchParams);
    const approved = await visitor.post("/connect", { ...query, action: "approve" });
    const code = new URL(approved.headers.get("location") ?? "").searchParams.get("code") ?? "";
    const answer = await call(
      server,
      "mutation",
      "account.exchange",
      { code, verifier, redirectUri: REDIRECT },
      undefined,
    );
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.data as Exchanged;
  };
  const connectPath = () => {
    const verifier = randomBytes(32).toString("base64url");
    const query = {
      ...{ response_type: "code", client_id: "perch-extension", redirect_uri: REDIRECT, code_challenge_method: "S256" },
      state: randomBytes(16).toString("base64url"),
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    };
    return { verifier, path: `/connect?${new URLSearchParams(query)}` };
  };
  /** The address after a form, which the browser goes to next. */
  const nextOf = (answer: Response) => answer.headers.get("location") ?? "";

  it("does not start with a project that signs with its legacy secret, and says what to do", async () => {
    fake.publishNothing();
    await expect(start()).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringContaining("asymmetric signing keys"),
    });
    await fake.rotate();
  });

  it.each(["SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_ANON_KEY"])(
    "does not start with another project's %s",
    async (name) => {
      await expect(start({ [name]: "eyJh.eyJh.of-another-project" })).rejects.toMatchObject({
        ...{ code: "bad_input", message: expect.stringContaining(`refuses ${name}`) },
      });
    },
  );

  it("starts while Supabase is away", async () => {
    fake.fault = () => "drop";
    server = await start();
    fake.fault = undefined;
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });

  const email = "ada@x.example";
  let token = "";
  it("lets people sign up, set up an app, and connect the extension with its codes, on the same pages", async () => {
    const visitor = browser();
    const first = connectPath();
    const signInPage = nextOf(await visitor.get(first.path));
    expect(signInPage).toMatch(/^\/sign-in\?next=/);
    const next = new URL(signInPage, server.url).searchParams.get("next") ?? "";
    await visitor.post("/sign-up", { email, password: PASSWORD, fullName: "Ada", next });
    expect(fake.users.size).toBe(0);
    const mailed = await linkTo(email, "/confirm");
    const done = await visitor.post("/confirm", {
      token: mailed.searchParams.get("token") ?? "",
      password: PASSWORD,
      next,
    });
    expect(nextOf(done)).toMatch(/^\/connect\?response_type=code/);
    expect([...fake.users.values()]).toMatchObject([{ email, email_confirmed_at: expect.any(String) }]);
    ({ token } = await connect(visitor, first.path, first.verifier));
    const { secret } = await ask<TotpEnrolment>(token, "mutation", "account.beginTotp");
    const added = await ask<{ codes: string[] }>(token, "mutation", "account.confirmTotp", {
      code: totpCodeAt(secret, clock.now()),
    });
    expect(added.codes).toEqual([]);
    expect(await ask(token, "query", "account.security")).toMatchObject({
      ...{ password: { changedAt: expect.any(String) }, totp: { since: expect.any(String) }, backupCodesLeft: 0 },
    });

    const other = browser();
    const second = connectPath();
    const wrong = await other.post("/sign-in", { email, password: "rote gurken tanzen" });
    expect([wrong.status, await wrong.text()]).toEqual([401, expect.stringContaining("or the password is not right")]);
    const asked = await other.post("/sign-in", { email, password: PASSWORD, next: second.path });
    expect(nextOf(asked)).toMatch(/^\/sign-in\/code\?next=/);
    clock.advance(30_000);
    const answer = totpCodeAt(secret, clock.now());
    const refused = await other.post("/sign-in/code", { answer: "000000", next: second.path });
    // In the extension's sign-in window every answer is 200: Chrome closes it on any other.
    expect([refused.status, await refused.text()]).toEqual([200, expect.stringContaining("code is not right")]);
    expect(nextOf(await other.post("/sign-in/code", { answer, next: second.path }))).toBe(second.path);
    const connected = await connect(other, second.path, second.verifier);
    expect(connected.me.user).toMatchObject({ email, name: "Ada" });
    expect(fake.sessions.size).toBe(0);
    expect(server.lines.join("")).not.toMatch(/ada@x|eyJ/);
    token = connected.token;
  });

  it("says that signing in has to wait while Supabase is away, on a page that says when", async () => {
    fake.fault = () => ({ status: 503 });
    const answer = await browser().post("/sign-in", { email, password: PASSWORD });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "30"]);
    expect(await answer.text()).toContain("the sign-in service does not answer");
    expect(await ask(token, "query", "account.me")).toMatchObject({ user: { email } });
    fake.fault = undefined;
  });

  it("puts what Supabase holds into the copy of a person's data, and says so where it cannot be read", async () => {
    const copy = async (key: string) => {
      await ask(token, "mutation", "privacy.export", { idempotencyKey: key });
      const { dataExports } = server.db.t;
      const states = async () => (await server.db.read.select().from(dataExports)).map(({ state }) => state);
      await vi.waitUntil(async () => (await states()).includes("ready"), { timeout: 15_000, interval: 20 });
      const exportId = (await ask<ExportView[]>(token, "query", "privacy.exports")).find(
        ({ state }) => state === "ready",
      )?.id;
      const { url } = await ask<ExportDownload>(token, "mutation", "privacy.downloadExport", { exportId });
      const zip = Buffer.from(await (await fetch(url, { method: "POST" })).arrayBuffer());
      await ask(token, "mutation", "privacy.revokeExport", { exportId });
      return readArchive(zip);
    };
    const archive = await copy("the-first-copy");
    const held = JSON.parse(archive.files.get("elsewhere/sign-in.json")?.toString() ?? "");
    expect(held).toMatchObject({ email, factors: [{ factor_type: "totp", status: "verified" }] });
    expect(JSON.stringify(held)).not.toMatch(/secret|password/);
    fake.fault = () => "drop";
    const partial = await copy("the-second-copy");
    fake.fault = undefined;
    expect(partial.files.has("elsewhere/sign-in.json")).toBe(false);
    expect(partial.manifest.missing.join()).toContain("sign-in service");
  });

  it("is retried until Supabase answers, and is listed, when a person is erased", async () => {
    fake.fault = (method) => (method === "DELETE" ? { status: 500 } : undefined);
    const { id } = await ask<DeletionView>(token, "mutation", "privacy.delete", {
      ...{ idempotencyKey: "delete-account", confirmation: email, now: true },
    });
    const { erasures, erasureSteps } = server.db.t;
    const step = async () => {
      const rows = await server.db.read.select().from(erasureSteps).where(eq(erasureSteps.erasureId, id));
      return rows.find(({ store }) => store === "processor:supabase");
    };
    await vi.waitUntil(async () => ((await step())?.attempts ?? 0) > 0, { timeout: 15_000, interval: 20 });
    expect(await step()).toMatchObject({ state: "waiting" });
    expect(fake.users.size).toBe(1);
    fake.fault = undefined;
    const rowOf = async () => (await server.db.read.select().from(erasures).where(eq(erasures.id, id)))[0];
    await vi.waitUntil(
      async () => {
        clock.advance(60_000);
        return (await rowOf())?.state === "done";
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(fake.users.size).toBe(0);
    expect(await step()).toMatchObject({ state: "done", after: 0 });
    expect(JSON.stringify((await rowOf())?.certificate)).toContain("supabase");
  });
});
