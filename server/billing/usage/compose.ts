/** Puts together what counts phones' time. */
import type { NodeId, PhoneId } from "../../../shared/ids.ts";
import { createPageLinks } from "../../accounts/page-links.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock, Monotonic } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { Log } from "../../log.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { BudgetsRepo } from "../budgets/budgets.repo.ts";
import type { Budgets } from "../budgets/budgets.service.ts";
import type { EntitlementsOf, Ledger, Metering } from "../ports.ts";
import { createParkedLetter } from "./letters.ts";
import { createMeter, type Meter, type MeteredPhones } from "./meter.ts";
import { createMetering } from "./metering.service.ts";
import { createSettlement, type Settlement } from "./settlement.ts";
import { BEAT_MS, createTimeGuard, type TimeGuard } from "./time-guard.ts";
import { type Beater, createUsageRepo, type UsageRepo } from "./usage.repo.ts";

export interface UsageParts {
  readonly repo: UsageRepo;
  readonly settlement: Settlement;
  readonly metering: Metering;
  readonly guard: TimeGuard;
  readonly by: Beater;
  /** The heartbeat over phones that were made with `metering`. */
  meter(phones: MeteredPhones): Meter;
}

export function createUsageParts(options: {
  db: Database;
  clock: Clock;
  monotonic: Monotonic;
  log: Log;
  audit: Audit;
  ledger: Pick<Ledger, "funds" | "post">;
  entitlements: EntitlementsOf;
  budgets: Pick<Budgets, "alert">;
  budgetsRepo: Pick<BudgetsRepo, "ofTeam" | "teamName" | "moneyReaders">;
  mail: Pick<Mail, "queue" | "wake">;
  publicUrl: URL;
  /** The machine, the same after a restart. */
  node: string;
  /** This process, another one after a restart. */
  boot: string;
  /** Phones of this process that live. */
  alive: () => ReadonlySet<PhoneId>;
  /** Nodes that live, without this one. */
  others: () => readonly NodeId[];
  phoneDiskMb: number;
  beatMs?: number;
}): UsageParts {
  const { db, clock, monotonic, log, audit, mail, alive, phoneDiskMb, beatMs = BEAT_MS } = options;
  const budgets = options.budgetsRepo;
  const by = { node: options.node, boot: options.boot };
  const repo = createUsageRepo(db);
  const settlement = createSettlement({
    ...{ repo, ledger: options.ledger, entitlements: options.entitlements },
    alert: options.budgets.alert,
  });
  const guard = createTimeGuard({ clock, monotonic, beatMs });
  return {
    ...{ repo, settlement, guard, by },
    metering: createMetering({ repo, budgets, settlement, guard, clock, by, alive, phoneDiskMb }),
    meter: (phones) =>
      createMeter({
        ...{
          db,
          repo,
          settlement,
          guard,
          clock,
          monotonic,
          by,
          beatMs,
          alive,
          others: options.others,
          phones,
          budgets,
          audit,
          log,
        },
        tellParked: createParkedLetter({ people: budgets, mail, page: createPageLinks(options.publicUrl) }),
        mailQueued: mail.wake,
      }),
  };
}
