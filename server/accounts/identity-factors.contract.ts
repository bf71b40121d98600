/** What every identity provider has to pass about second factors and passkeys; called by `identity-provider.contract.ts`. */
import { expect, it } from "vitest";
import { newId, type UserId } from "../../shared/ids.ts";
import type { ManualClock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { IdentityProvider, Step } from "./identity-provider.ts";
import { authenticationAnswer, registrationAnswer } from "./passkey-answers.ts";
import { totpCodeAt } from "./testing/app-code.ts";
import { SoftAuthenticator } from "./testing/soft-authenticator.ts";

const STEP_MS = 30_000;
const MINUTE_MS = 60_000;

export function factorsContract(parts: {
  readonly provider: () => IdentityProvider;
  readonly db: () => Database;
  readonly clock: ManualClock;
  readonly origin: string;
  /** A person who can sign in. */
  readonly register: (email: string, password: string) => Promise<{ readonly id: UserId }>;
  /** Somebody's address. */
  readonly at: (who: string) => string;
  /** Whether a code counts a step before its own as well. */
  readonly takesNextCode: boolean;
}): void {
  const { clock, origin } = parts;
  const password = "blaue gurken tanzen";
  const run = async <T>(step: Step<T> | Promise<Step<T>>): Promise<T> => {
    const ready = await step;
    return parts.db().tx(ready);
  };
  let people = 0;
  const addresses = new Map<UserId, string>();
  const person = async () => {
    people += 1;
    const email = parts.at(`factors${people}`);
    const { id } = await parts.register(email, password);
    addresses.set(id, email);
    return { email, id };
  };
  /** Right codes from here on: a new time step each. */
  const nextCode = (secret: string) => {
    clock.advance(STEP_MS);
    return totpCodeAt(secret, clock.now());
  };
  const withApp = async () => {
    const { factors } = parts.provider();
    const { email, id } = await person();
    const { secret, step } = await factors.beginTotp(id);
    expect(await run(step)).toBe(true);
    const codes = await run(factors.confirmTotp(id, nextCode(secret)));
    if (codes === undefined) throw new Error("A right code was refused.");
    return { email, id, secret, codes };
  };
  /** After the right password, as people do. */
  const verify = async (id: UserId, answer: string) => {
    const { factors, authenticate } = parts.provider();
    const proof = await authenticate(addresses.get(id) ?? "", password);
    return run(factors.verify(id, answer, proof?.second ?? {}));
  };

  it("asks for an app's code only once the app was confirmed", async () => {
    const { factors, authenticate } = parts.provider();
    const { email, id } = await person();
    const first = await factors.beginTotp(id);
    const second = await factors.beginTotp(id);
    expect([await run(first.step), await run(second.step)]).toEqual([true, true]);
    expect(await authenticate(email, password)).not.toHaveProperty("second");
    expect(await verify(id, totpCodeAt(second.secret, clock.now()))).toBeUndefined();
    expect(await run(factors.confirmTotp(id, totpCodeAt(first.secret, clock.now())))).toBeUndefined();
    expect(await factors.list(id)).toMatchObject({ totp: null, backupCodesLeft: 0 });
    const confirming = nextCode(second.secret);
    expect(await run(factors.confirmTotp(id, confirming))).toHaveLength(
      parts.provider().capabilities.backupCodes ? 10 : 0,
    );
    expect(await factors.list(id)).toMatchObject({ totp: { since: new Date(clock.now()) } });
    expect(await authenticate(email, password)).toMatchObject({ second: {} });
    expect(await run((await factors.beginTotp(id)).step)).toBe(false);
    expect(await verify(id, confirming)).toBeUndefined();
    expect(await verify(id, nextCode(second.secret))).toBe("password_totp");
  });

  it("takes a code of this step or the one before, once, and none older than the last taken", async () => {
    const { id, secret } = await withApp();
    clock.advance(10 * STEP_MS);
    const at = (steps: number) => totpCodeAt(secret, clock.now() + steps * STEP_MS);
    if (!parts.takesNextCode) expect(await verify(id, at(1))).toBeUndefined();
    expect(await verify(id, at(-2))).toBeUndefined();
    expect(await verify(id, at(-1))).toBe("password_totp");
    expect(await verify(id, at(-1))).toBeUndefined();
    const spaced = at(0).replace(/^.../, "$& ");
    expect(await verify(id, spaced)).toBe("password_totp");
    expect(await verify(id, at(-1))).toBeUndefined();
  });

  it("lets one in of many with the same code", async () => {
    const { id, secret, codes } = await withApp();
    const code = nextCode(secret);
    const results = await Promise.all(Array.from({ length: 4 }, () => verify(id, code)));
    expect(results.filter(Boolean)).toEqual(["password_totp"]);
    const [backup] = codes;
    if (backup === undefined) return;
    const backups = await Promise.all(Array.from({ length: 4 }, () => verify(id, backup)));
    expect(backups.filter(Boolean)).toEqual(["password_backup_code"]);
  });

  it("takes a backup code once, however it is typed, and only of its owner", async () => {
    if (!parts.provider().capabilities.backupCodes) return;
    const { factors } = parts.provider();
    const [one, other] = [await withApp(), await withApp()];
    const [first = "", second = "", third = ""] = one.codes;
    expect(new Set(one.codes).size).toBe(10);
    expect(first).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    expect(await verify(other.id, first)).toBeUndefined();
    expect(
      await verify(one.id, ` ${first.toLowerCase().replaceAll("-", " ").replaceAll("0", "o").replaceAll("1", "l")}`),
    ).toBe("password_backup_code");
    expect(await verify(one.id, first)).toBeUndefined();
    expect(await verify(one.id, second)).toBe("password_backup_code");
    expect((await factors.list(one.id)).backupCodesLeft).toBe(8);
    const fresh = await run(factors.newBackupCodes(one.id));
    expect(fresh).toHaveLength(10);
    expect(await verify(one.id, third)).toBeUndefined();
    expect(await verify(one.id, fresh?.[0] ?? "")).toBe("password_backup_code");
  });

  it("asks for nothing more, and takes no backup code, once the app is removed", async () => {
    const { factors, authenticate } = parts.provider();
    const { email, id, codes } = await withApp();
    expect(await run(factors.removeTotp(id))).toBe(true);
    expect(await run(factors.removeTotp(id))).toBe(false);
    expect(await authenticate(email, password)).not.toHaveProperty("second");
    expect(await verify(id, codes[0] ?? "")).toBeUndefined();
    expect(await run(factors.newBackupCodes(id))).toBeUndefined();
    expect(await factors.list(id)).toMatchObject({ totp: null, backupCodesLeft: 0 });
  });

  const withPasskey = async (name = "Laptop", counter = 0) => {
    const { passkeys } = parts.provider();
    const { email, id } = await person();
    const device = new SoftAuthenticator(origin);
    const options = await run(passkeys.registrationOptions(id, { email, name: email }));
    const added = await register(id, device.create(options, { counter }), name);
    if (typeof added === "string") throw new Error(added);
    return { id, email, device, passkeyId: added.id };
  };
  const register = async (id: UserId, json: string, name = "Laptop") => {
    const answer = registrationAnswer(json);
    if (answer === undefined) throw new Error("no answer");
    return run(parts.provider().passkeys.register(id, answer, name));
  };
  const authenticate = async (json: string, what: "sign_in" | "prove" = "sign_in") => {
    const answer = authenticationAnswer(json);
    if (answer === undefined) throw new Error("no answer");
    return run(parts.provider().passkeys.authenticate(what, answer));
  };
  const question = (what: "sign_in" | "prove" = "sign_in") =>
    run(parts.provider().passkeys.authenticationOptions(what));

  it("removes every factor at once, or only those added since", async () => {
    const { factors } = parts.provider();
    const { id } = await withPasskey();
    clock.advance(MINUTE_MS);
    const since = new Date(clock.now());
    const { secret, step } = await factors.beginTotp(id);
    await run(step);
    await run(factors.confirmTotp(id, totpCodeAt(secret, clock.now())));
    await run(factors.removeAll(id, since));
    expect(await factors.list(id)).toMatchObject({ totp: null, backupCodesLeft: 0, passkeys: [{ name: "Laptop" }] });
    await run(factors.removeAll(id));
    expect(await factors.list(id)).toEqual({ totp: null, backupCodesLeft: 0, passkeys: [] });
  });

  it("registers a passkey and knows its owner by it, each challenge once and within its time", async () => {
    const { passkeys, factors } = parts.provider();
    const { id, device, passkeyId } = await withPasskey();
    const options = await question();
    expect(options).toMatchObject({ rpId: new URL(origin).hostname, userVerification: "required" });
    expect(options.allowCredentials ?? []).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 3 }, () => authenticate(device.get(options))));
    expect(answers.filter(Boolean)).toEqual([{ subject: expect.any(String), userId: id }]);
    const late = await question();
    clock.advance(5 * MINUTE_MS);
    expect(await authenticate(device.get(late))).toBeUndefined();
    expect((await factors.list(id)).passkeys).toMatchObject([{ id: passkeyId, name: "Laptop", backedUp: false }]);
    expect(await run(passkeys.rename(id, passkeyId, "Desk"))).toBe("Laptop");
    expect((await factors.list(id)).passkeys).toMatchObject([{ name: "Desk" }]);
    const other = (await person()).id;
    expect(await run(passkeys.rename(other, passkeyId, "Mine"))).toBeUndefined();
    expect(await run(passkeys.remove(other, passkeyId))).toBeUndefined();
    expect(await run(passkeys.remove(id, passkeyId))).toBe("Desk");
    expect(await authenticate(device.get(await question()))).toBeUndefined();
    expect(await run(passkeys.remove(id, newId("passkey")))).toBeUndefined();
  });

  it("refuses an answer of another origin, for another purpose, unverified, unsigned by the key, or with an old counter", async () => {
    const { device } = await withPasskey("Key", 5);
    const stranger = new SoftAuthenticator(origin);
    expect(
      await authenticate(device.get(await question(), { counter: 6, origin: "https://evil.example" })),
    ).toBeUndefined();
    expect(await authenticate(device.get(await question(), { counter: 6, verified: false }))).toBeUndefined();
    expect(await authenticate(device.get(await question("prove"), { counter: 6 }))).toBeUndefined();
    expect(await authenticate(device.get({ challenge: "A".repeat(43) }, { counter: 6 }))).toBeUndefined();
    const forged = JSON.parse(device.get(await question(), { counter: 6 }));
    forged.response.signature = JSON.parse(stranger.get({ challenge: "A".repeat(43) })).response.signature;
    expect(await authenticate(JSON.stringify(forged))).toBeUndefined();
    expect(await authenticate(device.get(await question(), { counter: 6 }))).toBeDefined();
    expect(await authenticate(device.get(await question(), { counter: 6 }))).toBeUndefined();
    expect(await authenticate(device.get(await question("prove"), { counter: 7 }), "prove")).toBeDefined();
  });

  it("registers nothing of another origin, unverified, for another person, twice, or beyond the most", async () => {
    const { passkeys } = parts.provider();
    const { id, device } = await withPasskey();
    const options = () => run(passkeys.registrationOptions(id, { email: "a@x.example", name: "A" }));
    const fresh = () => new SoftAuthenticator(origin);
    expect((await options()).excludeCredentials).toMatchObject([{ id: device.credentialId.toString("base64url") }]);
    expect(await register(id, fresh().create(await options(), { origin: "https://evil.example" }))).toBe("refused");
    expect(await register(id, fresh().create(await options(), { verified: false }))).toBe("refused");
    expect(await register((await person()).id, fresh().create(await options()))).toBe("refused");
    expect(await register(id, fresh().create({ challenge: (await question()).challenge, user: { id: "" } }))).toBe(
      "refused",
    );
    expect(await register(id, device.create(await options()))).toBe("known");
    const once = await options();
    expect(await register(id, fresh().create(once))).toHaveProperty("id");
    expect(await register(id, fresh().create(once))).toBe("refused");
    for (let n = 2; n < passkeys.mostPerPerson; n += 1) await register(id, fresh().create(await options()));
    expect(await register(id, fresh().create(await options()))).toBe("too_many");
  });
}
