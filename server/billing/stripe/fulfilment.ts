/**
 * Gives what a Checkout session bought, once, whether the person comes back or Stripe tells us first, however often. What was
 * asked for stands in our own row; of Stripe's session counts whether and how much was paid.
 */
import type Stripe from "stripe";
import { CURRENCY, PACKS, TOP_UP_IDS } from "../../../shared/billing/catalogue.ts";
import { moneyWords } from "../../../shared/billing/words.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import type { Ledger } from "../ports.ts";
import type { CheckoutRow, CheckoutsRepo } from "./checkouts.repo.ts";
import type { FindingsRepo, NewFinding } from "./findings.repo.ts";
import type { MirrorRepo } from "./mirror.repo.ts";
import type { WaySaved } from "./saved-way.ts";
import { idOf } from "./stripe-prices.ts";

const DAY_MS = 24 * 3_600_000;

export interface Fulfilment {
  fulfil(session: Stripe.Checkout.Session): Promise<void>;
}

export function createFulfilment(options: {
  db: Database;
  repo: CheckoutsRepo;
  mirrorRepo: Pick<MirrorRepo, "teamOf">;
  ledger: Pick<Ledger, "grant" | "credit">;
  findings: Pick<FindingsRepo, "add">;
  audit: Audit;
  clock: Clock;
  /** Mirrors a subscription that was bought. */
  mirrorSubscription: (id: string) => Promise<void>;
  /** A way to pay that was saved without buying anything. */
  waySaved: WaySaved;
}): Fulfilment {
  const { db, repo, mirrorRepo, ledger, findings, audit, clock } = options;

  /** What was paid without tax, and what does not fit. */
  function paid(session: Stripe.Checkout.Session, row: CheckoutRow): { amount: number; finding?: NewFinding } {
    const net = (session.amount_total ?? 0) - (session.total_details?.amount_tax ?? 0);
    const currency = session.currency ?? row.currency;
    const same = currency === row.currency && (currency === CURRENCY || row.amount === 0);
    if (same && net === row.amount) return { amount: net };
    const finding: NewFinding = {
      kind: "amount_differs",
      objectId: session.id,
      teamId: row.teamId,
      words: `${moneyWords(row.amount, row.currency)} was asked for, ${moneyWords(net, currency)} was paid.`,
    };
    return { amount: same ? net : 0, finding };
  }

  /** Phone time is given for its price or more; into the balance goes what was paid. */
  async function give(tx: Writer, row: CheckoutRow, sessionId: string, amount: number, at: Date): Promise<void> {
    const bought = row.what.replace(/^perch_/, "");
    const source = { teamId: row.teamId, source: "checkout", sourceId: sessionId } as const;
    if (TOP_UP_IDS.some((id) => id === bought)) {
      if (amount > 0) await ledger.credit(tx, { ...source, amount });
      return;
    }
    const pack = Object.values(PACKS).find(({ id }) => id === bought);
    if (pack === undefined || amount < row.amount) return;
    const expiresAt = new Date(at.getTime() + pack.days * DAY_MS);
    await ledger.grant(tx, { ...source, kind: "pack", name: pack.name, ms: pack.ms, startsAt: at, expiresAt });
  }

  return {
    async fulfil(session) {
      const row = await repo.bySession(db.read, session.id, session.client_reference_id);
      const state = stateOf(session);
      if (row === undefined) {
        if (state !== "paid" || session.mode === "setup") return;
        const customerId = idOf(session.customer) ?? "";
        await db.tx(async (tx) => {
          const words = "A session was paid that this server knows nothing of.";
          const teamId = await mirrorRepo.teamOf(tx, customerId);
          await findings.add(tx, { kind: "money_without_entry", objectId: session.id, words, teamId });
        });
        return;
      }
      const subscription = idOf(session.subscription);
      if (state === "paid" && subscription !== undefined) await options.mirrorSubscription(subscription);
      await db.tx(async (tx) => {
        if (state !== "paid") return repo.setState(tx, row.id, state);
        const owner = await mirrorRepo.teamOf(tx, idOf(session.customer) ?? "");
        if (owner !== row.teamId) {
          const words = "A purchase was paid by a customer that is not the team's.";
          await findings.add(tx, { kind: "unknown_customer", objectId: session.id, teamId: row.teamId, words });
          return;
        }
        const at = new Date(clock.now());
        if (!(await repo.fulfil(tx, row.id, session.id, at))) return;
        const { amount, finding } = paid(session, row);
        if (session.mode === "payment") await give(tx, row, session.id, amount, at);
        if (session.mode === "setup") {
          const { teamId } = row;
          await options.waySaved(tx, { teamId, customerId: idOf(session.customer) ?? "", sessionId: session.id });
        }
        if (finding !== undefined && session.mode === "payment") await findings.add(tx, finding);
        await audit.record(tx, {
          ...{ chain: row.teamId, actor: row.startedBy ?? "server", action: "billing.purchased", object: row.id },
          detail: { what: row.what },
        });
      });
    },
  };
}

/** Of a session, and of the payment behind it where that was read along. */
function stateOf(session: Stripe.Checkout.Session): CheckoutRow["state"] {
  const { status, payment_status, payment_intent } = session;
  if (status === "expired") return "expired";
  if (status !== "complete") return "open";
  if (payment_status === "paid" || payment_status === "no_payment_required") return "paid";
  const failed = typeof payment_intent === "object" && payment_intent !== null ? payment_intent.status : undefined;
  return failed === "requires_payment_method" || failed === "canceled" ? "expired" : "processing";
}
