import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Clock, ManualClock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { type TestDatabase, testSqlite } from "../db/testing.ts";
import { createAccountsRepo } from "./accounts.repo.ts";
import { createEmbeddedIdentity } from "./embedded.ts";
import { CONTRACT_URL, identityProviderContract } from "./identity-provider.contract.ts";
import { createOneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import { createPasswords } from "./passwords.ts";

const factorsKey = randomBytes(32);
const embedded = (db: Database, clock: Clock, passwords = createPasswords()) =>
  createEmbeddedIdentity({
    db,
    repo: createAccountsRepo(db, clock),
    tokens: createOneTimeTokensRepo(db, clock),
    passwords,
    clock,
    publicUrl: CONTRACT_URL,
    factorsKey,
  });

identityProviderContract("embedded", { make: embedded });

describe("embedded identity", () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await testSqlite.open();
  });
  afterAll(() => test.dispose());

  it("hashes anew at sign-in when the parameters rose", async () => {
    const { db } = test;
    const clock = new ManualClock();
    const repo = createAccountsRepo(db, clock);
    const weak = createPasswords({ memoryCost: 8 * 1024, timeCost: 1, parallelism: 1 });
    const bind = await embedded(db, clock, weak).register({ email: "old@x.example", password: "blaue gurken tanzen" });
    await db.tx(async (tx) => {
      const user = await repo.insert(tx, { email: "old@x.example", emailShown: "old@x.example" });
      await repo.bindIdentity(tx, "embedded", await bind(tx, user.id), user.id);
    });
    expect((await repo.findPassword("old@x.example"))?.phc).toContain("m=8192,t=1");
    const today = embedded(db, clock);
    expect(await today.authenticate("old@x.example", "blaue gurken tanzen")).toBeDefined();
    expect((await repo.findPassword("old@x.example"))?.phc).toContain("m=19456,t=2");
    expect(await today.authenticate("old@x.example", "blaue gurken tanzen")).toBeDefined();
  });
});
