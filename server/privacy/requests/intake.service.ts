/**
 * Requests through the support page of people who are not signed in. Whether an address has an account is asked only
 * once its owner has confirmed the request by the link in the mail: until then the answer, and the work, is the same for
 * every address, and the request touches nothing else.
 */
import type { RequestKind, RequestView } from "../../../shared/privacy.ts";
import type { AccountsRepo } from "../../accounts/accounts.repo.ts";
import { lookupEmail } from "../../accounts/identity-provider.ts";
import type { PageLinks } from "../../accounts/page-links.ts";
import { hashSecret, isSecret, newSecret } from "../../accounts/secrets.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { RequestInfo } from "../../http/request-info.ts";
import type { Jobs } from "../../jobs/jobs.service.ts";
import { networkOf, type RateLimiter } from "../../limits/rate-limiter.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { TeamsRepo } from "../../teams/teams.repo.ts";
import type { EnteredRequest, RequestBook } from "./request-book.ts";
import { isOver } from "./request-states.ts";
import { ASKED, dayWords } from "./request-words.ts";
import type { RequestRow, RequestsRepo } from "./requests.repo.ts";
import { type DataRequests, demandSensible } from "./requests.service.ts";

/** How long a request waits for its owner; then it expires. */
export const CONFIRM_MS = 14 * 24 * 60 * 60_000;

export interface WrittenRequest {
  readonly kind: RequestKind;
  readonly email: string;
  readonly text?: string | undefined;
}

export interface RequestIntake {
  /** Enters the request and mails its sender a link that confirms it. */
  receive(request: WrittenRequest, about: RequestInfo): Promise<RequestView>;
  /** The request a link would confirm. Free of side effects. */
  find(token: string): Promise<RequestRow | undefined>;
  /** Uses the link up and does what was asked, as far as no person is needed. */
  confirm(token: string, about: RequestInfo): Promise<RequestRow>;
  /** Enters a request with a new link, inside a transaction; call `mail.wake` after the commit. */
  enterUnconfirmed(tx: Writer, request: Omit<EnteredRequest, "verifyHash" | "userId">): Promise<RequestRow>;
  /**
   * The request is this address's owner's; matches it to the account and does what can be done. `shown`: what is held
   * is before the person's eyes.
   */
  confirmIn(
    tx: Writer,
    row: RequestRow,
    how: { readonly shown: boolean },
  ): Promise<{ readonly row: RequestRow; readonly afterwards: () => void }>;
}

export function createRequestIntake(options: {
  db: Database;
  repo: RequestsRepo;
  book: RequestBook;
  requests: Pick<DataRequests, "carryOut">;
  people: Pick<AccountsRepo, "findByEmail">;
  teams: Pick<TeamsRepo, "listOfIn">;
  audit: Audit;
  mail: Mail;
  jobs: Pick<Jobs, "wake">;
  limiter: RateLimiter;
  clock: Clock;
  page: PageLinks;
}): RequestIntake {
  const { db, repo, book, requests, people, teams, audit, mail, jobs, limiter, clock, page } = options;

  const enterUnconfirmed: RequestIntake["enterUnconfirmed"] = async (tx, request) => {
    const token = newSecret();
    const row = await book.enter(tx, { ...request, verifyHash: hashSecret(token) });
    const { number, kind, dueAt, email } = row;
    if (email !== null) {
      const what = `Somebody, probably you, asked us ${ASKED[kind]}. Once it is confirmed you have our answer by ${dayWords(dueAt)} at the latest.`;
      const link = page("/data-request", { token });
      const dedupeKey = `request:${row.id}`;
      await mail.queue(tx, { kind: "data_request_verify", recipient: email, dedupeKey, data: { what, number, link } });
    }
    return row;
  };

  const find: RequestIntake["find"] = async (token) =>
    isSecret(token) ? repo.findByVerifyHash(hashSecret(token), new Date(clock.now() - CONFIRM_MS)) : undefined;

  const confirmIn: RequestIntake["confirmIn"] = async (tx, row, { shown }) => {
    const account = row.email === null ? undefined : await people.findByEmail(tx, lookupEmail(row.email));
    const userId = account?.id ?? null;
    const verified = await book.move(tx, row, { type: "verify" }, { userId });
    // What else there may be of an address without an account, such as an invitation, a person looks up.
    if (userId === null || (row.kind === "access" && !shown)) return { row: verified, afterwards() {} };
    const [team] = await teams.listOfIn(tx, userId);
    const carried = await requests.carryOut(tx, { ...verified, userId }, { userId, chain: team?.id ?? "server" });
    if (isOver(carried.row) && carried.row.email !== null && carried.row.answer !== null) {
      const { number, answer } = carried.row;
      const link = page("/data-request/receipt", { token: book.receiptToken(row) });
      const recipient = carried.row.email;
      const dedupeKey = `request-done:${row.id}`;
      await mail.queue(tx, {
        ...{ kind: "data_request_done", userId, recipient, dedupeKey },
        data: { number, answer, link },
      });
    }
    return carried;
  };

  return {
    enterUnconfirmed,
    find,
    confirmIn,
    async receive({ kind, email, text }, about) {
      demandSensible(kind, text);
      await limiter.take("support", networkOf(about.ip));
      await limiter.take("mail", lookupEmail(email));
      const row = await db.tx(async (tx) => {
        const entered = await enterUnconfirmed(tx, { kind, channel: "web", email: email.trim(), text });
        const detail = { kind, number: entered.number };
        const entry = { chain: "server", actor: "anonymous", action: "privacy.requested", object: entered.id } as const;
        await audit.record(tx, { ...entry, detail });
        return entered;
      });
      mail.wake();
      return book.view(row);
    },
    async confirm(token, about) {
      await limiter.take("signIn", networkOf(about.ip));
      const waiting = await find(token);
      if (waiting === undefined) throw new PerchError("not_found", "This link has expired or was used already.");
      const { row, afterwards } = await db.tx(async (tx) => {
        const carried = await confirmIn(tx, waiting, { shown: true });
        const { userId, kind, number } = carried.row;
        await audit.record(tx, {
          ...{ chain: "server", actor: userId ?? "anonymous", action: "privacy.request_verified" },
          ...{ object: userId ?? carried.row.id, detail: { kind, number } },
        });
        return carried;
      });
      afterwards();
      mail.wake();
      jobs.wake();
      return row;
    },
  };
}
