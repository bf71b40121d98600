/**
 * The operator's page: what waits, with its clocks, and nothing about who. It is opened by a link that an admin command
 * makes, which works once and for a quarter of an hour; every opening stands in the audit log.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { BillingMode } from "../../../shared/billing/billing.ts";
import type { ProcessorView } from "../../../shared/privacy.ts";
import type { OneTimeTokensRepo } from "../../accounts/one-time-tokens.repo.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { BillingCounts, BillingDeskRepo } from "../../billing/desk/billing-desk.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import { DESK_SESSION_MS } from "../../http/cookies.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { IncidentDesk, IncidentView } from "../incidents/incidents.service.ts";
import type { PolicyAnnouncements } from "../policy/policy.service.ts";
import type { OldestRow, OperatorDeskRepo, RunningErasure, WaitingRequest } from "./operator-desk.repo.ts";

const DAY_MS = 24 * 3_600_000;
export const DESK_LINK_MS = 15 * 60_000;
/** An erasure that is not over a day after its grace, and a row a day older than its rule, are late. */
const SLACK_MS = DAY_MS;

export interface DeskFigures {
  readonly requests: readonly (WaitingRequest & { readonly daysLeft: number })[];
  readonly erasures: readonly (RunningErasure & { readonly late: boolean })[];
  readonly incidents: readonly IncidentView[];
  readonly policies: Awaited<ReturnType<PolicyAnnouncements["status"]>>;
  readonly lastSweep: Date | undefined;
  readonly oldest: readonly (OldestRow & { readonly late: boolean })[];
  readonly processors: readonly ProcessorView[];
  readonly billing: BillingCounts & { readonly mode: BillingMode };
  readonly mail: { readonly waiting: number; readonly failed: number };
  readonly mailFailures: readonly { readonly kind: string; readonly failure: string | null; readonly mails: number }[];
}

export interface OperatorDesk {
  /** A link to the page, for the operator at the machine. */
  link(detail: Readonly<Record<string, string>>): Promise<string>;
  /** Uses the link up; gives what the cookie holds. @throws PerchError when it works no more. */
  open(token: string): Promise<string>;
  isOpen(cookie: string | undefined): boolean;
  figures(): Promise<DeskFigures>;
}

export function createOperatorDesk(options: {
  db: Database;
  repo: OperatorDeskRepo;
  tokens: Pick<OneTimeTokensRepo, "issue" | "take">;
  audit: Audit;
  mail: Pick<Mail, "counts">;
  incidents: Pick<IncidentDesk, "register">;
  policy: Pick<PolicyAnnouncements, "status">;
  processors: () => readonly ProcessorView[];
  billing: Pick<BillingDeskRepo, "counts">;
  billingMode: BillingMode;
  clock: Clock;
  publicUrl: URL;
  /** 32 bytes; seals what the cookie says. */
  key: Buffer;
}): OperatorDesk {
  const { db, repo, tokens, audit, mail, incidents, policy, clock, publicUrl, key } = options;
  const seal = (text: string) => createHmac("sha256", key).update(text).digest("base64url");
  const opened = { chain: "server", actor: "operator", action: "admin.desk_opened" } as const;
  return {
    async link(detail) {
      const token = await db.tx(async (tx) => {
        await audit.record(tx, { ...opened, detail: { ...detail, step: "link" } });
        return tokens.issue(tx, "operator_desk", DESK_LINK_MS, { data: detail });
      });
      return new URL(`/operator?${new URLSearchParams({ token })}`, publicUrl).href;
    },
    async open(token) {
      await db.tx(async (tx) => {
        const taken = await tokens.take(tx, "operator_desk", token);
        if (taken === undefined) {
          throw new PerchError("not_found", "This link works once and for 15 minutes. Make a new one: desk open.");
        }
        await audit.record(tx, { ...opened, detail: { ...taken.data, step: "opened" } });
      });
      const text = `${clock.now() + DESK_SESSION_MS}.${randomBytes(16).toString("base64url")}`;
      return `${text}.${seal(text)}`;
    },
    isOpen(cookie) {
      const [until = "", nonce = "", given = ""] = (cookie ?? "").split(".");
      const expected = Buffer.from(seal(`${until}.${nonce}`));
      const mac = Buffer.from(given);
      return mac.length === expected.length && timingSafeEqual(mac, expected) && Number(until) > clock.now();
    },
    async figures() {
      const now = clock.now();
      const [requests, erasures, register, policies, lastSweep, oldest, counts, mailFailures, billing] =
        await Promise.all([
          ...([repo.requests(), repo.erasures(), incidents.register(), policy.status()] as const),
          ...([repo.lastSweep(), repo.oldest(), mail.counts(), repo.mailFailures()] as const),
          options.billing.counts(now),
        ]);
      return {
        requests: requests.map((one) => ({ ...one, daysLeft: Math.floor((one.dueAt.getTime() - now) / DAY_MS) })),
        erasures: erasures.map((one) => ({
          ...one,
          late: one.lateStores.length > 0 || one.purgeAt.getTime() + SLACK_MS < now,
        })),
        incidents: register,
        policies,
        lastSweep,
        oldest: oldest.map((one) => ({ ...one, late: one.oldestAt.getTime() + one.days * DAY_MS + SLACK_MS < now })),
        processors: options.processors(),
        mail: { waiting: counts.waiting, failed: counts.failed },
        mailFailures,
        billing: { ...billing, mode: options.billingMode },
      };
    },
  };
}
