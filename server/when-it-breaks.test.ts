/** What `docs/operators.md` says happens when something breaks: on real disks, sockets and databases, and back again. */
import { once } from "node:events";
import { rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../shared/accounts.ts";
import type { PhoneId } from "../shared/ids.ts";
import { uploadPath } from "../shared/uploads.ts";
import { ManualClock, systemClock } from "./clock.ts";
import { parseConfig } from "./config.ts";
import { dataFolder } from "./db/testing-run.ts";
import { startFakeS3 } from "./files/testing/fake-s3.ts";
import { createLog } from "./log.ts";
import { openWhenThere } from "./open-when-there.ts";
import { connect as openSocket, TestViewer, until } from "./screen/testing/client.ts";
import { smallDisk } from "./small-disk.fixture.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "./testing.ts";

const folder = dataFolder("perch-breaks-");
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let undo: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const one of undo.reverse()) await one();
  undo = [];
});

async function started(env: Record<string, string>): Promise<TestServer> {
  const server = await startTestServer({ DATA_DIR: join(folder, `data-${Math.random()}`), ...env });
  undo.push(() => server.dispose());
  return server;
}
const readyz = async ({ url }: TestServer) => {
  const answer = await fetch(`${url}/readyz`);
  const { checks } = (await answer.json()) as { checks: { name: string; state: string; says: string }[] };
  return { status: answer.status, of: Object.fromEntries(checks.map(({ name, state }) => [name, state])) };
};
const STEPS = "- tapOn: a button with a long name\n".repeat(2000);
const save = (server: TestServer, { token }: TestPerson, name: string) =>
  call(server, "mutation", "flows.save", { name, source: `appId: web\n---\n${STEPS}` }, token);
const names = async (server: TestServer, { token }: TestPerson) => {
  const answer = await call(server, "query", "flows.list", undefined, token);
  return answer.ok ? (answer.data as { name: string }[]).map(({ name }) => name) : answer.error;
};

const disk = smallDisk(24);
afterAll(() => disk?.remove());
describe.skipIf(disk === undefined)("a disk", () => {
  const { folder: small, fill, makeRoom, readOnly } = disk ?? { folder: "", fill() {}, makeRoom() {}, readOnly() {} };
  const env = { DATA_DIR: join(small, "data"), KEY_FILE: join(small, "key") };

  it("that is full refuses what would be written, in words, keeps what is there, and is over with room", async () => {
    const server = await started(env);
    const person = await signIn(server);
    expect(await save(server, person, "before")).toMatchObject({ ok: true });
    fill();
    let saved = 0;
    let refused = await save(server, person, "flow 0");
    for (; refused.ok; refused = await save(server, person, `flow ${saved}`)) saved += 1;
    expect(refused).toMatchObject({ status: 503, error: { code: "unavailable" } });
    expect(refused.error.message).toMatch(/disk is full. Nothing was saved/);
    expect(server.lines.find((line) => line.includes(refused.error.requestId))).toContain("database or disk is full");
    expect(await names(server, person)).toHaveLength(saved + 1);
    expect(await readyz(server)).toMatchObject({ status: 503, of: { database: "fail", disk: "fail" } });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    makeRoom();
    expect(await save(server, person, "after")).toMatchObject({ ok: true });
    await expect.poll(async () => (await readyz(server)).status, { timeout: 5_000 }).toBe(200);
    expect(await names(server, person)).toHaveLength(saved + 2);
    const pages = await server.db.pages();
    expect(pages?.length).toBeGreaterThan(0);
  });

  it("that only reads stops the start with a sentence that names the folder", async () => {
    readOnly();
    await expect(startTestServer(env)).rejects.toThrow(/cannot be made or written/);
  });
});

describe("a mail server that is away", () => {
  it("keeps nobody waiting, is warned of, and gets each mail once when it is back", async () => {
    const reserved = createServer().listen(0, "127.0.0.1");
    await once(reserved, "listening");
    const { port } = reserved.address() as AddressInfo;
    reserved.close();
    const server = await started({ SMTP_URL: `smtp://127.0.0.1:${port}` });
    const { mail } = server.accounts;
    await server.db.tx((tx) =>
      mail.queue(tx, { kind: "confirm", recipient: "a@x.example", data: { link: `${server.url}/confirm?token=t` } }),
    );
    mail.wake();
    await expect.poll(() => server.lines.join(""), { timeout: 5_000 }).toContain("mail.send");
    server.clock.advance(16 * 60_000);
    expect(await readyz(server)).toMatchObject({ status: 200, of: { mail: "warn", database: "ok" } });

    const letters: string[] = [];
    const back = createServer((socket) => {
      let inData = false;
      // Who has sent its mail hangs up, and may not have read the last answer.
      socket.on("error", () => {});
      socket.write("220 back\r\n");
      socket.setEncoding("utf8").on("data", (text: string) => {
        if (inData) {
          letters.push(text);
          inData = !text.includes("\r\n.\r\n");
          if (!inData) socket.write("250 taken\r\n");
        } else if (text.startsWith("DATA")) {
          inData = true;
          socket.write("354 go on\r\n");
        } else socket.write(text.startsWith("QUIT") ? "221 bye\r\n" : "250 ok\r\n");
      });
    }).listen(port, "127.0.0.1");
    await once(back, "listening");
    undo.push(() => void back.close());
    mail.wake();
    await expect.poll(async () => (await mail.counts()).sent, { timeout: 5_000 }).toBe(1);
    expect(letters.join("").match(/^Message-ID: /gim)).toHaveLength(1);
    await expect.poll(async () => (await readyz(server)).of["mail"], { timeout: 5_000 }).toBe("ok");
  });
});

describe("Stripe that is away", () => {
  it("sells nothing, says so with what to do, and phones go on", async () => {
    const server = await started({
      ...{ BILLING: "auto", STRIPE_SECRET_KEY: "sk_test_0123456789abcdef", STRIPE_WEBHOOK_SECRET: "whsec_0123456789" },
      STRIPE_API_BASE: "http://127.0.0.1:9",
    });
    const { token } = await signIn(server);
    const shown = { amount: 1_200, currency: "usd" };
    const input = { buy: { kind: "plan", plan: "solo", cycle: "month" }, shown, idempotencyKey: "buy-a-plan" };
    const bought = await call(server, "mutation", "billing.checkout", input, token);
    expect(bought).toMatchObject({ ok: false, status: 503, error: { code: "unavailable" } });
    expect(await call(server, "query", "billing.summary", undefined, token)).toMatchObject({ ok: true });
    const launched = await call(server, "mutation", "phones.launch", { idempotencyKey: "phone-one" }, token);
    expect(launched).toMatchObject({ ok: true, data: { state: "running" } });
    expect(await readyz(server)).toMatchObject({ status: 200 });
  });
});

describe("the file storage that is away", () => {
  it("refuses what needs it in words, keeps nobody else waiting, and is used again when it is back", async () => {
    const storage = await startFakeS3(new ManualClock());
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = storage.access;
    const server = await started({
      ...{ S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket },
      ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey },
    });
    undo.push(() => storage.close());
    const person = await signIn(server);
    const ask = async <T>(type: "query" | "mutation", path: string, input?: unknown) => {
      const answer = await call(server, type, path, input, person.token);
      if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
      return answer.data as T;
    };
    const phone = await ask<{ id: string }>("mutation", "phones.launch", { idempotencyKey: "phone-one" });
    const open = () =>
      ask<{ id: string }>("mutation", "phones.openUpload", {
        ...{ phoneId: phone.id, purpose: "file", name: "a.txt", bytes: 4 },
      });
    const send = (upload: { id: string }, signal?: AbortSignal) =>
      fetch(`${server.url}${uploadPath(phone.id, upload.id)}`, {
        method: "PATCH",
        headers: {
          ...{ authorization: `Bearer ${person.token}`, origin: `chrome-extension://${CHROME_EXTENSION_ID}` },
          ...{ "content-type": "application/offset+octet-stream", "upload-offset": "0" },
        },
        body: "text",
        ...(signal && { signal }),
      });

    const upload = await open();
    storage.meddle = () => "down";
    const refused = await send(upload);
    expect([refused.status, await refused.text()]).toEqual([503, expect.stringContaining("Try again in a moment")]);
    // It takes calls and answers none: whoever needs it waits, nobody else does.
    storage.meddle = () => "silent";
    const leave = new AbortController();
    const asked = storage.calls.length;
    const waits = send(upload, leave.signal).catch(() => "left");
    await expect.poll(() => storage.calls.length).toBeGreaterThan(asked);
    expect(await save(server, person, "meanwhile")).toMatchObject({ ok: true });
    await ask("mutation", "phones.park", { phoneId: phone.id });
    expect(await ask("query", "phones.list")).toMatchObject([{ id: phone.id, state: "parked" }]);
    await ask("mutation", "phones.start", { phoneId: phone.id });
    expect(await readyz(server)).toMatchObject({ status: 200 });
    leave.abort();
    expect(await waits).toBe("left");

    storage.meddle = undefined;
    expect((await send(await open())).headers.get("upload-offset")).toBe("4");
  });
});

describe("a viewer whose network was cut", () => {
  it("is let go at the third silence, and one that answers is not", async () => {
    const server = await started({});
    const person = await signIn(server);
    const launched = await call(server, "mutation", "phones.launch", { idempotencyKey: "phone-one" }, person.token);
    if (!launched.ok) throw new Error(launched.error.message);
    const { id: phoneId } = launched.data as { id: string };
    const view = async () => {
      const answer = await call(server, "mutation", "screen.ticket", { phoneId, mode: "view" }, person.token);
      if (!answer.ok) throw new Error(answer.error.message);
      const { ticket } = answer.data as { ticket: string };
      const origin = `chrome-extension://${CHROME_EXTENSION_ID}`;
      const viewer = await openSocket({ port: server.port, origin, ticket });
      if (!(viewer instanceof TestViewer)) throw new Error(viewer.message);
      undo.push(() => viewer.socket.terminate());
      await until(() => viewer.frames.length > 0, "a picture");
      // What it acknowledged has arrived: it owes nothing, so that it is not too slow.
      const answered = once(viewer.socket, "pong");
      viewer.socket.ping();
      await answered;
      return viewer;
    };
    const [cut, whole] = [await view(), await view()];
    // Its end of the connection stays open, and nothing is read or answered there.
    cut.socket.pause();
    let pings = 0;
    whole.socket.on("ping", () => {
      pings += 1;
    });
    for (let silence = 1; silence <= 3; silence += 1) {
      expect(server.screen.viewers(phoneId as PhoneId)).toBe(2);
      server.clock.advance(15_000);
      if (silence < 3) await expect.poll(() => pings).toBe(silence);
    }
    await expect.poll(() => server.screen.viewers(phoneId as PhoneId)).toBe(1);
    expect(whole.closed).toBeUndefined();
  });
});

/** A way to the database that can be closed and cut. */
async function wayTo(to: URL) {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  const at = createServer().listen(0, "127.0.0.1");
  await once(at, "listening");
  const { port } = at.address() as AddressInfo;
  at.close();
  return {
    url: `postgres://${to.username}@127.0.0.1:${port}${to.pathname}`,
    async open() {
      server = createServer((near) => {
        const far = connect({ host: to.hostname, port: Number(to.port) });
        for (const [one, other] of [
          [near, far],
          [far, near],
        ] as const) {
          sockets.add(one);
          one.on("error", () => {}).on("close", () => other.destroy());
          one.pipe(other);
        }
      }).listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    cut() {
      server?.close();
      for (const one of sockets) one.destroy();
      sockets.clear();
    },
  };
}

const url = process.env["TEST_DATABASE_URL"];
describe.skipIf(url === undefined)("a PostgreSQL server that is away", () => {
  const name = `perch_breaks_${process.pid}`;
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  afterAll(() => admin(`drop database if exists ${name} with (force)`));

  it("is waited for at the start, told of while it is gone, and used again when it is back", async () => {
    await admin(`create database ${name}`);
    const to = new URL(url ?? "");
    to.pathname = `/${name}`;
    const way = await wayTo(to);
    undo.push(() => way.cut());
    const starting = started({ DATABASE_URL: way.url });
    await new Promise((resolve) => setImmediate(resolve));
    await way.open();
    const server = await starting;
    const person = await signIn(server);
    expect(server.lines.join("")).toContain("The database answers now");
    expect(await save(server, person, "before")).toMatchObject({ ok: true });
    expect(await readyz(server)).toMatchObject({ status: 200 });

    way.cut();
    const refused = await save(server, person, "meanwhile");
    if (refused.ok) throw new Error("It was saved nowhere.");
    expect(refused).toMatchObject({ status: 503, error: { code: "unavailable" } });
    expect(refused.error.message).toBe("The database does not answer at present. Try again in a moment.");
    expect(await names(server, person)).toMatchObject({ code: "unavailable" });
    // More than the pool has connections: none of them is lost.
    const many = Array.from({ length: 15 }, (_, n) => save(server, person, `meanwhile ${n}`));
    for (const one of await Promise.all(many)) expect(one).toMatchObject({ ok: false });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await expect.poll(async () => (await readyz(server)).of["database"], { timeout: 5_000 }).toBe("fail");
    const page = await fetch(`${server.url}/connect`, { headers: { cookie: `perch_web=cp_${"x".repeat(43)}` } });
    expect(page.status).toBeLessThanOrEqual(503);

    await way.open();
    await expect.poll(async () => (await readyz(server)).status, { timeout: 10_000 }).toBe(200);
    expect(await names(server, person)).toEqual(["before"]);
    expect(await save(server, person, "after")).toMatchObject({ ok: true });
  });

  it("that refuses the password stops the start at once", async () => {
    const wrong = new URL(url ?? "");
    wrong.pathname = "/there_is_no_such_database";
    const config = parseConfig({ DATABASE_URL: wrong.href, DATA_DIR: join(folder, "wrong"), BILLING: "off" });
    const lines: string[] = [];
    const log = createLog({ clock: systemClock, write: (line) => lines.push(line) });
    await expect(openWhenThere(config, { clock: systemClock, log })).rejects.toThrow("refuses the connection");
    expect(lines).toEqual([]);
  });
});

describe("a database that does not come", () => {
  it("ends the start in the end, with one line meanwhile", async () => {
    const lines: string[] = [];
    const log = createLog({ clock: systemClock, write: (line) => lines.push(line) });
    const config = parseConfig({
      ...{ DATABASE_URL: "postgres://perch:hunter22@127.0.0.1:9/perch", BILLING: "off" },
      DATA_DIR: join(folder, "never"),
    });
    const opening = openWhenThere(config, { clock: systemClock, log }, { againMs: 5, patienceMs: 60 });
    await expect(opening).rejects.toThrow(/does not answer or refuses/);
    expect(lines).toHaveLength(1);
    expect(lines.join("")).toMatch(/does not answer yet/);
    expect(lines.join("")).not.toContain("hunter22");
  });
});
