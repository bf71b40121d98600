/** The contract of identity providers, told to GoTrue itself. Runs where `npm run test:counterparts` has built and started one. */
import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { afterAll, beforeAll, describe } from "vitest";
import { ManualClock } from "../../clock.ts";
import { createJobsRepo } from "../../jobs/jobs.repo.ts";
import { silentLog } from "../../log.ts";
import { createAccountsRepo } from "../accounts.repo.ts";
import { CONTRACT_URL, identityProviderContract } from "../identity-provider.contract.ts";
import { createOneTimeTokensRepo } from "../one-time-tokens.repo.ts";
import { createPasswords } from "../passwords.ts";
import { createSupabaseParts } from "./compose.ts";
import { Gateway } from "./testing/gateway.ts";

const target = process.env["TEST_GOTRUE_URL"];
const port = Number(process.env["TEST_GOTRUE_GATEWAY_PORT"]);
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
});
