import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { ANON_KEY, FakeGoTrue, SERVICE_KEY } from "../accounts/supabase/testing/fake-gotrue.ts";
import { STRIPE_API_VERSION } from "../billing/stripe/stripe-client.ts";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { startFakeS3 } from "../files/testing/fake-s3.ts";
import { lookedAt, outsideChecks } from "../health/outside.ts";
import { adbVerdict, dockerVerdict, scrcpyVerdict } from "./androids.ts";
import { diagnose, ok } from "./diagnosis.ts";
import { fontsVerdict, memoryVerdict, nodeVerdict, sandboxVerdict } from "./machine.ts";
import {
  clockVerdict,
  databaseVerdict,
  type HeardClock,
  mailVerdict,
  storageVerdict,
  stripeVerdict,
  supabaseVerdict,
  tracesVerdict,
} from "./services.ts";

const folder = mkdtempSync(join(tmpdir(), "perch-doctor-services-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
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

describe("what files and sign-ins lean on", () => {
  const clock = new ManualClock(Date.now());
  const monotonic = { now: () => clock.now() };

  it("is a bucket, which the doctor and readiness ask for something that is not there, a minute apart", async () => {
    const fake = await startFakeS3(clock);
    const s3 = { access: fake.access, prefix: "perch" };
    expect(await storageVerdict({ s3: undefined }, clock, signal)).toBeUndefined();
    expect(await storageVerdict({ s3 }, clock, signal)).toMatchObject({ state: "ok" });
    expect(fake.objects.size).toBe(0);
    const wrongKey = { ...s3, access: { ...fake.access, secretAccessKey: "another" } };
    expect(await storageVerdict({ s3: wrongKey }, clock, signal)).toMatchObject({ state: "fail" });
    for (const asSupabase of [false, true]) {
      fake.asSupabase = asSupabase;
      const found = await storageVerdict({ s3: { ...s3, access: { ...fake.access, bucket: "else" } } }, clock, signal);
      expect(found).toMatchObject({ state: "fail", says: expect.stringContaining("no such bucket") });
    }
    const { storage = () => ["fail", ""] as const } = outsideChecks({ s3, supabase: undefined }, clock, { monotonic });
    expect(await storage(signal)).toEqual(["ok", "The bucket answers."]);
    await fake.close();
    expect(await storage(signal)).toEqual(["ok", "The bucket answers."]);
    clock.advance(61_000);
    const later = await storage(signal);
    expect(later[0]).toBe("warn");
    expect(await storageVerdict({ s3 }, clock, signal)).toMatchObject({ state: "fail" });
  }, 15_000);

  it("is a Supabase project, which has to answer and to take both keys", async () => {
    const fake = new FakeGoTrue(clock);
    await fake.start();
    const supabase = { url: fake.url, serviceKey: SERVICE_KEY, anonKey: ANON_KEY, passesAddress: false };
    expect(await supabaseVerdict({ supabase: undefined }, clock)).toBeUndefined();
    expect(await supabaseVerdict({ supabase }, clock)).toMatchObject({ state: "ok" });
    const found = await supabaseVerdict({ supabase: { ...supabase, serviceKey: "another" } }, clock);
    expect(found).toMatchObject({ state: "fail", says: expect.stringContaining("SUPABASE_SERVICE_ROLE_KEY") });
    const checks = outsideChecks({ s3: undefined, supabase }, clock, { monotonic });
    expect(await checks["sign-in"]?.(signal)).toEqual(["ok", "Supabase answers."]);
    fake.fault = () => ({ status: 503 });
    clock.advance(61_000);
    expect(await checks["sign-in"]?.(signal)).toEqual(["warn", "Supabase does not answer."]);
    await fake.close();
    expect(await supabaseVerdict({ supabase }, clock)).toMatchObject({ state: "fail" });
  });

  it("keeps nobody waiting who asks how the server is", async () => {
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<readonly ["ok", string]>();
    const check = lookedAt(
      () => {
        asked += 1;
        return promise;
      },
      { monotonic, patienceMs: 5 },
    );
    expect(await Promise.all([check(), check()])).toEqual([
      ["warn", "No answer yet."],
      ["warn", "No answer yet."],
    ]);
    resolve(["ok", "It answers."]);
    await promise;
    expect(await check()).toEqual(["ok", "It answers."]);
    expect(asked).toBe(1);
  });
});

describe("mail, as the doctor sees it", () => {
  /** A mail server of RFC 5321 that asks for a password, as the ones of RFC 4954 do. */
  const mailServer = (said: string[], password: string) =>
    createServer((socket) => {
      socket.on("error", () => {});
      socket.write("220 mail.example\r\n");
      socket.setEncoding("utf8").on("data", (line: string) => {
        said.push(line);
        const [verb] = line.split(/\s/);
        const right = line.includes(Buffer.from(`\0anna\0${password}`).toString("base64"));
        const answers: Record<string, string> = { EHLO: "250-mail\r\n250 AUTH PLAIN", QUIT: "221 bye" };
        socket.write(`${verb === "AUTH" ? (right ? "235 ok" : "535 no") : (answers[verb ?? ""] ?? "250 ok")}\r\n`);
      });
    });

  it("is greeted and signed in to, and nothing is sent", async () => {
    const said: string[] = [];
    const port = await listen(mailServer(said, "hunter22"));
    const found = await mailVerdict({ SMTP_URL: `smtp://anna:hunter22@127.0.0.1:${port}` }, true);
    expect(found).toMatchObject({ state: "ok", says: expect.stringContaining("Nothing was sent") });
    expect(said.join("")).not.toMatch(/MAIL FROM|RCPT|DATA/);
  });
  it("fails where it is not there or refuses the password, which is not shown", async () => {
    const port = await listen(mailServer([], "another"));
    const refused = await mailVerdict({ SMTP_URL: `smtp://anna:hunter22@127.0.0.1:${port}` }, true);
    expect(refused).toMatchObject({ state: "fail", todo: "Correct user and password in SMTP_URL." });
    expect(JSON.stringify(refused)).not.toContain("hunter22");
    expect(await mailVerdict({ SMTP_URL: "smtp://127.0.0.1:1" }, true)).toMatchObject({ state: "fail" });
    expect(await mailVerdict({ SMTP_URL: undefined }, true)).toMatchObject({ state: "warn" });
  });
});

describe("Stripe, as the doctor sees it", () => {
  const webhook = (more: object) => ({
    ...{ id: "we_1", object: "webhook_endpoint", url: "http://localhost:8787/webhooks/stripe", status: "enabled" },
    ...{ api_version: STRIPE_API_VERSION, ...more },
  });
  /** Answers as docs.stripe.com/api has it: lists, and errors with their type. */
  const stripe =
    (status: number, endpoints: object[] | "forbidden", date: Date): RequestListener =>
    (request, answer) => {
      const isHooks = request.url?.startsWith("/v1/webhook_endpoints") === true;
      const code = isHooks && endpoints === "forbidden" ? 403 : status;
      const error = { type: "invalid_request_error", message: "The provided key 'rk_test_***' does not have access." };
      const list = { object: "list", data: isHooks ? endpoints : [], has_more: false, url: request.url };
      answer
        .writeHead(code, { "Content-Type": "application/json", Date: date.toUTCString() })
        .end(JSON.stringify(code === 200 ? list : { error }));
    };
  const clock = new ManualClock();
  const look = async (status: number, endpoints: object[] | "forbidden", heard: HeardClock[] = []) => {
    const port = await listen(createHttpServer(stripe(status, endpoints, new Date(clock.now() - 9_000))));
    const config = parseConfig({
      ...{ STRIPE_SECRET_KEY: "sk_test_0123456789abcdef", STRIPE_WEBHOOK_SECRET: "whsec_0123456789" },
      ...{ STRIPE_API_BASE: `http://127.0.0.1:${port}` },
    });
    return stripeVerdict(config, clock, (one) => void heard.push(one));
  };
  it.each([
    ["a key it takes, with its webhook", 200, [webhook({})], "ok", "The webhook is there"],
    ["a key that may not read webhooks", 200, "forbidden", "ok", "not checked"],
    ["no webhook", 200, [webhook({ url: "https://other.example" })], "fail", "missing"],
    ["a webhook that was switched off", 200, [webhook({ status: "disabled" })], "warn", "disabled"],
    ["a webhook of another version", 200, [webhook({ api_version: "2020-01-01" })], "warn", "other version"],
    ["a key it does not know", 401, [], "fail", "does not know the key"],
    ["a restricted key that lacks prices", 403, [], "fail", "may not read prices"],
  ] as const)("is told of %s", async (_what, status, endpoints, state, words) => {
    const found = await look(status, endpoints === "forbidden" ? endpoints : [...endpoints]);
    expect(found).toMatchObject({ state, says: expect.stringContaining(words) });
  });
  it("lends its clock", async () => {
    const heard: HeardClock[] = [];
    await look(200, [webhook({})], heard);
    expect(clockVerdict(heard)).toMatchObject({
      ...{ state: "warn", says: "This clock is 9 s ahead of that of Stripe." },
    });
  });
  it("is away, and is nothing where nobody is billed", async () => {
    const keys = { STRIPE_SECRET_KEY: "sk_test_0123456789abcdef", STRIPE_WEBHOOK_SECRET: "whsec_0123456789" };
    const gone = parseConfig({ ...keys, STRIPE_API_BASE: "http://127.0.0.1:1" });
    expect(await stripeVerdict(gone, clock, () => {})).toMatchObject({ state: "fail" });
    expect(await stripeVerdict(parseConfig({}), clock, () => {})).toBeUndefined();
  });
});

describe("clocks", () => {
  const heard = (ms: number) => [{ of: "the database", theirs: 1_000_000 + ms, ours: 1_000_000 }];
  it.each([
    [900, "ok"],
    [-5_000, "warn"],
    [31_000, "fail"],
  ])("%i ms apart are %s", (ms, state) => expect(clockVerdict(heard(ms)).state).toBe(state));
});

describe("what Android needs, as the doctor sees it", () => {
  it("an ADB server answers in its own words", async () => {
    const said: string[] = [];
    const adb = createServer((socket) =>
      socket.on("data", (bytes) => {
        said.push(bytes.toString());
        socket.end("OKAY00040029");
      }),
    );
    const at = { host: "127.0.0.1", port: await listen(adb) };
    expect(await adbVerdict({ ADB_SERVER: at }, signal)).toMatchObject({ state: "ok" });
    expect(said).toEqual(["000Chost:version"]);
    const other = { host: "127.0.0.1", port: await listen(createServer((socket) => socket.end("HTTP/1.1 400\r\n"))) };
    expect(await adbVerdict({ ADB_SERVER: other }, signal)).toMatchObject({ state: "warn" });
    expect(await adbVerdict({ ADB_SERVER: { host: "127.0.0.1", port: 1 } }, signal)).toMatchObject({ state: "ok" });
  });
  it("a Docker Engine says its version, or why it cannot be asked", async () => {
    const socket = join(folder, "docker.sock");
    const engine = createHttpServer((_request, answer) =>
      answer
        .writeHead(200, { "Content-Type": "application/json" })
        .end(JSON.stringify({ Version: "27.3.1", ApiVersion: "1.47", Os: "linux" })),
    ).listen(socket);
    servers.push(engine);
    await once(engine, "listening");
    const docker = (DOCKER_HOST: string, ANDROID_IMAGES?: string) =>
      dockerVerdict({ DOCKER_HOST, DOCKER_CERT_PATH: undefined, ANDROID_IMAGES });
    expect(await docker(`unix://${socket}`, "images.json")).toMatchObject({
      ...{ state: "ok", says: expect.stringContaining("27.3.1, API 1.47") },
    });
    expect(await docker(`unix://${socket}`)).toMatchObject({ state: "warn" });
    expect(await docker(`unix://${folder}/none.sock`)).toMatchObject({ state: "fail" });
    expect(await docker("tcp://docker.example:2376")).toMatchObject({ says: expect.stringContaining("certificates") });
  });
  it("scrcpy's server has to be the file it is said to be", async () => {
    expect(await scrcpyVerdict({ SCRCPY_SERVER_PATH: undefined, SCRCPY_SERVER_SHA256: undefined })).toBeUndefined();
    const other = { SCRCPY_SERVER_PATH: import.meta.filename, SCRCPY_SERVER_SHA256: undefined };
    expect(await scrcpyVerdict(other)).toMatchObject({ state: "fail", says: expect.stringContaining("SHA-256") });
  });
});

describe("the machine, as the doctor sees it", () => {
  it.each([
    ["24.21.0", "ok"],
    ["22.0.0", "fail"],
  ])("Node %s is %s", (version, state) => expect(nodeVerdict(version).state).toBe(state));

  const GB = 1024 ** 3;
  const config = parseConfig({ RUNNING_PHONES: "20", PHONE_MEMORY_MB: "1024" });
  it("memory has to hold the phones, within the container's limit", () => {
    expect(memoryVerdict(config, { total: 64 * GB, free: 32 * GB, limit: 0 }).state).toBe("ok");
    expect(memoryVerdict(config, { total: 64 * GB, free: 32 * GB, limit: 4 * GB })).toMatchObject({
      ...{ state: "warn", todo: expect.stringContaining("RUNNING_PHONES to about 10") },
    });
    expect(memoryVerdict(config, { total: 8 * GB, free: GB / 10, limit: 0 }).state).toBe("warn");
  });

  const on = { PHONE_SANDBOX: "on" } as const;
  const kernel = (values: Record<string, string>) => async (file: string) => {
    const value = Object.entries(values).find(([name]) => file.endsWith(name))?.[1];
    if (value === undefined) throw new Error("ENOENT");
    return `${value}\n`;
  };
  it.skipIf(process.platform !== "linux")("the sandbox needs namespaces of its own", async () => {
    const fine = async () => {};
    expect(await sandboxVerdict(on, kernel({ unprivileged_userns_clone: "1" }), fine)).toMatchObject({ state: "ok" });
    expect(await sandboxVerdict(on, kernel({ unprivileged_userns_clone: "0" }), fine)).toMatchObject({
      ...{ state: "fail", todo: expect.stringContaining("sysctl -w kernel.unprivileged_userns_clone=1") },
    });
    expect(await sandboxVerdict(on, kernel({ apparmor_restrict_unprivileged_userns: "1" }), fine)).toMatchObject({
      ...{ state: "fail" },
    });
    const refused = () => Promise.reject(new Error("unshare failed: Operation not permitted"));
    expect(await sandboxVerdict(on, kernel({}), refused)).toMatchObject({ state: "fail" });
    expect(await sandboxVerdict({ PHONE_SANDBOX: "off" })).toMatchObject({ state: "warn" });
  });

  it("fonts for CJK and emoji are missed by name", async () => {
    expect((await fontsVerdict(async () => "Noto Sans CJK JP")).state).toBe("ok");
    expect(await fontsVerdict(async (asked) => (asked === ":lang=ja" ? "Noto" : ""))).toMatchObject({
      ...{ state: "warn", todo: "Install fonts-noto-color-emoji, then start the server anew." },
    });
    const noProgram = () => Promise.reject(new Error("spawn fc-list ENOENT"));
    expect(await fontsVerdict(noProgram)).toMatchObject({ todo: expect.stringContaining("fontconfig") });
  });
});

describe("databases, as the doctor sees them", () => {
  const look = (DATABASE_URL: string, heard: HeardClock[] = []) =>
    databaseVerdict(parseConfig({ DATABASE_URL, BILLING: "off" }), new ManualClock(Date.now()), (one) =>
      heard.push(one),
    );
  it("are missed where none answers, and nothing of the password is shown", async () => {
    const found = await look("postgres://anna:hunter22@127.0.0.1:1/perch");
    expect(found).toMatchObject({ state: "fail", says: expect.stringContaining("ECONNREFUSED") });
    expect(JSON.stringify(found)).not.toContain("hunter22");
  });
  const url = process.env["TEST_DATABASE_URL"];
  it.skipIf(url === undefined)("tell version, tables and time", async () => {
    const heard: HeardClock[] = [];
    const found = await look(url ?? "", heard);
    expect(found).toMatchObject({ state: "ok", says: expect.stringMatching(/^PostgreSQL \d+/) });
    expect(clockVerdict(heard).state).toBe("ok");
  });
});

describe("one check", () => {
  it("that hangs or throws is a finding, and the others go on", async () => {
    const found = await diagnose(
      {
        hangs: () => new Promise(() => {}),
        throws: () => Promise.reject(new Error("it\nbroke")),
        absent: () => undefined,
        fine: () => ok("Fine."),
      },
      30,
    );
    expect(found).toMatchObject([
      { name: "hangs", state: "fail", says: expect.stringContaining("No answer within") },
      { name: "throws", state: "fail", says: "it broke" },
      { name: "fine", state: "ok" },
    ]);
  });
  it("of the collector of traces is a connection and no more", async () => {
    const port = await listen(createServer());
    const at = (endpoint: string | undefined) => tracesVerdict({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, signal);
    expect(await at(`http://127.0.0.1:${port}`)).toMatchObject({ state: "ok" });
    expect(await at("http://127.0.0.1:1")).toMatchObject({ state: "warn" });
    expect(await at(undefined)).toBeUndefined();
  });
});
