import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import { requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import type { Actor } from "../teams/team-scope.ts";
import { totpCodeAt } from "./testing/app-code.ts";
import { SoftAuthenticator } from "./testing/soft-authenticator.ts";

const PASSWORD = "blaue gurken tanzen";
const NEW_PASSWORD = "gelbe gurken singen";
const about = requestInfo();
const elsewhere = requestInfo({ ip: "198.51.100.7" });
const MINUTE_MS = 60_000;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof PerchError ? error.code : String(error)),
  );

describe.each(TEST_ENGINES)("signing in beyond the password on $name", (engine) => {
  let test: TestDatabase;
  let server: TestPages;
  beforeAll(async () => {
    test = await engine.open();
  });
  beforeEach(() => {
    server = startPages(test.db);
  });
  afterAll(() => test.dispose());

  const actorOf = async (token: string): Promise<Actor> => {
    const found = await server.sessions.find(token, about);
    if (found === undefined || found === "ended") throw new Error("no actor");
    return found;
  };
  const member = async (email: string) => {
    await server.accounts.create({ email, password: PASSWORD }, "operator");
    return actorOf((await server.signedIn(email, PASSWORD)).token);
  };
  /** A person with an app; `code` gives codes nobody used yet. */
  const withApp = async (email: string) => {
    const actor = await member(email);
    const { secret } = await server.factors.beginTotp(actor);
    const code = () => {
      server.clock.advance(30_000);
      return totpCodeAt(secret, server.clock.now());
    };
    const { codes } = await server.factors.confirmTotp(actor, code());
    return { actor, email, code, codes };
  };
  const begin = async (email: string, password = PASSWORD, from = about) => {
    const outcome = await server.accounts.signIn({ email, password }, from);
    if (!("continuation" in outcome)) throw new Error("No second factor was asked for.");
    return outcome.continuation;
  };
  const answer = (continuation: string, given: string, from = about) =>
    server.accounts.answerSecondFactor({ continuation, answer: given }, from);
  const subjectsTo = async (email: string) =>
    (await server.mail.preview()).filter(({ recipient }) => recipient === email).map(({ subject }) => subject);
  const wrongCode = (right: string) => String((Number(right) + 1) % 1_000_000).padStart(6, "0");

  it("gives a session only for password and code, and says how it was opened", async () => {
    const { email, code, codes, actor } = await withApp("both@x.example");
    const continuation = await begin(email);
    expect(await server.accounts.isSecondStepOpen(continuation)).toBe(true);
    expect((await server.sessions.list(actor)).length).toBe(1);
    const session = await answer(continuation, code());
    expect(await actorOf(session.token)).toMatchObject({ method: "password_totp", userId: actor.userId });
    expect(await server.accounts.isSecondStepOpen(continuation)).toBe(false);
    const byBackup = await answer(await begin(email), codes[0] ?? "");
    expect(await actorOf(byBackup.token)).toMatchObject({ method: "password_backup_code" });
    expect(await subjectsTo(email)).toContain("How you sign in to Perch was changed");
    const late = await begin(email);
    server.clock.advance(10 * MINUTE_MS);
    expect(await codeOf(answer(late, code()))).toBe("unauthenticated");
  });

  it("ABUSE-04 a code gives one session, however often and however many at once it is sent", async () => {
    const { email, code, codes } = await withApp("replay@x.example");
    const once = code();
    const [first, second] = [await begin(email), await begin(email)];
    expect(await codeOf(answer(first, once))).toBe("done");
    expect(await codeOf(answer(second, once))).toBe("bad_input");
    const raced = code();
    const many = await Promise.all([answer(second, raced), answer(await begin(email), raced)].map(codeOf));
    expect(many.toSorted()).toEqual(["bad_input", "done"]);
    server.clock.advance(60 * MINUTE_MS);
    const same = await begin(email);
    const [backup = ""] = codes;
    const backups = await Promise.all([1, 2, 3].map(() => codeOf(answer(same, backup))));
    expect(backups.filter((outcome) => outcome === "done")).toHaveLength(1);
    expect(await codeOf(answer(await begin(email), backup))).toBe("bad_input");
  });

  it("ABUSE-04 five wrong codes end a sign-in, the owner hears of it, and guesses go on slower and slower", async () => {
    const { email, code } = await withApp("guess@x.example");
    const right = code();
    const tries = async (continuation: string, from: typeof about) => {
      const outcomes = [];
      for (let n = 0; n < 5; n += 1) outcomes.push(await codeOf(answer(continuation, wrongCode(right), from)));
      return outcomes;
    };
    const continuation = await begin(email, PASSWORD, elsewhere);
    expect(await tries(continuation, elsewhere)).toEqual([...Array(4).fill("bad_input"), "unauthenticated"]);
    expect(await codeOf(answer(continuation, right, elsewhere))).toBe("unauthenticated");
    expect(await subjectsTo(email)).toContain("Unusual use of your Perch account");
    const further = requestInfo({ ip: "198.51.100.8" });
    await tries(await begin(email, PASSWORD, further), further);
    const elsewhereAgain = requestInfo({ ip: "198.51.100.9" });
    expect(await codeOf(answer(await begin(email, PASSWORD, elsewhereAgain), right, elsewhereAgain))).toBe(
      "rate_limited",
    );
    expect(await codeOf(answer(await begin(email), code()))).toBe("done");
  });

  it("ABUSE-04 wrong codes sent at once are no more tries than one after another", async () => {
    const { email, code } = await withApp("burst@x.example");
    const right = code();
    const continuation = await begin(email);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => codeOf(answer(continuation, wrongCode(right)))));
    expect(outcomes.filter((outcome) => outcome === "bad_input").length).toBeLessThanOrEqual(4);
    expect(await codeOf(answer(continuation, right))).toBe("unauthenticated");
  });

  it("ABUSE-09 a new password by mail still asks for the second factor", async () => {
    const { email, code, codes } = await withApp("reset@x.example");
    server.clock.advance(1);
    await server.accounts.requestReset({ email }, about);
    const token = new URL((await server.linksTo(email))[0] ?? "").searchParams.get("token") ?? "";
    await server.accounts.reset({ token, password: NEW_PASSWORD }, about);
    const continuation = await begin(email, NEW_PASSWORD);
    expect(await codeOf(answer(continuation, wrongCode(code())))).toBe("bad_input");
    expect(await codeOf(answer(continuation, code()))).toBe("done");
    expect(await codeOf(answer(await begin(email, NEW_PASSWORD), codes[0] ?? ""))).toBe("done");
  });

  it("ABUSE-03 whoever signs up with another's address first leaves no factor and no session behind", async () => {
    const email = "first@x.example";
    await server.accounts.signUp({ email, password: "der fremde weiss es" }, about);
    await server.accounts.requestReset({ email }, about);
    server.clock.advance(1);
    await server.accounts.signUp({ email, password: PASSWORD }, about);
    const token = new URL((await server.linksTo(email))[0] ?? "").searchParams.get("token") ?? "";
    const session = await server.accounts.confirm({ token, password: PASSWORD }, about);
    const { userId } = await actorOf(session.token);
    expect(await server.factors.overviewParts(userId)).toMatchObject({ totp: null, backupCodesLeft: 0, passkeys: [] });
    expect(await server.sessions.list(await actorOf(session.token))).toHaveLength(1);
    expect(await codeOf(server.accounts.signIn({ email, password: "der fremde weiss es" }, about))).toBe(
      "unauthenticated",
    );
  });

  it("opens a session of two factors by a passkey alone, and proves by it", async () => {
    const actor = await member("key@x.example");
    const other = await member("other@x.example");
    const device = new SoftAuthenticator(server.publicUrl.origin);
    await server.factors.addPasskey(actor, device.create(await server.factors.passkeyRegistration(actor)), "Laptop");
    const question = (what: "sign_in" | "prove") => server.factors.passkeyQuestion(what, about);
    const { teams } = test.db.t;
    await test.db.tx(async (tx) => {
      await tx.update(teams).set({ requireSecondFactor: true }).where(eq(teams.id, actor.teamId));
    });
    expect(await actorOf((await server.signedIn("key@x.example", PASSWORD)).token)).toMatchObject({
      lacksSecondFactor: true,
    });
    const session = await server.accounts.signInWithPasskey(device.get(await question("sign_in")), about);
    const signedIn = await actorOf(session.token);
    expect(signedIn).toMatchObject({ method: "passkey", lacksSecondFactor: false, userId: actor.userId });

    server.clock.advance(60 * MINUTE_MS);
    const token = await server.accounts.proveWithPasskey(signedIn, device.get(await question("prove")), about);
    expect(await server.sessions.find(session.token, about)).toBeUndefined();
    expect((await actorOf(token)).authenticatedAt.getTime()).toBe(server.clock.now());
    expect(await codeOf(server.accounts.proveWithPasskey(other, device.get(await question("prove")), about))).toBe(
      "bad_input",
    );
    expect(await codeOf(server.accounts.signInWithPasskey("{}", about))).toBe("unauthenticated");
    const [passkey] = (await server.factors.overviewParts(actor.userId)).passkeys;
    if (passkey === undefined) throw new Error("no passkey");
    await server.factors.removePasskey(actor, passkey.id);
    expect(await codeOf(server.accounts.signInWithPasskey(device.get(await question("sign_in")), about))).toBe(
      "unauthenticated",
    );
  });

  it("proves with password and code where there is an app, and gives the session a new token", async () => {
    const { email, code, actor } = await withApp("prove@x.example");
    const { token } = await answer(await begin(email), code());
    const signedIn = await actorOf(token);
    server.clock.advance(30 * MINUTE_MS);
    const prove = (password: string, given: string | undefined) =>
      server.accounts.prove(signedIn, { password, answer: given }, about);
    expect(await codeOf(prove("falsche gurken hier", code()))).toBe("bad_input");
    expect(await codeOf(prove(PASSWORD, undefined))).toBe("bad_input");
    const once = code();
    expect(await codeOf(prove(PASSWORD, wrongCode(once)))).toBe("bad_input");
    const renewed = await actorOf(await prove(PASSWORD, once));
    expect(renewed).toMatchObject({ method: "password_totp", credential: signedIn.credential });
    expect(await server.sessions.find(token, about)).toBeUndefined();
    expect(await codeOf(prove(PASSWORD, once))).toBe("bad_input");
    expect(actor.userId).toBe(renewed.userId);
  });

  it("writes every change down and tells the person by mail", async () => {
    const { actor, email } = await withApp("told@x.example");
    const device = new SoftAuthenticator(server.publicUrl.origin);
    await server.factors.newBackupCodes(actor);
    await server.factors.removeTotp(actor);
    await server.factors.addPasskey(actor, device.create(await server.factors.passkeyRegistration(actor)), "Laptop");
    const [passkey] = (await server.factors.overviewParts(actor.userId)).passkeys;
    if (passkey === undefined) throw new Error("no passkey");
    await server.factors.renamePasskey(actor, passkey.id, "Desk");
    await server.factors.renamePasskey(actor, passkey.id, "Desk");
    await server.factors.removePasskey(actor, passkey.id);
    expect(await codeOf(server.factors.removePasskey(actor, passkey.id))).toBe("not_found");
    expect(await codeOf(server.factors.removeTotp(actor))).toBe("not_found");
    expect(await codeOf(server.factors.newBackupCodes(actor))).toBe("not_found");
    const texts = (await server.mail.preview()).filter(({ recipient }) => recipient === email).map(({ text }) => text);
    for (const what of [
      "asked for at sign-in now",
      "New backup codes",
      "no longer asked for",
      "added: Laptop",
      "Laptop is now Desk",
      "removed: Desk",
    ])
      expect(
        texts.filter((text) => text.includes(what)),
        what,
      ).toHaveLength(1);
    const { auditLog } = test.db.t;
    const actions = (
      await test.db.read.select({ action: auditLog.action }).from(auditLog).where(eq(auditLog.chain, actor.teamId))
    ).map(({ action }) => action);
    for (const action of [
      "totp_added",
      "backup_codes_made",
      "totp_removed",
      "passkey_added",
      "passkey_renamed",
      "passkey_removed",
    ])
      expect(
        actions.filter((one) => one === `account.${action}`),
        action,
      ).toHaveLength(1);
    expect((await server.audit.verify(actor.teamId)).brokenAt).toBeUndefined();
  });

  it("ABUSE-05 neither an app's secret nor a backup code can be found in the database", async () => {
    const actor = await member("sealed@x.example");
    const { secret } = await server.factors.beginTotp(actor);
    const { codes } = await server.factors.confirmTotp(actor, totpCodeAt(secret, server.clock.now()));
    const { challenge } = await server.factors.passkeyQuestion("sign_in", about);
    const continuation = await begin("sealed@x.example");
    const dump = JSON.stringify(
      await Promise.all(Object.values(test.db.t).map((table) => test.db.read.select().from(table))),
    );
    for (const issued of [secret, ...codes, ...codes.map((code) => code.replaceAll("-", "")), challenge, continuation])
      expect(dump.includes(issued)).toBe(false);
  });

  it("ABUSE-05 a sealed secret put in another person's row opens nothing", async () => {
    const [victim, attacker] = [await withApp("victim@x.example"), await withApp("mover@x.example")];
    const { totpFactors } = test.db.t;
    const [row] = await test.db.read.select().from(totpFactors).where(eq(totpFactors.userId, attacker.actor.userId));
    await test.db.tx(async (tx) => {
      await tx
        .update(totpFactors)
        .set({ sealedSecret: row?.sealedSecret ?? "" })
        .where(eq(totpFactors.userId, victim.actor.userId));
    });
    expect(await codeOf(answer(await begin(victim.email), attacker.code()))).toBe("bad_input");
    expect(await codeOf(answer(await begin(attacker.email), attacker.code()))).toBe("done");
  });
});
