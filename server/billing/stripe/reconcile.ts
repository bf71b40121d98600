/**
 * Compares what Stripe says with what we hold. Every hour: events that never reached us are taken up. Every night: each
 * subscription, and the invoices, refunds, disputes and purchases of 40 days. A mirror that differs is read again; money is
 * never touched: what does not fit is written down and told to the operator.
 */
import type Stripe from "stripe";
import { newId, type ReconcileRunId, type TeamId, teamId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { JobHandler, Schedule } from "../../jobs/jobs.service.ts";
import { canonicalJson } from "../../limits/idempotency.ts";
import type { Log } from "../../log.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { Ledger } from "../ports.ts";
import type { FindingRow, FindingsRepo, NewFinding } from "./findings.repo.ts";
import type { Mirror } from "./mirror.ts";
import type { ReconcileRepo } from "./reconcile.repo.ts";
import { backKey, REFUND_KEY } from "./refunds.service.ts";
import { isMissing } from "./stripe-errors.ts";
import type { StripeEventsRepo } from "./stripe-events.repo.ts";
import { disputeRow, invoiceRow, refundRow, type Stamp, subscriptionRow } from "./stripe-objects.ts";
import { TEAM_KEY } from "./stripe-prices.ts";
import { EVENT_TYPES, type Topic, topicOf } from "./stripe-topics.ts";
import type { StripeWebhook } from "./webhook.ts";

export const LIGHT_JOB = "stripe.reconcile_light";
export const FULL_JOB = "stripe.reconcile_full";
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Stripe keeps events for 30 days. */
const EVENTS_KEPT_MS = 30 * DAY_MS;
/** Looked at once more: Stripe lists some events late. */
const OVERLAP_MS = HOUR_MS;
/** Younger events may still be on their way, and younger purchases in work. */
const ON_ITS_WAY_MS = 10 * 60_000;
const LOOK_BACK_MS = 40 * DAY_MS;
/** Most that one question of Stripe's may name. */
const TYPES_AT_ONCE = 20;
const PAGE = 100;

export interface ReconcileReport {
  readonly runId: ReconcileRunId;
  readonly looked: number;
  /** New ones of this run. */
  readonly findings: readonly NewFinding[];
}
export interface Reconcile {
  light(signal?: AbortSignal): Promise<ReconcileReport>;
  full(signal?: AbortSignal): Promise<ReconcileReport>;
  /** What nobody put right yet, the newest first. */
  open(): Promise<readonly FindingRow[]>;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

/** Writes a finding down, once. */
type Found = (finding: NewFinding) => Promise<void>;

/** Something of Stripe's that has a row here. */
interface Compared<Row> {
  readonly topic: Topic;
  readonly rows: (ids: readonly string[]) => Promise<readonly Row[]>;
}

export function createReconcile(options: {
  stripe: Stripe;
  db: Database;
  repo: ReconcileRepo;
  events: Pick<StripeEventsRepo, "known">;
  findings: FindingsRepo;
  mirror: Pick<Mirror, "sync">;
  webhook: Pick<StripeWebhook, "take">;
  ledger: Pick<Ledger, "verify">;
  mail: Pick<Mail, "queue" | "wake">;
  clock: Clock;
  log: Log;
  publicUrl: URL;
  /** Where alarms go. */
  supportEmail: string | undefined;
}): Reconcile {
  const { stripe, db, repo, findings, mirror, webhook, clock, log } = options;

  async function run(
    kind: "light" | "full",
    work: (found: Found) => Promise<{ looked: number; eventsUntil: Date | null }>,
  ): Promise<ReconcileReport> {
    const id = newId("reconcileRun");
    await db.tx((tx) => findings.begin(tx, { id, kind, startedAt: new Date(clock.now()) }));
    const made: NewFinding[] = [];
    const { looked, eventsUntil } = await work(async (finding) => {
      if (await db.tx((tx) => findings.add(tx, finding, id))) made.push(finding);
    });
    await db.tx((tx) => findings.finish(tx, id, { finishedAt: new Date(clock.now()), eventsUntil, looked }));
    await alarm(id, made);
    return { runId: id, looked, findings: made };
  }

  /** About what somebody has to look at. */
  async function alarm(runId: ReconcileRunId, made: readonly NewFinding[]): Promise<void> {
    const open = made.filter(({ isRepaired }) => isRepaired !== true);
    if (open.length === 0) return;
    log.error("The books do not fit with Stripe", { count: open.length, kind: open[0]?.kind ?? "" });
    const { supportEmail, mail } = options;
    if (supportEmail === undefined) return;
    const many = open.length === 1 ? "One thing does" : `${open.length} things do`;
    await db.tx((tx) =>
      mail.queue(tx, {
        ...{ kind: "operator_notice", recipient: supportEmail, dedupeKey: `reconcile:${runId}` },
        data: {
          subject: "Billing: the books do not fit with Stripe",
          what: `${many} not fit between Stripe and our books. No money was touched. See: npm run admin -- billing findings.`,
          link: new URL("/operator", options.publicUrl).href,
        },
      }),
    );
    mail.wake();
  }

  /** Takes up events that never came; gives how many Stripe has. */
  async function missedEvents(since: Date, found: Found, signal?: AbortSignal) {
    let looked = 0;
    for (let at = 0; at < EVENT_TYPES.length; at += TYPES_AT_ONCE) {
      const types = EVENT_TYPES.slice(at, at + TYPES_AT_ONCE);
      const created = { gte: Math.floor(since.getTime() / 1_000) };
      for await (const events of pages((page) => stripe.events.list({ ...page, types, created }), signal)) {
        looked += events.length;
        const known = await options.events.known(events.map(({ id }) => id));
        for (const event of [...events].reverse()) {
          if (known.has(event.id)) continue;
          const createdAt = new Date(event.created * 1_000);
          const objectId = idIn(event.data.object);
          if (objectId === undefined || topicOf(event.type) === undefined) continue;
          const { id, type, livemode, api_version: apiVersion } = event;
          const isTaken = await webhook.take({ id, type, livemode, apiVersion, objectId, createdAt });
          if (!isTaken || clock.now() - createdAt.getTime() < ON_ITS_WAY_MS) continue;
          const words = `${type} never came; it was taken up.`;
          await found({ kind: "missed_event", objectId: id, words, isRepaired: true });
        }
      }
    }
    return looked;
  }

  /** Reads again what differs. Gives which ids Stripe has. */
  async function compare<O extends { readonly id: string }, Row extends Stamp & { readonly id: string }>(
    { topic, rows }: Compared<Row>,
    objects: AsyncIterable<readonly O[]>,
    rowOf: (object: O, stamp: Stamp, stored: Row) => Row,
    found: Found,
  ): Promise<ReadonlySet<string>> {
    const seen = new Set<string>();
    for await (const some of objects) {
      const stored = new Map((await rows(some.map(({ id }) => id))).map((row) => [row.id, row]));
      for (const object of some) {
        seen.add(object.id);
        const row = stored.get(object.id);
        if (row !== undefined && canonicalJson(rowOf(object, row, row)) === canonicalJson(row)) continue;
        await mirror.sync(topic, object.id);
        const [now] = await rows([object.id]);
        // Whose customer is no team's has no row; that is a finding of its own.
        if (now === undefined) continue;
        const words = row === undefined ? `A ${topic} was missing here.` : `A ${topic} was not up to date here.`;
        await found({ kind: "mirror_repaired", objectId: object.id, words, teamId: now.teamId, isRepaired: true });
      }
    }
    return seen;
  }

  /** What the mirror took to be running and Stripe does not list any more. */
  async function ended(id: string, found: Found): Promise<void> {
    await mirror.sync("subscription", id);
    const [row] = await repo.subscriptions([id]);
    const words = "A subscription that ended was taken to be running here.";
    if (row !== undefined) {
      await found({ kind: "mirror_repaired", objectId: id, words, teamId: row.teamId, isRepaired: true });
    }
  }

  async function purchases(since: Date, found: Found, signal?: AbortSignal) {
    const created = { gte: Math.floor(since.getTime() / 1_000) };
    const paid = new Set<string>();
    let looked = 0;
    const list = (page: Page) => stripe.checkout.sessions.list({ ...page, created, status: "complete" });
    for await (const sessions of pages(list, signal)) {
      looked += sessions.length;
      const sold = sessions.filter(isPaidPurchase);
      const ids = sold.map(({ id }) => id);
      const entries = new Map((await repo.entriesOf(ids)).map((entry) => [entry.sourceId, entry]));
      const rows = new Map((await repo.sold(ids)).map((row) => [row.sessionId, row]));
      for (const session of sold) {
        paid.add(session.id);
        const entry = entries.get(session.id);
        const teamId = rows.get(session.id)?.teamId ?? entry?.teamId ?? undefined;
        if (clock.now() - session.created * 1_000 < ON_ITS_WAY_MS || (await isOfGoneTeam(session.metadata))) continue;
        await purchase(session, entry?.credited, teamId, found);
      }
    }
    for (const { sourceId, teamId } of await repo.entriesSince(new Date(since.getTime() + DAY_MS))) {
      if (paid.has(sourceId) || (await wasPaid(sourceId))) continue;
      const words = "The ledger has a purchase that Stripe was not paid for.";
      await found({ kind: "entry_without_money", objectId: sourceId, words, teamId: teamId ?? undefined });
    }
    return looked;
  }

  /** Of a purchase that may be older than what was listed: it can be given long after it was made. */
  async function wasPaid(sessionId: string): Promise<boolean> {
    try {
      return isPaidPurchase(await stripe.checkout.sessions.retrieve(sessionId));
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** What joined entries to a purchase or refund went with the team. */
  async function isOfGoneTeam(metadata: Stripe.Metadata | null): Promise<boolean> {
    const team = teamId.safeParse(metadata?.[TEAM_KEY]);
    return team.success && !(await repo.isTeam(team.data));
  }

  /** Money that went back against what the balances were debited with. */
  async function refundsFit(refunds: readonly Stripe.Refund[], since: Date, found: Found): Promise<void> {
    const entries = new Map(
      (await repo.refundsSince(new Date(since.getTime() - DAY_MS))).map((one) => [one.sourceId, one]),
    );
    const asked = new Map<string, Stripe.Refund>();
    for (const refund of refunds) {
      const key = refund.metadata?.[REFUND_KEY];
      if (key !== undefined) asked.set(key, refund);
    }
    for (const [key, { id, amount, status, metadata }] of asked) {
      const entry = entries.get(key);
      const teamId = entry?.teamId ?? undefined;
      if (entry === undefined) {
        const words = "Money went back that no balance was debited with.";
        if (!(await isOfGoneTeam(metadata))) await found({ kind: "money_without_entry", objectId: id, words });
      } else if (entry.delta !== -amount) {
        const words = `${amount} went back, the balance was debited with ${-entry.delta}.`;
        await found({ kind: "amount_differs", objectId: id, words, teamId });
      } else if ((status === "failed" || status === "canceled") && !entries.has(backKey(key))) {
        const words = "A refund failed, and what it took is not back in the balance.";
        await found({ kind: "entry_without_money", objectId: id, words, teamId });
      }
    }
    for (const { sourceId, teamId, delta, createdAt } of entries.values()) {
      const isYoung = clock.now() - createdAt.getTime() < DAY_MS || createdAt < since;
      if (delta >= 0 || isYoung || asked.has(sourceId) || entries.has(backKey(sourceId))) continue;
      const words = "A balance was debited for a refund that Stripe knows nothing of.";
      await found({ kind: "entry_without_money", objectId: sourceId, words, teamId: teamId ?? undefined });
    }
  }

  async function purchase(
    session: Stripe.Checkout.Session,
    credited: number | undefined,
    teamId: TeamId | undefined,
    found: Found,
  ): Promise<void> {
    const about = { objectId: session.id, teamId };
    if (credited === undefined) {
      await found({
        ...about,
        kind: "money_without_entry",
        words: "A purchase was paid, and nothing was given for it.",
      });
      return;
    }
    const net = (session.amount_total ?? 0) - (session.total_details?.amount_tax ?? 0);
    if (credited === 0 || credited === net) return;
    await found({ ...about, kind: "amount_differs", words: `${net} was paid, ${credited} was put into the balance.` });
  }

  async function light(signal?: AbortSignal): Promise<ReconcileReport> {
    const startedAt = new Date(clock.now());
    const earliest = startedAt.getTime() - EVENTS_KEPT_MS;
    const last = await findings.eventsUntil();
    const since = new Date(Math.max(earliest, (last?.getTime() ?? earliest) - OVERLAP_MS));
    return run("light", async (found) => ({
      looked: await missedEvents(since, found, signal),
      eventsUntil: startedAt,
    }));
  }

  async function full(signal?: AbortSignal): Promise<ReconcileReport> {
    const since = new Date(clock.now() - LOOK_BACK_MS);
    const created = { gte: Math.floor(since.getTime() / 1_000) };
    return run("full", async (found) => {
      const running = await compare(
        { topic: "subscription", rows: repo.subscriptions },
        pages((page) => stripe.subscriptions.list(page), signal),
        subscriptionRow,
        found,
      );
      for (const id of await repo.running()) if (!running.has(id)) await ended(id, found);
      const invoices = await compare(
        { topic: "invoice", rows: repo.invoices },
        pages((page) => stripe.invoices.list({ ...page, created }), signal),
        // Whether a bank waits for a person is not in a list.
        (invoice, stamp, { needsConfirmation }) => ({ ...invoiceRow(invoice, stamp), needsConfirmation }),
        found,
      );
      const given: Stripe.Refund[] = [];
      const refunds = await compare(
        { topic: "refund", rows: repo.moneyBack },
        noted(
          given,
          pages((page) => stripe.refunds.list({ ...page, created }), signal),
        ),
        (refund, stamp, { sourceId }) => ({ ...refundRow(refund, stamp), sourceId }),
        found,
      );
      await refundsFit(given, since, found);
      const disputes = await compare(
        { topic: "dispute", rows: repo.moneyBack },
        pages((page) => stripe.disputes.list({ ...page, created }), signal),
        disputeRow,
        found,
      );
      const sold = await purchases(since, found, signal);
      for (const { grantId, cached, counted } of await options.ledger.verify(db.read)) {
        const words = `A sum says ${cached}, its entries come to ${counted}.`;
        await found({ kind: "balance_differs", objectId: grantId, words });
      }
      const looked = [running, invoices, refunds, disputes].reduce((sum, { size }) => sum + size, sold);
      return { looked, eventsUntil: null };
    });
  }

  return {
    light,
    full,
    open: () => findings.open(),
    jobs: {
      [LIGHT_JOB]: async (_input, { signal }) => void (await light(signal)),
      [FULL_JOB]: async (_input, { signal }) => void (await full(signal)),
    },
    schedules: [
      { kind: LIGHT_JOB, everyMs: HOUR_MS },
      { kind: FULL_JOB, everyMs: DAY_MS },
    ],
  };
}

interface Page {
  readonly limit: number;
  readonly starting_after?: string;
}

/** Every page of a list of Stripe's, the newest first. */
async function* pages<O extends { readonly id: string }>(
  list: (page: Page) => Promise<{ readonly data: readonly O[]; readonly has_more: boolean }>,
  signal?: AbortSignal,
): AsyncGenerator<readonly O[]> {
  let after: string | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const { data, has_more } = await list({ limit: PAGE, ...(after !== undefined && { starting_after: after }) });
    if (data.length > 0) yield data;
    after = data.at(-1)?.id;
    if (!has_more || after === undefined) return;
  }
}

/** The same pages, and what was on them kept. */
async function* noted<O>(kept: O[], from: AsyncIterable<readonly O[]>): AsyncGenerator<readonly O[]> {
  for await (const some of from) {
    kept.push(...some);
    yield some;
  }
}

function isPaidPurchase({ mode, payment_status }: Stripe.Checkout.Session): boolean {
  return mode === "payment" && payment_status === "paid";
}

function idIn(object: object): string | undefined {
  return "id" in object && typeof object.id === "string" ? object.id : undefined;
}
