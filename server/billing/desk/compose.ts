/** What commands about billing work with, beside a running server or without one. */
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { NewJob } from "../../jobs/jobs.repo.ts";
import type { Log } from "../../log.ts";
import type { Books } from "../compose.ts";
import { createSandboxParts } from "../compose-sandbox.ts";
import { type SyncResult, syncCatalogue } from "../stripe/catalogue-sync.ts";
import { createPurchasesRepo } from "../stripe/purchases.repo.ts";
import { refundableOf } from "../stripe/refunds.service.ts";
import { openStripe } from "../stripe/stripe-client.ts";
import { createBillingDeskRepo } from "./billing-desk.repo.ts";
import { type BillingDesk, createBillingDesk } from "./billing-desk.service.ts";

export function createBillingCommands(
  { ledger, entitlements }: Books,
  options: {
    db: Database;
    audit: Audit;
    clock: Clock;
    config: Config;
    publicUrl: URL;
    sandboxSecret: string;
    enqueue: (tx: Writer, job: NewJob) => Promise<boolean>;
    log: Log;
  },
): { readonly billingDesk: BillingDesk; readonly syncCatalogue: (dryRun: boolean) => Promise<SyncResult> } {
  const { db, audit, clock, config, publicUrl, enqueue, log } = options;
  const repo = createPurchasesRepo(db);
  const billingDesk = createBillingDesk({
    ...{ db, repo: createBillingDeskRepo(db), ledger, entitlements, audit, clock, enqueue },
    refundable: async (tx, teamId) =>
      (await refundableOf(tx, { repo, ledger, teamId, at: new Date(clock.now()) })).amount,
  });
  return {
    billingDesk,
    async syncCatalogue(dryRun) {
      // What the sandbox has to tell waits in the database for the server, which delivers it.
      const access =
        config.billingMode === "sandbox"
          ? createSandboxParts({
              ...{ db, clock, log, publicUrl, refusals: { note() {} }, secret: options.sandboxSecret },
              webhook: () => ({ receive: async () => {} }),
            }).access
          : openStripe(config);
      if (access === undefined) throw new PerchError("unavailable", "This server sends no bills: BILLING is off.");
      return syncCatalogue(access.stripe, { dryRun, tax: config.STRIPE_TAX === "on" });
    },
  };
}
