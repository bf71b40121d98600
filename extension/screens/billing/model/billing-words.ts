/** What the billing screen says of a plan, of the minutes left and of what comes after them. */
import type { BillingSummary, BudgetView, GrantView, Money } from "../../../../shared/billing/billing.ts";
import type { Cycle } from "../../../../shared/billing/catalogue.ts";
import { durationWords, moneyWords, rateWords } from "../../../../shared/billing/words.ts";
import { calendarDate, clockTime } from "../../phone/model/run-time.ts";

export type Tone = "neutral" | "accent" | "warn" | "bad";

const DAY_MS = 86_400_000;

export const CYCLE_WORDS = { month: "a month", year: "a year" } as const satisfies Record<Cycle, string>;
export const CYCLE_NAMES = { month: "monthly", year: "yearly" } as const satisfies Record<Cycle, string>;

export const priceWords = ({ amount, currency }: Money) => moneyWords(amount, currency);

type Plan = BillingSummary["plan"];

/** `$12.00 a month`; of a plan without a price, what that means. */
export function planPrice({ price, cycle }: Plan): string {
  return price === undefined || cycle === undefined ? "Costs nothing" : `${priceWords(price)} ${CYCLE_WORDS[cycle]}`;
}

/** Where the plan stands, in the order in which it matters. */
export function planState(plan: Plan, nowMs: number): { readonly words: string; readonly tone: Tone } | undefined {
  const { status, endsAt, pausedAt, renewsAt } = plan;
  if (status === "past_due" || status === "unpaid") return { words: "Payment failed", tone: "bad" };
  if (status === "incomplete") return { words: "Payment not finished", tone: "warn" };
  if (pausedAt !== undefined) return { words: `Paused since ${calendarDate(pausedAt, nowMs)}`, tone: "warn" };
  if (endsAt !== undefined) return { words: `Ends ${calendarDate(endsAt, nowMs)}`, tone: "warn" };
  if (renewsAt !== undefined) return { words: `Renews ${calendarDate(renewsAt, nowMs)}`, tone: "neutral" };
  return undefined;
}

/** One part of the bar: how wide, and of which kind. Widths are percent of all that was given, and sum to 100 at most. */
export interface GrantPart {
  readonly kind: GrantView["kind"];
  readonly name: string;
  readonly percent: number;
}

export function grantParts(grants: readonly GrantView[]): readonly GrantPart[] {
  const total = grants.reduce((sum, { totalMs }) => sum + totalMs, 0);
  return grants
    .filter(({ remainingMs }) => remainingMs > 0)
    .map(({ kind, name, remainingMs }) => ({ kind, name, percent: total === 0 ? 0 : (remainingMs / total) * 100 }));
}

/** How long the minutes last. Undefined when there are none to last. */
export function forecastWords(
  { minutesLeftMs, minutesEndAt, period }: Pick<BillingSummary, "minutesLeftMs" | "minutesEndAt" | "period">,
  nowMs: number,
): string | undefined {
  if (minutesLeftMs < 60_000) return undefined;
  if (minutesEndAt === undefined)
    return `At this pace they outlast the month, which ends ${calendarDate(period.to, nowMs)}.`;
  const left = Date.parse(minutesEndAt) - nowMs;
  if (left <= 0) return "At this pace they end now.";
  return `At this pace they last until ${left < DAY_MS ? momentWords(minutesEndAt, nowMs) : calendarDate(minutesEndAt, nowMs)}.`;
}

/** A moment within a day: `14:05`, or `14:05 tomorrow`. */
export function momentWords(at: string, nowMs: number): string {
  const sameDay = new Date(at).toDateString() === new Date(nowMs).toDateString();
  return sameDay ? clockTime(at) : `${clockTime(at)} tomorrow`;
}

export type Covers = Pick<BillingSummary, "wallet" | "overage" | "payAsYouGo" | "currency" | "minutesLeftMs">;
/** What pays for time once the minutes are gone: never a surprise. */
export function afterWords({ wallet, overage, payAsYouGo, currency, minutesLeftMs }: Covers): string {
  const rate = `${rateWords(payAsYouGo.perHour, currency)} per phone, at most ${moneyWords(payAsYouGo.dailyCap, currency)} a day`;
  const start = minutesLeftMs < 60_000 ? "Now" : "Then";
  const room = overage.allowed && overage.cap > overage.spent;
  if (wallet.balance > 0 && !wallet.frozen) return `${start} the balance: ${rate}.`;
  if (room) return `${start} the invoice: ${rate}.`;
  return minutesLeftMs < 60_000
    ? "Nothing covers phones now, so none starts."
    : "Then phones are parked, because nothing else covers them.";
}

/** How full a budget is: 0 to 100, and what that means. */
export function budgetState({ limit, spent }: BudgetView): { readonly percent: number; readonly tone: Tone } {
  const percent = Math.min(100, Math.floor((spent / limit) * 100));
  return { percent, tone: percent >= 100 ? "bad" : percent >= 80 ? "warn" : "neutral" };
}

export function budgetWords({ measure, limit, spent }: BudgetView, currency: string): string {
  const words = (value: number) => (measure === "money" ? moneyWords(value, currency) : durationWords(value));
  return `${words(spent)} of ${words(limit)} this month`;
}

/** The nearest of all budgets, for the line that leads to them. */
export function budgetsGlance(budgets: readonly BudgetView[]): string {
  if (budgets.length === 0) return "None set";
  const highest = Math.max(...budgets.map((budget) => budgetState(budget).percent));
  return `${budgets.length === 1 ? "1 set" : `${budgets.length} set`}, ${budgets.length === 1 ? "at" : "highest at"} ${highest} %`;
}

/** `5 GB`, `512 MB`. */
export function storageWords(mb: number): string {
  return mb < 1_024 ? `${mb} MB` : `${Number((mb / 1_024).toFixed(1))} GB`;
}

/** People to ask, in words: `Ask Ada or Ben.` */
export function askWords(names: readonly string[]): string {
  const shown = names.slice(0, 3);
  if (shown.length === 0) return "Ask an owner of the team.";
  return `Ask ${shown.length === 1 ? shown[0] : `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`}.`;
}
