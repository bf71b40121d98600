/** What every identity provider has to pass, on every database engine. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Clock, ManualClock } from "../clock.ts";
import { type Database, isUniqueViolation } from "../db/database.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { createAccountsRepo } from "./accounts.repo.ts";
import { factorsContract } from "./identity-factors.contract.ts";
import type { Confirmed, IdentityProvider } from "./identity-provider.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Where the provider under test is reached. */
export const CONTRACT_URL = new URL("http://localhost:8787");

export interface ContractOf {
  readonly make: (db: Database, clock: Clock) => IdentityProvider;
  /** That a service elsewhere goes by, too. Left out: one of its own. */
  readonly clock?: ManualClock;
  /** Whether the next code of an app is taken a step early. */
  readonly takesNextCode?: boolean;
}

export function identityProviderContract(
  name: string,
  { make, clock = new ManualClock(), takesNextCode = false }: ContractOf,
): void {
  describe.each(TEST_ENGINES)(`identity provider ${name} on $name`, (engine) => {
    let test: TestDatabase;
    let provider: IdentityProvider;
    /** One service elsewhere sees the addresses of every engine. */
    const at = (who: string) => `${who}@${engine.name.replaceAll(/\W/g, "").toLowerCase()}.example`;
    beforeAll(async () => {
      test = await engine.open();
      provider = make(test.db, clock);
    });
    afterAll(() => test.dispose());

    const signUp = async (email: string, password: string) => {
      const step = await provider.signUp({ email, emailShown: email, password });
      return test.db.tx(step);
    };
    const confirmed = async (token: string, password: string): Promise<Confirmed | undefined> => {
      const step = await provider.confirmSignUp(token, password);
      if (typeof step === "string") throw new Error(step);
      return test.db.tx(step);
    };
    /** What the accounts service does with a confirmed person. */
    const settle = async ({ bind, ...person }: Confirmed) => {
      const repo = createAccountsRepo(test.db, clock);
      return test.db.tx(async (tx) => {
        const user = await repo.insert(tx, person);
        await repo.bindIdentity(tx, provider.name, await bind(tx, user.id), user.id);
        return user;
      });
    };
    const register = async (email: string, password: string) =>
      settle({ email, emailShown: email, bind: await provider.register({ email, password }) });

    factorsContract({
      ...{ provider: () => provider, db: () => test.db, clock, origin: CONTRACT_URL.origin, register, at },
      takesNextCode,
    });

    it("has nothing to sign in with until address and password are proved", async () => {
      const outcome = await signUp(at("new"), "blaue gurken tanzen");
      if (outcome.result !== "confirm") throw new Error("expected a confirmation");
      expect(await provider.authenticate(at("new"), "blaue gurken tanzen")).toBeUndefined();
      expect(await provider.isLinkOpen("sign_up", outcome.token)).toBe(true);
      expect(await provider.isLinkOpen("sign_up", outcome.token)).toBe(true);
      expect(await provider.isLinkOpen("reset", outcome.token)).toBe(false);
      expect(await provider.confirmSignUp(outcome.token, "rote gurken tanzen")).toBe("wrong_password");
      const person = await confirmed(outcome.token, "blaue gurken tanzen");
      if (person === undefined) throw new Error("expected a person");
      const user = await settle(person);
      const proof = await provider.authenticate(at("new"), "blaue gurken tanzen");
      const found = proof && (await createAccountsRepo(test.db, clock).findByIdentity(provider.name, proof.subject));
      expect(found?.id).toBe(user.id);
      expect(await provider.confirmSignUp(outcome.token, "blaue gurken tanzen")).toBe("no_link");
    });

    it("gives a confirmation to exactly one of many", async () => {
      const outcome = await signUp(at("race"), "blaue gurken tanzen");
      if (outcome.result !== "confirm") throw new Error("expected a confirmation");
      const results = await Promise.all(
        Array.from({ length: 5 }, () => confirmed(outcome.token, "blaue gurken tanzen").catch(() => undefined)),
      );
      expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    });

    it("lets a confirmation link die after a day", async () => {
      const outcome = await signUp(at("late"), "blaue gurken tanzen");
      if (outcome.result !== "confirm") throw new Error("expected a confirmation");
      clock.advance(DAY_MS);
      expect(await provider.isLinkOpen("sign_up", outcome.token)).toBe(false);
      expect(await provider.confirmSignUp(outcome.token, "blaue gurken tanzen")).toBe("no_link");
    });

    it("tells only the caller that an address has an account", async () => {
      const user = await register(at("owner"), "blaue gurken tanzen");
      expect(await signUp(at("owner"), "ganz anderes Wort 7")).toEqual({ result: "exists", userId: user.id });
      expect(await provider.authenticate(at("owner"), "ganz anderes Wort 7")).toBeUndefined();
      expect(await provider.authenticate(at("nobody"), "ganz anderes Wort 7")).toBeUndefined();
    });

    it("resets once, within its time, and closes the other links", async () => {
      const user = await register(at("forgot"), "blaue gurken tanzen");
      const [first, second] = await Promise.all(
        [1, 2].map(async () => test.db.tx(await provider.requestReset(at("forgot")))),
      );
      if (!first || !second) throw new Error("expected links");
      expect(await provider.isLinkOpen("reset", first.token)).toBe(true);
      const done = await test.db.tx(await provider.completeReset(first.token, "gelbe gurken singen"));
      expect(done).toEqual({ userId: user.id });
      for (const { token } of [first, second]) {
        expect(await test.db.tx(await provider.completeReset(token, "noch eine gurke 99"))).toBeUndefined();
      }
      expect(await provider.authenticate(at("forgot"), "blaue gurken tanzen")).toBeUndefined();
      expect(await provider.authenticate(at("forgot"), "gelbe gurken singen")).toBeDefined();
      const late = await test.db.tx(await provider.requestReset(at("forgot")));
      clock.advance(30 * 60_000);
      expect(await test.db.tx(await provider.completeReset(late?.token ?? "", "noch eine gurke 99"))).toBeUndefined();
    });

    it("changes and withdraws a password, and the reset links of before are closed", async () => {
      const user = await register(at("changes"), "blaue gurken tanzen");
      const open = await test.db.tx(await provider.requestReset(at("changes")));
      await test.db.tx(await provider.changePassword(user.id, "gelbe gurken singen"));
      expect(await provider.isLinkOpen("reset", open?.token ?? "")).toBe(false);
      expect(await provider.authenticate(at("changes"), "blaue gurken tanzen")).toBeUndefined();
      expect(await provider.authenticate(at("changes"), "gelbe gurken singen")).toBeDefined();
      await test.db.tx(await provider.withdrawPassword(user.id));
      expect(await provider.authenticate(at("changes"), "gelbe gurken singen")).toBeUndefined();
      const reset = await test.db.tx(await provider.requestReset(at("changes")));
      await test.db.tx(await provider.completeReset(reset?.token ?? "", "rote gurken springen"));
      expect(await provider.authenticate(at("changes"), "rote gurken springen")).toBeDefined();
    });

    it("changes an address, never to one with an account, and closes the links that went to the earlier one", async () => {
      const user = await register(at("moves"), "blaue gurken tanzen");
      await register(at("settled"), "gelbe gurken singen");
      const open = await test.db.tx(await provider.requestReset(at("moves")));
      const to = (email: string) => ({ email: email.toLowerCase(), emailShown: email });
      const taken = await provider.changeEmail(user.id, to(at("settled")));
      await expect(test.db.tx(taken)).rejects.toSatisfy(isUniqueViolation);
      expect(await provider.isLinkOpen("reset", open?.token ?? "")).toBe(true);
      await test.db.tx(await provider.changeEmail(user.id, to(at("Moved"))));
      expect(await provider.isLinkOpen("reset", open?.token ?? "")).toBe(false);
      expect(await provider.authenticate(at("moves"), "blaue gurken tanzen")).toBeUndefined();
      const proof = await provider.authenticate(at("moved"), "blaue gurken tanzen");
      const found = proof && (await createAccountsRepo(test.db, clock).findByIdentity(provider.name, proof.subject));
      expect(found).toMatchObject({ id: user.id, emailShown: at("Moved") });
    });

    it("has no reset for nobody", async () => {
      expect(await test.db.tx(await provider.requestReset(at("nobody")))).toBeUndefined();
    });
  });
}
