/** The operator's seat: who may take it, and what they work with, signed by them. */

import type { AccountServices } from "./accounts/compose.ts";
import { createAnnouncementsRepo } from "./announcements/announcements.repo.ts";
import { createAnnouncements } from "./announcements/announcements.service.ts";
import { createAudit } from "./audit/audit.repo.ts";
import type { Backups } from "./backup/backups.service.ts";
import type { Books } from "./billing/compose.ts";
import { sandboxSecretOf } from "./billing/compose-sandbox.ts";
import { createBillingCommands } from "./billing/desk/compose.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { createFaultsRepo } from "./faults/faults.repo.ts";
import type { Readiness } from "./health/readiness.ts";
import type { JobsRepo } from "./jobs/jobs.repo.ts";
import { deriveKey } from "./keys.ts";
import type { Log } from "./log.ts";
import { createNodesRepo } from "./nodes/nodes.repo.ts";
import { createNodesDesk } from "./nodes/nodes.service.ts";
import { createConsoleRepo } from "./operator/console.repo.ts";
import { createConsole } from "./operator/console.service.ts";
import type { OperatorSeat } from "./operator/seat.ts";
import { signedBy } from "./operator/signed-by.ts";
import { createContainerDesk } from "./phones/drivers/adb/containers/compose.ts";
import { createPhoneCopiesRepo } from "./phones/phone-copies.repo.ts";
import type { PhonesRepo } from "./phones/phones.repo.ts";

export function createOperatorSeat(options: {
  db: Database;
  master: Buffer;
  config: Config;
  clock: Clock;
  log: Log;
  publicUrl: URL;
  accounts: AccountServices;
  books: Books;
  jobsRepo: JobsRepo;
  phonesRepo: PhonesRepo;
  backups: Pick<Backups, "status">;
  readiness: () => Promise<Readiness>;
}): OperatorSeat {
  const { db, master, config, clock, log, publicUrl, accounts, books, jobsRepo, phonesRepo, backups } = options;
  const repo = createConsoleRepo(db);
  const announcementsRepo = createAnnouncementsRepo(db);
  const nodesRepo = createNodesRepo(db, clock);
  const faults = createFaultsRepo(db);
  return {
    isOperator: (email) => config.OPERATORS.includes(email.toLowerCase()),
    backups: () => backups.status(),
    readiness: options.readiness,
    as(by) {
      const audit = signedBy(createAudit(db, clock, deriveKey(master, "audit heads")), {
        role: config.OPERATOR_ROLE,
        by,
      });
      const { standing, suspensions } = accounts.deskBy(audit);
      const nodes = createNodesDesk({ db, repo: nodesRepo, copies: createPhoneCopiesRepo(db), audit, clock });
      const { hosts } = createContainerDesk({ db, audit, clock, config, key: deriveKey(master, "phone containers") });
      return {
        nodes,
        hosts,
        standing,
        console: createConsole({
          ...{ db, repo, audit, clock, config, jobsRepo, phonesRepo, nodes, hosts },
          ...{ accounts: accounts.accounts, sessions: accounts.sessions, memberships: accounts.memberships },
          ...{ mail: accounts.mail, suspensions, faults },
        }),
        billing: createBillingCommands(books, {
          ...{ db, audit, clock, config, publicUrl, log, enqueue: jobsRepo.enqueue },
          sandboxSecret: sandboxSecretOf(master),
        }).billingDesk,
        announcements: createAnnouncements({ db, repo: announcementsRepo, audit, clock }),
        bills: config.billingMode !== "off",
      };
    },
  };
}
