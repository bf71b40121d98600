/** The contract of identity providers, told to GoTrue itself. Runs where `npm run test:counterparts` has built and started one. */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "../../clock.ts";
import { testSqlite } from "../../db/testing.ts";
import { createJobsRepo } from "../../jobs/jobs.repo.ts";
import { silentLog } from "../../log.ts";
import { createAccountsRepo } from "../accounts.repo.ts";
import { CONTRACT_URL, identityProviderContract } from "../identity-provider.contract.ts";
import { createOneTimeTokensRepo } from "../one-time-tokens.repo.ts";
import { createPasswords } from "../passwords.ts";
import { createSupabaseParts } from "./compose.ts";
import { asAdmin, failuresContract } from "./failures.contract.ts";
import { createGoTrue } from "./gotrue.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { Gateway } from "./testing/gateway.ts";
import { createTransport } from "./transport.ts";

const target = process.env["TEST_GOTRUE_URL"];
const port = Number(process.env["TEST_GOTRUE_GATEWAY_PORT"] ?? 1);
const serviceKey = process.env["TEST_GOTRUE_SERVICE_KEY"] ?? "";
const anonKey = process.env["TEST_GOTRUE_ANON_KEY"] ?? "";
const clockFile = process.env["TEST_GOTRUE_CLOCK"] ?? "";

/** GoTrue's own clock stands where this one does. */
class SharedClock extends ManualClock {
  constructor() {
    super(Date.now());
    if (clockFile !== "") this.#write();
  }
  override advance(ms: number): void {
    super.advance(ms);
    this.#write();
  }
  /** In place: the service has the file in its memory. */
  #write(): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(this.now()));
    const file = openSync(clockFile, "r+");
    writeSync(file, bytes, 0, 8, 0);
    closeSync(file);
  }
}

describe.skipIf(target === undefined)("against GoTrue", () => {
  const clock = new SharedClock();
  const gateway = new Gateway(new URL(target ?? "http://127.0.0.1"), [serviceKey, anonKey]);
  beforeAll(() => gateway.listen(port));
  afterAll(() => gateway.close());

  identityProviderContract("supabase", {
    clock,
    takesNextCode: true,
    make: (db) =>
      createSupabaseParts({
        ...{ db, clock, log: silentLog, publicUrl: CONTRACT_URL, factorsKey: randomBytes(32), wrongAnswerMs: 0 },
        ...{
          repo: createAccountsRepo(db, clock),
          tokens: createOneTimeTokensRepo(db, clock),
          jobs: createJobsRepo(db, clock),
        },
        passwords: createPasswords({ memoryCost: 8, timeCost: 1, parallelism: 1 }),
        project: { url: `http://127.0.0.1:${port}`, serviceKey, anonKey, passesAddress: false },
      }).identity,
  });

  const url = `http://127.0.0.1:${port}`;
  failuresContract("GoTrue", [testSqlite], () => Object.assign(gateway, { url, serviceKey, anonKey, clock }));

  const PASSWORD = "blaue gurken tanzen";
  const transport = createTransport(url);
  afterAll(() => transport.close());
  const gotrue = createGoTrue({
    ...{ url: `${url}/auth/v1`, fetch: transport.fetch, clock, serviceKey, anonKey, passesAddress: true },
  });
  const id = () => crypto.randomUUID();

  it("counts sign-ins by the address that is passed on", async () => {
    await gotrue.create({ id: id(), email: "counted@x.example", password: PASSWORD });
    const signIn = (ip: string) => gotrue.signIn("counted@x.example", PASSWORD, ip);
    let answers = 0;
    await expect(
      (async () => {
        for (; answers < 100; answers += 1) await signIn("192.0.2.1");
      })(),
    ).rejects.toMatchObject({ code: "rate_limited" });
    expect(answers).toBeGreaterThan(0);
    expect(await signIn("192.0.2.2")).toBeDefined();
  });

  it("gives an address to one person alone, and says so in its own way", async () => {
    const [one, two] = [id(), id()];
    await gotrue.create({ id: one, email: "one@x.example", password: PASSWORD });
    await gotrue.create({ id: two, email: "two@x.example", password: PASSWORD });
    expect(await gotrue.create({ id: id(), email: "ONE@x.example", password: PASSWORD })).toBe("taken");
    expect(await gotrue.setEmail(two, "one@x.example")).toBe("taken");
    const raw = await asAdmin(Object.assign(gateway, { url, serviceKey, anonKey, clock }), "PUT", `/users/${two}`, {
      email: "one@x.example",
    });
    expect(raw.status).toBe(500);
    expect(await gotrue.setEmail(id(), "three@x.example")).toBe("gone");
    expect(await gotrue.setPassword(id(), PASSWORD)).toBe(false);
    await expect(gotrue.create({ id: id(), email: "no address", password: PASSWORD })).rejects.toMatchObject({
      code: "bad_input",
    });
    await expect(gotrue.setPassword(one, "short")).rejects.toMatchObject({ code: "bad_input" });
  });

  it("publishes the key it signs with, and none for a project with its legacy secret", async () => {
    const keysOf = (address: string, issuer: string) =>
      createSigningKeys({ issuer, apiKey: anonKey, fetch: createTransport(address).fetch, clock, log: silentLog });
    expect(await keysOf(url, `${url}/auth/v1`).look()).toBe("some");
    const legacy = process.env["TEST_GOTRUE_LEGACY_URL"] ?? "";
    expect(await keysOf(legacy, legacy).look()).toBe("none");
    expect(await gotrue.refusedKey()).toBeUndefined();
    const impostor = { url: `${url}/auth/v1`, fetch: transport.fetch, clock, passesAddress: false };
    expect(await createGoTrue({ ...impostor, serviceKey: anonKey, anonKey }).refusedKey()).toBe(
      "SUPABASE_SERVICE_ROLE_KEY",
    );
  });

  it("keeps nothing of a person who was removed, in no table and no row", async () => {
    const email = "canary-of-erasure@x.example";
    const person = id();
    await gotrue.create({ id: person, email, password: PASSWORD });
    await gotrue.signIn(email, PASSWORD, "192.0.2.77");
    const client = new pg.Client({ connectionString: process.env["TEST_GOTRUE_DATABASE_URL"] });
    await client.connect();
    const found = async () => {
      const tables = await client.query<{ name: string }>(
        "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'auth' and table_type = 'BASE TABLE'",
      );
      expect(tables.rows.length).toBeGreaterThan(15);
      const hits: string[] = [];
      for (const { name } of tables.rows) {
        const { rows } = await client.query<{ row: string }>(`select t::text as row from auth.${name} t`);
        if (rows.some(({ row }) => row.includes("canary-of-erasure") || row.includes(person))) hits.push(name);
      }
      return hits.sort();
    };
    expect(await found()).toEqual(expect.arrayContaining(["identities", "sessions", "users"]));
    await gotrue.remove(person);
    expect(await found()).toEqual([]);
    await client.end();
  });
});
