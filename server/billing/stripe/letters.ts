/** Mail about money, to those who pay. Each is named after what it is about, so that it is sent once. */
import { moneyWords } from "../../../shared/billing/words.ts";
import type { TeamId } from "../../../shared/ids.ts";
import type { Writer } from "../../db/database.ts";
import type { Mail, NewMail } from "../../mail/mail.service.ts";
import type { MirrorRepo } from "./mirror.repo.ts";
import type { InvoiceRow } from "./stripe-objects.ts";

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
export const dayWords = (at: Date) => DAY.format(at);

type Letter = { [K in NewMail["kind"]]: Pick<Extract<NewMail, { kind: K }>, "kind" | "data"> }[NewMail["kind"]];

export interface Letters {
  receipt(tx: Writer, invoice: InvoiceRow): Promise<void>;
  paymentFailed(tx: Writer, invoice: InvoiceRow, stopsAt: Date): Promise<void>;
  paymentConfirmation(tx: Writer, invoice: InvoiceRow): Promise<void>;
  subscriptionEnded(tx: Writer, teamId: TeamId, subscriptionId: string, plan: string, at: Date): Promise<void>;
  balanceFrozen(tx: Writer, teamId: TeamId, objectId: string, why: string): Promise<void>;
  refund(tx: Writer, teamId: TeamId, refundId: string, money: { amount: number; currency: string }): Promise<void>;
  trialEnding(tx: Writer, teamId: TeamId, left: string, endsAt: Date): Promise<void>;
  wake(): void;
}

export function createLetters(options: {
  repo: Pick<MirrorRepo, "payers" | "teamName">;
  mail: Pick<Mail, "queue" | "wake">;
  publicUrl: URL;
}): Letters {
  const { repo, mail, publicUrl } = options;
  const billing = new URL("/billing", publicUrl).href;
  const page = ({ id }: InvoiceRow) => new URL(`/billing/invoice?id=${encodeURIComponent(id)}`, publicUrl).href;
  const support = new URL("/support", publicUrl).href;

  async function send(tx: Writer, teamId: TeamId, key: string, letter: (teamName: string) => Letter): Promise<void> {
    const people = await repo.payers(tx, teamId);
    if (people.length === 0) return;
    const made = letter(await repo.teamName(tx, teamId));
    for (const { userId, email } of people) {
      await mail.queue(tx, { ...made, recipient: email, userId, dedupeKey: `billing:${key}:${userId}` });
    }
  }
  const due = ({ amountDue, currency }: InvoiceRow) => moneyWords(amountDue, currency);

  return {
    receipt: (tx, invoice) =>
      send(tx, invoice.teamId, `receipt:${invoice.id}`, () => ({
        kind: "receipt",
        data: {
          number: invoice.number ?? "",
          amount: moneyWords(invoice.amountPaid, invoice.currency),
          period: `${invoice.words}, ${periodWords(invoice)}`,
          link: page(invoice),
        },
      })),
    paymentFailed(tx, invoice, stopsAt) {
      const { nextAttemptAt } = invoice;
      const again = nextAttemptAt === null ? "" : `It is tried again on ${dayWords(nextAttemptAt)}. `;
      const what = `${again}Until it is paid no further phone starts, and on ${dayWords(stopsAt)} running phones are parked.`;
      return send(tx, invoice.teamId, `payment_failed:${invoice.id}:${invoice.attempts}`, (teamName) => ({
        kind: "payment_failed",
        data: { teamName, amount: due(invoice), what, link: page(invoice) },
      }));
    },
    paymentConfirmation: (tx, invoice) =>
      send(tx, invoice.teamId, `confirm:${invoice.id}:${invoice.attempts}`, (teamName) => ({
        kind: "payment_confirmation",
        data: { teamName, amount: due(invoice), link: page(invoice) },
      })),
    subscriptionEnded: (tx, teamId, subscriptionId, plan, at) =>
      send(tx, teamId, `ended:${subscriptionId}`, (teamName) => ({
        kind: "subscription_ended",
        data: { teamName, plan, at: `${MOMENT.format(at)} UTC`, link: billing },
      })),
    balanceFrozen: (tx, teamId, objectId, why) =>
      send(tx, teamId, `frozen:${objectId}`, (teamName) => ({
        kind: "balance_frozen",
        data: { teamName, why, supportLink: support },
      })),
    refund: (tx, teamId, refundId, { amount, currency }) =>
      send(tx, teamId, `refund:${refundId}`, (teamName) => ({
        kind: "refund",
        data: { teamName, amount: moneyWords(amount, currency), what: "it was given back.", link: billing },
      })),
    trialEnding: (tx, teamId, left, endsAt) =>
      send(tx, teamId, `trial_ending:${teamId}`, (teamName) => ({
        kind: "trial_ending",
        data: { teamName, left, endsAt: dayWords(endsAt), link: billing },
      })),
    wake: () => mail.wake(),
  };
}

function periodWords({ periodStart, periodEnd }: InvoiceRow): string {
  const from = dayWords(periodStart);
  return periodEnd.getTime() - periodStart.getTime() < 24 * 3_600_000 ? from : `${from} to ${dayWords(periodEnd)}`;
}
