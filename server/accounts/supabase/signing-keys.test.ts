/** What is believed of the sign-in service, and for how long its keys are kept. */
import { generateKeyPair } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../clock.ts";
import { createLog } from "../../log.ts";
import { createGoTrue } from "./gotrue.ts";
import { createSigningKeys, type SigningKeys } from "./signing-keys.ts";
import { ANON_KEY, FakeGoTrue, SERVICE_KEY } from "./testing/fake-gotrue.ts";
import { createTransport, type Transport } from "./transport.ts";

const MINUTE_MS = 60_000;
const PASSWORD = "blaue gurken tanzen";

describe("tokens of the sign-in service", () => {
  let clock: ManualClock;
  let fake: FakeGoTrue;
  let transport: Transport;
  let keys: SigningKeys;
  let lines: string[];
  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    fake = await new FakeGoTrue(clock).start();
    transport = createTransport(fake.url);
    lines = [];
    const log = createLog({ clock, write: (line) => lines.push(line) });
    keys = createSigningKeys({ issuer: `${fake.url}/auth/v1`, apiKey: ANON_KEY, fetch: transport.fetch, clock, log });
    await gotrue().create({ id: "11111111-2222-4333-8444-555555555555", email: "a@x.example", password: PASSWORD });
  });
  afterEach(async () => {
    transport.close();
    await fake.close();
  });

  const gotrue = () =>
    createGoTrue({
      ...{ url: `${fake.url}/auth/v1`, serviceKey: SERVICE_KEY, anonKey: ANON_KEY, passesAddress: false },
      ...{ fetch: transport.fetch, clock },
    });
  const token = async () => (await gotrue().signIn("a@x.example", PASSWORD))?.accessToken ?? "";
  const refused = async (accessToken: string) => {
    await expect(keys.verify(accessToken)).rejects.toMatchObject({ code: "unavailable" });
    expect(lines.join("")).not.toContain("a@x.example");
  };
  const looks = () => fake.calls.filter((call) => call.includes("jwks")).length;

  it("say who it is and how sure that is", async () => {
    expect(await keys.verify(await token())).toEqual({ subject: "11111111-2222-4333-8444-555555555555", aal: "aal1" });
    await fake.rotate();
    expect(await keys.look()).toBe("some");
  });

  it.each([
    ["another maker", { iss: "https://evil.example/auth/v1" }],
    ["another reader", { aud: "anon" }],
    ["no assurance", { aal: undefined }],
    ["an assurance that is not known", { aal: "aal3" }],
    ["nobody", { sub: undefined }],
    ["a visitor without an account", { is_anonymous: true }],
    ["a time that is over", { exp: 1 }],
  ])("of %s are not believed", async (_what, claims) => {
    fake.forge = { claims };
    await refused(await token());
  });

  it("signed with another key, or with the published key as a secret, are not believed", async () => {
    const good = await token();
    const { privateKey } = await generateKeyPair("ES256");
    fake.forge = { key: privateKey };
    await refused(await token());
    fake.forge = { alg: "HS256", key: Buffer.from("the older secret of the project, 32 bytes") };
    await refused(await token());
    expect(lines.join("")).toContain("ERR_JOSE_ALG_NOT_ALLOWED");
    const [header = "", payload = ""] = good.split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
    await refused(`${none}.${payload}.`);
    await refused(`${header}.${Buffer.from('{"sub":"x"}').toString("base64url")}.${good.split(".")[2]}`);
    fake.forge = {};
    expect(await keys.verify(await token())).toMatchObject({ aal: "aal1" });
  });

  it("of a clock that goes a minute wrong are believed, and no more", async () => {
    fake.skewSeconds = -3_600 - 55;
    expect(await keys.verify(await token())).toMatchObject({ aal: "aal1" });
    fake.skewSeconds = -3_600 - 65;
    await refused(await token());
    fake.forge = { claims: { nbf: Math.floor(clock.now() / 1_000) + 55 } };
    fake.skewSeconds = 0;
    expect(await keys.verify(await token())).toMatchObject({ aal: "aal1" });
    fake.forge = { claims: { nbf: Math.floor(clock.now() / 1_000) + 65 } };
    await refused(await token());
  });

  it("are checked with keys that are kept for ten minutes, and then no longer without the service", async () => {
    await keys.verify(await token());
    const later = await token();
    fake.fault = (_method, path) => (path.includes("jwks") ? { status: 500 } : undefined);
    clock.advance(10 * MINUTE_MS - 1);
    await keys.verify(later);
    expect(looks()).toBe(1);
    clock.advance(1);
    await refused(later);
    fake.fault = undefined;
    await keys.verify(later);
    expect(looks()).toBe(3);
  });

  it("of a new key make it look once, and not again before the cooldown is over", async () => {
    await keys.verify(await token());
    clock.advance(MINUTE_MS);
    await fake.rotate();
    const fresh = await token();
    const answers = await Promise.all(Array.from({ length: 5 }, () => keys.verify(fresh)));
    expect(answers).toHaveLength(5);
    expect(looks()).toBe(2);
    const unknown = await generateKeyPair("ES256");
    fake.forge = { key: unknown.privateKey };
    await fake.rotate();
    fake.publishNothing();
    const strange = await token();
    for (let n = 0; n < 5; n += 1) await refused(strange);
    expect(looks()).toBe(2);
    clock.advance(30_000);
    for (let n = 0; n < 5; n += 1) await refused(strange);
    expect(looks()).toBe(3);
  });

  it("of a project with its legacy secret are told apart from a service that is away", async () => {
    fake.publishNothing();
    expect(await keys.look()).toBe("none");
    clock.advance(11 * MINUTE_MS);
    fake.fault = () => "drop";
    expect(await keys.look()).toBe("unreachable");
  });
});
