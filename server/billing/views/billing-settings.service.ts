/** How a team is billed, as far as it says so itself. Each change holds from now on: what ran before is settled first. */
import type { TeamId } from "../../../shared/ids.ts";
import type { Audit, AuditAction } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import { noSuchPhone } from "../../phones/phone-lifecycle.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import type { BillingSettings } from "../billing.router.ts";
import type { EntitlementsOf } from "../ports.ts";
import type { BillingSettingsRepo } from "./billing-settings.repo.ts";
import { isTimeZone } from "./zone-days.ts";

export function createBillingSettings(options: {
  db: Database;
  repo: BillingSettingsRepo;
  audit: Audit;
  entitlements: EntitlementsOf;
  /** Brings what ran so far into the ledger. */
  settle: (tx: Writer, teamId: TeamId) => Promise<unknown>;
  clock: Clock;
}): Omit<BillingSettings, "setBudget" | "removeBudget"> {
  const { db, repo, audit, entitlements, settle, clock } = options;

  const change = (
    { teamId, userId }: TeamScope,
    action: AuditAction,
    object: string,
    work: (tx: Writer, at: Date) => Promise<boolean>,
  ) =>
    db.tx(async (tx) => {
      await settle(tx, teamId);
      if (!(await work(tx, new Date(clock.now())))) return;
      await audit.record(tx, { chain: teamId, actor: userId, action, object });
    });

  return {
    setOverage: (scope, { allowed, cap }) =>
      change(scope, "billing.overage_set", scope.teamId, async (tx, at) => {
        if (allowed && cap === 0) {
          throw new PerchError("bad_input", "Say how much may be charged by invoice in a month, or do not allow it.");
        }
        const { plan } = await entitlements.of(tx, scope.teamId, at);
        if (allowed && plan === "free") {
          throw new PerchError(
            "conflict",
            "Phone time can be charged by invoice once there is a plan. Choose one first.",
          );
        }
        await repo.set(tx, scope.teamId, { overageAllowed: allowed, overageCap: cap }, at);
        return true;
      }),

    setTimeZone: (scope, { timeZone }) =>
      change(scope, "billing.settings_changed", scope.teamId, async (tx, at) => {
        if (!isTimeZone(timeZone)) {
          throw new PerchError("bad_input", "There is no such time zone. Write one like Europe/Berlin.");
        }
        await repo.set(tx, scope.teamId, { timeZone }, at);
        return true;
      }),

    dedicate: (scope, { phoneId, dedicated }) =>
      change(scope, "billing.phone_dedicated", phoneId, async (tx, at) => {
        const { teamId } = scope;
        if (!(await repo.hasPhone(tx, teamId, phoneId))) throw noSuchPhone();
        if (!dedicated) return repo.release(tx, teamId, phoneId);
        const { addOns } = await entitlements.of(tx, teamId, at);
        const added = await repo.dedicate(tx, teamId, phoneId, at);
        if (added && (await repo.dedicated(tx, teamId)) > addOns.dedicated) {
          throw new PerchError(
            "limit_reached",
            addOns.dedicated === 0
              ? "Your plan has no dedicated phone yet. Add one first."
              : `You have ${addOns.dedicated} dedicated ${addOns.dedicated === 1 ? "phone" : "phones"}, and each is chosen. Release one, or add another.`,
          );
        }
        return added;
      }),
  };
}
