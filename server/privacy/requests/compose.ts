/** Builds requests about one's data and what they stand on: choices, receipts, the operator's desk, reminders. */
import { createAccountsRepo } from "../../accounts/accounts.repo.ts";
import type { AccountServices } from "../../accounts/compose.ts";
import { createPageLinks } from "../../accounts/page-links.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { JobHandler, Jobs, Schedule } from "../../jobs/jobs.service.ts";
import type { RateLimiter } from "../../limits/rate-limiter.ts";
import type { Log } from "../../log.ts";
import { createPreferencesRepo } from "../preferences/preferences.repo.ts";
import { createPrivacyPreferences, type PrivacyPreferences } from "../preferences/preferences.service.ts";
import { createReceipts, type Receipts } from "../receipts.ts";
import { createRequestDesk, type RequestDesk } from "./desk.service.ts";
import { createRequestIntake, type RequestIntake } from "./intake.service.ts";
import { createRequestBook, type RequestBook } from "./request-book.ts";
import { createRequestUpkeep, REQUESTS_EVERY_MS, REQUESTS_JOB } from "./request-upkeep.ts";
import { createRequestsRepo } from "./requests.repo.ts";
import { createDataRequests, type DataRequests } from "./requests.service.ts";

export interface RequestParts {
  readonly receipts: Receipts;
  readonly preferences: PrivacyPreferences;
  readonly requests: DataRequests;
  readonly book: RequestBook;
  readonly intake: RequestIntake;
  readonly desk: RequestDesk;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

export function createRequestParts(options: {
  db: Database;
  accounts: Pick<AccountServices, "credentials" | "memberships" | "mail">;
  audit: Audit;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  limiter: RateLimiter;
  clock: Clock;
  log: Log;
  publicUrl: URL;
  /** 32 bytes: the secret of the key that signs receipts. */
  receiptsKey: Buffer;
  /** Makes links to receipts. */
  linksKey: Buffer;
  supportEmail?: string | undefined;
}): RequestParts {
  const { db, audit, jobs, limiter, clock, log, publicUrl, linksKey, supportEmail } = options;
  const { credentials, memberships: teams, mail } = options.accounts;
  const page = createPageLinks(publicUrl);
  const people = createAccountsRepo(db, clock);
  const repo = createRequestsRepo(db);
  const receipts = createReceipts(options.receiptsKey);
  const book = createRequestBook({ repo, receipts, clock, publicUrl, linksKey });
  const preferences = createPrivacyPreferences({
    ...{ db, repo: createPreferencesRepo(db), credentials, audit, jobs, clock },
  });
  const asking = { db, repo, book, people, audit, mail, jobs, clock, page };
  const requests = createDataRequests({ ...asking, preferences });
  const intake = createRequestIntake({ ...asking, requests, teams, limiter });
  return {
    ...{ receipts, preferences, requests, book, intake },
    desk: createRequestDesk({ ...asking, intake }),
    jobs: { [REQUESTS_JOB]: createRequestUpkeep({ repo, book, mail, clock, log, supportEmail }) },
    schedules: [{ kind: REQUESTS_JOB, everyMs: REQUESTS_EVERY_MS }],
  };
}
