import { randomBytes } from "node:crypto";
import { afterAll, beforeAll } from "vitest";
import { ManualClock } from "../../clock.ts";
import { createJobsRepo } from "../../jobs/jobs.repo.ts";
import { silentLog } from "../../log.ts";
import { createAccountsRepo } from "../accounts.repo.ts";
import { CONTRACT_URL, identityProviderContract } from "../identity-provider.contract.ts";
import { createOneTimeTokensRepo } from "../one-time-tokens.repo.ts";
import { createPasswords } from "../passwords.ts";
import { createSupabaseParts } from "./compose.ts";
import { ANON_KEY, FakeGoTrue, SERVICE_KEY } from "./testing/fake-gotrue.ts";

// Supabase's client looks at the machine's clock, so the test's may only run ahead of it.
const clock = new ManualClock(Date.now());
const fake = new FakeGoTrue(clock);
beforeAll(async () => void (await fake.start()));
afterAll(() => fake.close());

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
      project: { url: fake.url, serviceKey: SERVICE_KEY, anonKey: ANON_KEY, passesAddress: false },
    }).identity,
});
