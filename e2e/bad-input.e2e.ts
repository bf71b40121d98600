/** What people and operators get wrong: a sentence that says what to do, nothing half-made left behind (issue 2 §6). */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import Sqlite from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../shared/ids.ts";
import type { Phone } from "../shared/phones.ts";
import { freePort } from "../shared/testing/free-port.ts";
import { ApiClient } from "./harness/api.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { COMPILED, PerchServer } from "./harness/server.ts";

/** Starts a server that is expected not to start; gives its exit status and all it said. */
async function failedStart(env: Readonly<Record<string, string>>): Promise<{ status: number | null; said: string }> {
  const child = spawn(process.execPath, ["server/main.ts"], {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/", PORT: String(await freePort()), ...COMPILED, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const late = setTimeout(() => child.kill(), 60_000);
  const [out, error] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  clearTimeout(late);
  return { status: child.exitCode, said: out + error };
}

/** One sentence for people and status 1; no stack, no code of the system, no log line. */
async function refusesToStart(env: Readonly<Record<string, string>>, ...words: readonly (string | RegExp)[]) {
  const { status, said } = await failedStart(env);
  expect(said).not.toMatch(/^\s+at |node:|"level"|\bE[A-Z]{4,}\b/m);
  for (const word of words) expect(said).toMatch(word);
  expect(status).toBe(1);
}

const launchInput = (more: object = {}) => ({ idempotencyKey: crypto.randomUUID(), ...more });

describe("bad input over the API", () => {
  let server: PerchServer;
  let person: ApiClient;

  keepEvidence(() => ({ server }));
  beforeAll(async () => {
    // No browser is needed to refuse, and one that is not there is a case of its own.
    const env = { CHROME_PATH: "/nonexistent/chrome", WARM_PHONES: "0" };
    server = await PerchServer.start({ env });
    person = await ApiClient.create(server, "bad@example.org");
  });
  afterAll(() => server?.stop());

  const phones = () => person.query<Phone[]>("phones.list");

  it.each([
    "",
    "   ",
    "http://",
    "https://",
    "http://[::1",
    "http://a b.example/",
    "http://exa mple",
    "https://user:secret@example.com/",
    "file:///etc/passwd",
    "chrome://settings",
    "javascript:alert(1)",
    "data:text/html,x",
    "view-source:https://example.com/",
    "about:config",
    "ftp://example.com/",
    "blob:https://example.com/1",
    "ws://example.com/",
    "http://example.com:99999/",
    "http://%zz/",
  ])("refuses the address %j with a sentence", async (url) => {
    const refused = person.mutate("phones.openUrl", { phoneId: newId("phone"), url });
    await expect(refused).rejects.toMatchObject({ code: "bad_input", message: expect.stringMatching(/address/i) });
  });

  it.each([
    ["an address that is none", { url: "file:///etc/passwd" }, /https:\/\//],
    ["an address that is too long", { url: `https://example.com/${"a".repeat(9_000)}` }, /8,192 characters/],
    ["an unknown profile", { profile: "gigantic" }, /tall, compact, large, tablet/],
    ["an unknown setting", { settings: { locale: "not a locale!" } }, /en-GB/],
    ["a time zone that is not there", { settings: { timeZone: "Mars/Olympus" } }, /Europe\/Berlin/],
    ["a name that is too long", { name: "x".repeat(61) }, /60 characters/],
  ])("refuses %s and names what is possible", async (_, more, words) => {
    const refused = person.mutate("phones.launch", launchInput(more));
    await expect(refused).rejects.toMatchObject({ code: "bad_input", message: expect.stringMatching(words) });
    expect(await phones()).toEqual([]);
  });

  it("says that there is no browser, and keeps nothing of the phone", async () => {
    const refused = person.mutate("phones.launch", launchInput());
    await expect(refused).rejects.toMatchObject({
      code: "phone_unavailable",
      message: expect.stringMatching(/CHROME_PATH|browser/),
    });
    expect(await phones()).toEqual([]);
    for (const folder of ["phones", "profiles"])
      expect(readdirSync(join(server.dataDir, "web-phones", folder))).toEqual([]);
  });
});

describe("a team's limits", () => {
  let server: PerchServer;

  keepEvidence(() => ({ server }));
  beforeAll(async () => {
    server = await PerchServer.start({ env: { PHONES_PER_TEAM: "2", RUNNING_PER_TEAM: "1", WARM_PHONES: "0" } });
  });
  afterAll(() => server?.stop());

  it("are told with what to do, and nothing is made beyond them", async () => {
    const person = await ApiClient.create(server, "limits@example.org");
    const launch = () => person.mutate<Phone>("phones.launch", launchInput());
    const first = await launch();
    await expect(launch()).rejects.toMatchObject({ code: "limit_reached", message: expect.stringMatching(/Park one/) });
    await person.mutate("phones.park", { phoneId: first.id });
    const second = await launch();
    await person.mutate("phones.park", { phoneId: second.id });
    await expect(launch()).rejects.toMatchObject({
      code: "limit_reached",
      message: expect.stringMatching(/Remove one/),
    });
    expect((await person.query<Phone[]>("phones.list")).map(({ id }) => id).sort()).toEqual(
      [first.id, second.id].sort(),
    );
    expect(readdirSync(join(server.dataDir, "web-phones", "phones"))).toHaveLength(2);
  });
});

describe("a server that cannot start", () => {
  let root: string;
  let good: PerchServer;
  /** A database with its key, as a server left it. */
  let kept: string;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), "perch-e2e-start-"));
    good = await PerchServer.start({ env: { WARM_PHONES: "0", CHROME_PATH: "/nonexistent/chrome" } });
    kept = join(root, "kept");
    await ApiClient.create(good, "kept@example.org");
    await good.kill();
    mkdirSync(kept);
    for (const name of readdirSync(good.dataDir).filter((name) => name.startsWith("perch.db")))
      copyFileSync(join(good.dataDir, name), join(kept, name));
    copyFileSync(`${good.dataDir}.key`, join(root, "key"));
    await good.restart();
  });
  afterAll(async () => {
    await good?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  /** A fresh copy of what was kept. */
  const copy = (name: string): string => {
    const folder = join(root, name);
    mkdirSync(folder);
    for (const file of readdirSync(kept)) copyFileSync(join(kept, file), join(folder, file));
    return folder;
  };

  it("says that the port is taken, and leaves the first server alone", async () => {
    const data = join(root, "second");
    await refusesToStart({ PORT: String(good.port), DATA_DIR: data }, String(good.port), /PORT/);
    expect((await fetch(`${good.url}/healthz`)).status).toBe(200);
    expect(existsSync(data)).toBe(false);
    expect(existsSync(`${data}.key`)).toBe(false);
  });

  it.each([
    [{ PORT: "eighty" }, /PORT.*whole number/],
    [{ PHONE_DISK_MB: "0" }, /PHONE_DISK_MB/],
    [{ EGRESS_ALLOW: "everything" }, /EGRESS_ALLOW/],
    [{ PHONES_PER_TEEM: "3" }, /PHONES_PER_TEEM.*no such setting/],
    [{ HOST: "0.0.0.0" }, /PUBLIC_URL/],
  ])("names the setting in %j", (env, words) => refusesToStart({ DATA_DIR: join(root, "none"), ...env }, words));

  it("names the key file when it is another one, holds no key, or is missing", async () => {
    const data = copy("keys");
    const key = join(root, "other.key");
    writeFileSync(key, `${"ab".repeat(32)}\n`);
    await refusesToStart({ DATA_DIR: data, KEY_FILE: key }, /key/, /KEY_FILE/);
    writeFileSync(key, "not a key\n");
    await refusesToStart({ DATA_DIR: data, KEY_FILE: key }, key, /64 hexadecimal/);
    await refusesToStart({ DATA_DIR: data, KEY_FILE: join(root, "gone.key") }, /missing/, /KEY_FILE/);
    expect(existsSync(join(root, "gone.key"))).toBe(false);
    await refusesToStart({ DATA_DIR: data, KEY_FILE: root }, /KEY_FILE|key file/);
    await refusesToStart(
      { DATA_DIR: join(root, "unkeyed"), KEY_FILE: "/proc/perch/key" },
      /cannot be made/,
      /KEY_FILE/,
    );
  });

  it("says that the database is damaged, or was never encrypted", async () => {
    const damaged = copy("damaged");
    for (const name of readdirSync(damaged).filter((name) => /-(wal|shm)$/.test(name))) rmSync(join(damaged, name));
    writeFileSync(join(damaged, "perch.db"), Buffer.alloc(65_536, "damage"));
    await refusesToStart({ DATA_DIR: damaged, KEY_FILE: join(root, "key") }, /damaged/, /backup/);

    const plain = join(root, "plain");
    mkdirSync(plain);
    const db = new Sqlite(join(plain, "perch.db"));
    db.exec("create table t (x)");
    db.close();
    await refusesToStart({ DATA_DIR: plain, KEY_FILE: join(root, "key") }, /not encrypted/);
  });

  it("names DATA_DIR when it cannot be made or written", async () => {
    const file = join(root, "a-file");
    writeFileSync(file, "");
    await refusesToStart({ DATA_DIR: file, KEY_FILE: join(root, "key") }, /DATA_DIR/);
    await refusesToStart({ DATA_DIR: join(file, "data"), KEY_FILE: join(root, "key") }, /DATA_DIR/);
    // A place where nobody can make a folder, whatever its rights say.
    await refusesToStart({ DATA_DIR: "/proc/perch/data", KEY_FILE: join(root, "key") }, /DATA_DIR/);
    // Root may write everywhere.
    if (process.getuid?.() === 0) return;
    const closed = join(root, "closed");
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    await refusesToStart({ DATA_DIR: closed, KEY_FILE: join(root, "key") }, /DATA_DIR/);
  });
});
