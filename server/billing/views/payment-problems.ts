/** What is wrong with paying, the worst first, each with the one step that helps. Pure. */
import type { BudgetView, PaymentProblem } from "../../../shared/billing/billing.ts";
import { PLANS, type PlanId } from "../../../shared/billing/catalogue.ts";
import { durationWords, minutesWords, moneyWords } from "../../../shared/billing/words.ts";
import type { Entitlements } from "../ports.ts";
import type { AccountRow, GrantRow, InvoiceRow, SubscriptionRow } from "./billing-views.repo.ts";
import { dateWords } from "./zone-days.ts";

const TRIAL_WARNING_MS = 3 * 24 * 3_600_000;

export interface PayingFacts {
  readonly entitlements: Entitlements;
  readonly account: AccountRow | undefined;
  readonly subscription: SubscriptionRow | undefined;
  /** The newest first. */
  readonly invoices: readonly InvoiceRow[];
  readonly trial: Pick<GrantRow, "remaining" | "expiresAt"> | undefined;
  readonly budgets: readonly BudgetView[];
  /** Something would pay for a further phone. */
  readonly covered: boolean;
  readonly currency: string;
  readonly now: number;
}

export function paymentProblems(facts: PayingFacts): PaymentProblem[] {
  const found = [unpaid(facts), confirmation(facts), frozen(facts), uncovered(facts), ...budgets(facts)];
  const told = [...found, ends(facts), trialEnds(facts)].filter((one) => one !== undefined);
  const order = ["error", "warn", "info"];
  return told.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

const owed = ({ invoices }: PayingFacts) =>
  invoices.find(({ status, amountDue, amountPaid }) => status === "open" && amountDue > amountPaid);

function unpaid(facts: PayingFacts): PaymentProblem | undefined {
  const { entitlements, currency } = facts;
  const { standing, stopsAt, timeZone } = entitlements;
  if (standing === "good") return undefined;
  const invoice = owed(facts);
  const what = invoice === undefined ? "A payment" : `The payment of ${moneyWords(invoice.amountDue, currency)}`;
  const until = stopsAt === undefined ? "" : dateWords(stopsAt.getTime(), timeZone);
  const step = invoice?.hostedUrl
    ? ({ kind: "open", label: "Pay the invoice", url: invoice.hostedUrl } as const)
    : ({ kind: "portal", label: "Change how you pay" } as const);
  return standing === "grace"
    ? {
        ...{ kind: "payment_failed", severity: "error", title: "A payment failed", step },
        words: `${what} failed. Phones that run go on until ${until}; no further phone starts before it is paid.`,
      }
    : {
        ...{ kind: "stopped", severity: "error", title: "Phones are stopped", step },
        words: `${what} failed and was not made up for. Phones are parked with all that is on them, and start again at once when it is paid.`,
      };
}

function confirmation(facts: PayingFacts): PaymentProblem | undefined {
  const invoice = facts.invoices.find(({ status, needsConfirmation }) => status === "open" && needsConfirmation);
  if (invoice === undefined) return undefined;
  const step = invoice.hostedUrl
    ? ({ kind: "open", label: "Confirm the payment", url: invoice.hostedUrl } as const)
    : ({ kind: "portal", label: "Open the billing portal" } as const);
  return {
    ...{ kind: "confirm_payment", severity: "error", title: "Your bank asks you to confirm", step },
    words: `The payment of ${moneyWords(invoice.amountDue, facts.currency)} waits for you to confirm it at your bank.`,
  };
}

const FROZEN = {
  dispute: "A payment is disputed, so the balance cannot be used until that is settled.",
  fraud_warning:
    "A bank reported that a payment may not be yours, so the balance cannot be used until that is cleared.",
  operator: "The balance was frozen by the operator of this server.",
} as const;

function frozen({ account }: PayingFacts): PaymentProblem | undefined {
  if (account?.frozen === null || account?.frozen === undefined) return undefined;
  return {
    ...{ kind: "frozen", severity: "error", title: "The balance is frozen", words: FROZEN[account.frozen] },
    step: { kind: "support", label: "Write to support" },
  };
}

function uncovered({ covered, entitlements }: PayingFacts): PaymentProblem | undefined {
  if (covered || entitlements.standing !== "good") return undefined;
  const isFree = entitlements.plan === "free";
  return {
    ...{ kind: "uncovered", severity: "warn", title: "No phone time is left" },
    words: isFree
      ? "The minutes of the Free plan are used and the balance is empty, so no phone starts."
      : "The plan's minutes are used and the balance is empty, so no phone starts.",
    step: isFree ? { kind: "plans", label: "Choose a plan" } : { kind: "top_up", label: "Add to the balance" },
  };
}

function budgets({ budgets: all, currency }: PayingFacts): PaymentProblem[] {
  return all
    .filter(({ spent, limit }) => spent >= limit)
    .map(({ scope, name, measure, limit }) => ({
      ...({ kind: "budget", severity: "warn", title: "A budget is used up" } as const),
      words: `${scope === "team" ? "The team's budget" : `The budget of ${name}`} of ${
        measure === "money" ? moneyWords(limit, currency) : durationWords(limit)
      } a month is used up, so its phones are parked and no further one starts.`,
      step: { kind: "budgets", label: "Change the budget" },
    }));
}

const nameOf = (plan: PlanId) => PLANS[plan].name;

function ends({ subscription, entitlements }: PayingFacts): PaymentProblem | undefined {
  if (subscription === undefined) return undefined;
  const at = subscription.cancelAt ?? (subscription.cancelAtPeriodEnd ? subscription.periodEnd : undefined);
  if (at === undefined) return undefined;
  const name = nameOf(entitlements.plan);
  return {
    ...{ kind: "ends", severity: "info", title: `${name} ends` },
    words: `${name} ends on ${dateWords(at.getTime(), entitlements.timeZone)}; after that the Free plan holds. Balance and minutes you bought stay.`,
    step: { kind: "plans", label: `Keep ${name}` },
  };
}

function trialEnds({ trial, entitlements, now }: PayingFacts): PaymentProblem | undefined {
  const at = trial?.expiresAt?.getTime();
  if (trial === undefined || at === undefined || entitlements.plan !== "free") return undefined;
  if (trial.remaining <= 0 || at <= now || at - now > TRIAL_WARNING_MS) return undefined;
  return {
    ...{ kind: "trial_ends", severity: "info", title: "The trial ends soon" },
    words: `The ${minutesWords(trial.remaining)} left of the trial end on ${dateWords(at, entitlements.timeZone)}.`,
    step: { kind: "plans", label: "Choose a plan" },
  };
}
