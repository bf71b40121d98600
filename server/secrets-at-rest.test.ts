/** Every secret the server hands out, over real HTTP, and then a search for each in every byte it keeps. */
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { Secret } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../shared/accounts.ts";
import { totpCodeAt } from "./accounts/testing/app-code.ts";
import { ManualClock } from "./clock.ts";
import { openMasterKey } from "./db/master-key.repo.ts";
import { dataFolder } from "./db/testing-run.ts";
import { deriveKey, readFileKey } from "./keys.ts";
import { FakeDriver } from "./phones/testing/fake-driver.ts";
import { call, startTestServer, type TestServer } from "./testing.ts";

const PASSWORD = "blaue gurken tanzen";
const NEW_PASSWORD = "gelbe gurken singen";
const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/`;
const VERIFIER = "v".repeat(43);
const FLOW = "url: https://a.example/\n---\n- back\n";
const OWNER = "owner@x.example";

let folder: string;
let server: TestServer;
/** What each flow issued. */
const issued = new Map<string, readonly string[]>();
/** Of the owner's browser. */
const cookies = new Map<string, string>();
let token = "";

async function send(path: string, fields?: Record<string, string>): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await fetch(new URL(path, server.url), {
    redirect: "manual",
    headers: {
      ...(cookie !== "" && { cookie }),
      ...(fields && { origin: server.url, "content-type": "application/x-www-form-urlencoded" }),
    },
    ...(fields && { method: "POST", body: new URLSearchParams(fields).toString() }),
  });
  for (const header of response.headers.getSetCookie()) {
    const [name = "", value = ""] = (header.split(";")[0] ?? "").split("=");
    cookies.set(name, value);
  }
  return response;
}

/** The tokens in the links of the mails to an address, as the operator reads them on the mail page. */
async function mailed(recipient: string): Promise<string[]> {
  const page = await (await send("/mail")).text();
  const mail = page.split("<article").filter((part) => part.includes(`To ${recipient} `));
  return [...new Set([...mail.join("").matchAll(/[?&]token=([\w-]{43})/g)].map(([, found = ""]) => found))];
}

async function ask(path: string, input?: unknown): Promise<Readonly<Record<string, unknown>>> {
  server.clock.advance(5_000);
  const answer = await call(server, "mutation", path, input, token);
  if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
  return Object(answer.data);
}
const text = (value: unknown) => (typeof value === "string" ? value : "");

/** In this order: later ones stand on earlier ones. A new way to hand out a secret is a new line. */
const FLOWS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  async "setup link, password, web session"() {
    const setup = new URL(server.setupUrl ?? "").searchParams.get("token") ?? "";
    await send("/setup", { token: setup, email: OWNER, password: PASSWORD, fullName: "" });
    return [setup, PASSWORD, cookies.get("perch") ?? ""];
  },
  async "connect code, extension token"() {
    const query = {
      ...{ response_type: "code", client_id: "perch-extension", redirect_uri: REDIRECT, state: "s".repeat(22) },
      ...{ code_challenge: createHash("sha256").update(VERIFIER).digest("base64url"), code_challenge_method: "S256" },
    };
    const approved = await send("/connect", { ...query, action: "approve" });
    const code = new URL(approved.headers.get("location") ?? "").searchParams.get("code") ?? "";
    token = text((await ask("account.exchange", { code, verifier: VERIFIER, redirectUri: REDIRECT }))["token"]);
    return [code, token];
  },
  async "sign-up link, one used and one not"() {
    const links: string[] = [];
    for (const email of ["one@x.example", "two@x.example"]) {
      await fetch(new URL("/sign-up", server.url), {
        method: "POST",
        redirect: "manual",
        headers: { origin: server.url, "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ email, password: NEW_PASSWORD, fullName: "" }).toString(),
      });
      links.push(...(await mailed(email)));
    }
    await fetch(new URL("/confirm", server.url), {
      method: "POST",
      redirect: "manual",
      headers: { origin: server.url, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ token: links[0] ?? "", password: NEW_PASSWORD }).toString(),
    });
    return [...links, NEW_PASSWORD];
  },
  async "reset link"() {
    await send("/reset", { email: "one@x.example" });
    return mailed("one@x.example");
  },
  async "API token"() {
    return [text((await ask("tokens.create", { name: "ci", scopes: ["phones:view"], days: 7 }))["token"])];
  },
  async "stream ticket"() {
    const phone = await ask("phones.launch", { idempotencyKey: "k".repeat(16) });
    return [text((await ask("screen.ticket", { phoneId: phone["id"], mode: "view" }))["ticket"])];
  },
  async "flow secret, webhook secret and its successor"() {
    const value = "correct horse battery staple";
    await ask("secrets.set", { name: "PASSWORD", value });
    const flow = await ask("flows.save", { name: "Flow", source: FLOW });
    const phone = await ask("phones.launch", { idempotencyKey: "l".repeat(16) });
    const hook = await ask("webhooks.create", { name: "Hook", flowId: flow["id"], phone: phone["id"] });
    const rotated = await ask("webhooks.rotate", { webhookId: hook["id"] });
    return [value, text(hook["secret"]), text(rotated["secret"])];
  },
  async "invitation link"() {
    await ask("teams.invite", { email: "guest@x.example", role: "viewer", days: 7 });
    return mailed("guest@x.example");
  },
  async "links of an e-mail change and of its undoing"() {
    await ask("account.changeEmail", { email: "moved@x.example" });
    const change = await mailed("moved@x.example");
    await send("/email/confirm", { token: change[0] ?? "", password: PASSWORD });
    return [...change, ...(await mailed(OWNER))];
  },
  async "secret of an app, backup codes"() {
    // The change of address signed everybody out.
    await send("/sign-in", { email: "moved@x.example", password: PASSWORD });
    await FLOWS["connect code, extension token"]?.();
    const secret = text((await ask("account.beginTotp"))["secret"]);
    const first = await ask("account.confirmTotp", { code: totpCodeAt(secret, server.clock.now() + 5_000) });
    const second = await ask("account.newBackupCodes");
    return [secret, ...[first["codes"], second["codes"]].flat().map(text)];
  },
  async "continuation of a sign-in that waits for its second factor"() {
    await send("/sign-in", { email: "moved@x.example", password: PASSWORD });
    return [cookies.get("perch-second") ?? ""];
  },
  async "link of a recovery"() {
    await send("/recover", { email: "moved@x.example", password: PASSWORD });
    return mailed("moved@x.example");
  },
  async "key file, master key"() {
    const fileKey = readFileKey({ keyFile: join(folder, "data.key"), databaseExists: true });
    const master = await openMasterKey(server.db, fileKey, undefined);
    return [fileKey.toString("hex"), master.toString("hex")];
  },
};

/** The ways a secret could stand somewhere: as it is, without its prefix, encoded, or as the bytes it stands for. */
function formsOf(secret: string): Buffer[] {
  const bare = secret.replace(/^(cp_|pt_|whsec_)/, "");
  const bytes = [Buffer.from(secret), Buffer.from(bare)];
  if (/^[\w-]{43}$/.test(bare)) bytes.push(Buffer.from(bare, "base64url"));
  if (/^[0-9a-f]{64}$/.test(secret)) bytes.push(Buffer.from(secret, "hex"));
  if (/^[A-Z2-7]{32,}$/.test(secret)) bytes.push(Buffer.from(Secret.fromBase32(secret).bytes));
  const texts = bytes.flatMap((one) => [
    ...[one.toString("hex"), one.toString("hex").toUpperCase()],
    // Base64 depends on where in a group of three bytes it begins; what does not depend on its neighbours is looked for.
    ...[0, 1, 2].flatMap((before) => {
      const padded = Buffer.concat([Buffer.alloc(before), one]);
      const inner = (encoded: string) => encoded.replace(/=+$/, "").slice(before === 0 ? 0 : before + 1, -1);
      return [inner(padded.toString("base64")), inner(padded.toString("base64url"))];
    }),
  ]);
  const encoded = [encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), [...secret].reverse().join("")];
  return [...bytes, ...[...texts, ...encoded].map((one) => Buffer.from(one))];
}
let needles: readonly (readonly [what: string, form: Buffer])[] = [];
const foundIn = (bytes: Buffer) => [
  ...new Set(needles.filter(([, form]) => bytes.includes(form)).map(([what]) => what)),
];

const files = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "data.key")
    .map((entry) => join(entry.parentPath, entry.name));

describe("secrets at rest", () => {
  beforeAll(async () => {
    folder = dataFolder("perch-secrets-");
    server = await startTestServer({}, { folder, driver: new FakeDriver(), clock: new ManualClock() });
    for (const [name, issue] of Object.entries(FLOWS)) {
      server.clock.advance(20_000);
      issued.set(name, await issue());
    }
    needles = [...issued].flatMap(([what, secrets]) =>
      secrets.flatMap((secret) => formsOf(secret).map((form) => [what, form] as const)),
    );
  });
  afterAll(async () => {
    await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(Object.keys(FLOWS))("are really issued by: %s", (name) => {
    const secrets = issued.get(name) ?? [];
    expect(secrets.length).toBe(new Set(secrets).size);
    expect(secrets.length).toBeGreaterThanOrEqual(name.split(/,| and /).length > 1 ? 2 : 1);
    for (const secret of secrets) expect(secret.length, name).toBeGreaterThanOrEqual(10);
  });

  it("are found in every form they could stand in", () => {
    const [name = "", [secret = ""] = []] = [...issued][0] ?? [];
    for (const before of ["", "x", "xy", "xyz"]) {
      const around = Buffer.from(`${before}${secret} and more`);
      for (const bytes of [
        around,
        Buffer.from(around.toString("base64")),
        Buffer.from(around.toString("base64url")),
        Buffer.from(around.toString("hex")),
        Buffer.concat([Buffer.from(before), Buffer.from(secret, "base64url")]),
      ]) {
        expect(foundIn(bytes)).toEqual([name]);
      }
    }
    expect(foundIn(Buffer.from("nothing of ours"))).toEqual([]);
  });

  it("ABUSE-40 are in no line of the log, of a restart neither", async () => {
    const again = await startTestServer(
      {},
      { folder: join(folder, "other"), driver: new FakeDriver(), clock: server.clock },
    );
    await again.dispose();
    expect(foundIn(Buffer.from([...server.lines, ...again.lines].join("")))).toEqual([]);
  });

  it("ABUSE-05 are in no byte of the database, its log, the data folder or its decrypted pages", async () => {
    expect(files().some((path) => path.endsWith("perch.db-wal"))).toBe(true);
    for (const path of files()) expect(foundIn(readFileSync(path)), path).toEqual([]);
    const key = deriveKey(readFileKey({ keyFile: join(folder, "data.key"), databaseExists: true }), "database");
    await server.close();
    for (const path of files()) expect(foundIn(readFileSync(path)), path).toEqual([]);

    // The same pages in clear, free ones included: what somebody sees who has the key as well.
    const clear = join(folder, "clear.db");
    copyFileSync(join(folder, "data/perch.db"), clear);
    const db = new Sqlite(clear);
    db.pragma(`key = "x'${key.toString("hex")}'"`);
    db.pragma("journal_mode = DELETE");
    db.pragma("rekey = ''");
    db.close();
    const pages = readFileSync(clear);
    expect(pages.subarray(0, 15).toString()).toBe("SQLite format 3");
    expect(pages.includes("sealed columns")).toBe(true);
    // Nor do addresses: they are sealed with keys that are in another file.
    expect(pages.includes("moved@x.example")).toBe(false);
    expect(foundIn(pages)).toEqual([]);
  });
});
