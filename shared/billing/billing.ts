/** Billing as both sides see it: inputs and views of `billing.*` and `usage.*`. Money is integer minor units, times ISO 8601. */
import { z } from "zod";
import { budgetId, checkoutId, phoneId, usageIntervalId, userId } from "../ids.ts";
import { ADD_ON_IDS, CYCLES, PACK_IDS, PLAN_IDS, TOP_UP_IDS } from "./catalogue.ts";

const day = z.iso.date("Write a date as 2026-11-26.");
const idempotencyKey = z.string().min(8, "Send a key of at least 8 characters.").max(100);
/** What the person saw: a purchase at another price is refused. */
const shownPrice = z.strictObject({ amount: z.int().min(0), currency: z.string().length(3) });
const quantity = z
  .int("Give a whole number.")
  .min(0, "A number cannot be below zero.")
  .max(1_000, "Ask us for more than 1,000.");

export const PAID_PLAN_IDS = PLAN_IDS.filter((id) => id !== "free");
const paidPlan = z.enum(["solo", "team"], { error: "There is no such plan. Choose Solo or Team." });
const cycle = z.enum(CYCLES);
const addOn = z.enum(ADD_ON_IDS, { error: "There is no such add-on." });

export const checkoutInput = z.strictObject({
  buy: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("plan"), plan: paidPlan, cycle }),
    z.strictObject({ kind: z.literal("pack"), pack: z.enum(PACK_IDS, { error: "There is no such pack." }) }),
    z.strictObject({ kind: z.literal("top_up"), topUp: z.enum(TOP_UP_IDS, { error: "There is no such amount." }) }),
    /** A way to pay for later, without buying anything now. */
    z.strictObject({ kind: z.literal("payment_method") }),
  ]),
  shown: shownPrice.optional(),
  idempotencyKey,
});
/** Changes of a subscription that is there: previewed first, made with the amount that was shown. */
export const changeInput = z.strictObject({
  plan: paidPlan.optional(),
  cycle: cycle.optional(),
  addOns: z.array(z.strictObject({ addOn, quantity })).max(4).default([]),
});
export const applyChangeInput = z.strictObject({
  change: changeInput,
  /** Below zero: what is credited. */
  shown: z.strictObject({ amount: z.int(), currency: z.string().length(3) }),
  prorationAt: z.iso.datetime(),
  idempotencyKey,
});
export const subscriptionActInput = z.strictObject({
  act: z.enum(["cancel_at_period_end", "keep", "pause", "resume"]),
  idempotencyKey,
});
export const overageInput = z.strictObject({
  allowed: z.boolean(),
  /** Most that may be charged by invoice in one period. */
  cap: z.int().min(0).max(100_000_00),
});
export const settingsInput = z.strictObject({ timeZone: z.string().min(1).max(64) });
export const dedicateInput = z.strictObject({ phoneId, dedicated: z.boolean() });
export const BUDGET_SCOPES = ["team", "member", "phone"] as const;
export const BUDGET_MEASURES = ["money", "time"] as const;
export const budgetInput = z.strictObject({
  scope: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("team") }),
    z.strictObject({ kind: z.literal("member"), userId }),
    z.strictObject({ kind: z.literal("phone"), phoneId }),
  ]),
  measure: z.enum(BUDGET_MEASURES),
  /** A month: minor units of money, or milliseconds of phone time. */
  limit: z.int().min(1, "Give more than zero.").max(Number.MAX_SAFE_INTEGER),
});
export const removeBudgetInput = z.strictObject({ budgetId });
export const refundInput = z.strictObject({ amount: z.int().min(1, "Give more than zero."), idempotencyKey });
export const checkoutRef = z.strictObject({ checkoutId });
export const previewStartInput = z.strictObject({ phoneId: z.optional(phoneId) });

export const usageRangeInput = z.strictObject({ from: day.optional(), to: day.optional() });
export const USAGE_BY = ["phone", "member", "flow"] as const;
export const usageDaysInput = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  by: z.enum(USAGE_BY).default("phone"),
});
export const usageLinesInput = z.strictObject({
  from: day.optional(),
  to: day.optional(),
  phoneId: z.optional(phoneId),
  cursor: z.string().max(200).optional(),
});
export const usageLineRef = z.strictObject({ intervalId: usageIntervalId });

/** How this server bills. */
export const BILLING_MODES = ["stripe", "sandbox", "off"] as const;
export type BillingMode = (typeof BILLING_MODES)[number];

export interface Money {
  readonly amount: number;
  readonly currency: string;
}

/** One clear next step for what is wrong with paying. */
export interface PaymentProblem {
  readonly kind:
    | "payment_failed"
    | "confirm_payment"
    | "stopped"
    | "frozen"
    | "uncovered"
    | "budget"
    | "ends"
    | "trial_ends";
  readonly severity: "info" | "warn" | "error";
  readonly title: string;
  readonly words: string;
  readonly step?:
    | { readonly kind: "open"; readonly label: string; readonly url: string }
    | { readonly kind: "portal" | "top_up" | "plans" | "budgets" | "support"; readonly label: string };
}

export interface GrantView {
  readonly kind: "plan" | "pack" | "promo";
  readonly name: string;
  readonly totalMs: number;
  readonly remainingMs: number;
  readonly expiresAt?: string;
}

export interface RunningCost {
  readonly phoneId: string;
  readonly name: string;
  readonly since: string;
  /** What covers it now. */
  readonly cover: string;
  /** `Plan minutes`, `Balance, $0.12/h`. */
  readonly words: string;
  /** Minor units an hour at this moment; left out for who may not see money. */
  readonly perHour?: number;
}

/** What runs and what it costs, for everybody who may see phones; money is left out for roles without it. */
export interface BurnView {
  readonly mode: BillingMode;
  readonly currency: string;
  readonly running: readonly RunningCost[];
  readonly perHour?: number;
  /** `2 phones running, $0.24/h`. */
  readonly words: string;
  /** When, as things run now, nothing covers it any more. */
  readonly coveredUntil?: string;
}

export interface BillingSummary {
  readonly mode: BillingMode;
  readonly currency: string;
  readonly plan: {
    readonly id: (typeof PLAN_IDS)[number];
    readonly name: string;
    readonly cycle?: (typeof CYCLES)[number];
    readonly price?: Money;
    /** Stripe's status in its own words; left out on Free. */
    readonly status?: string;
    readonly renewsAt?: string;
    readonly endsAt?: string;
    readonly pausedAt?: string;
  };
  readonly addOns: readonly {
    readonly id: (typeof ADD_ON_IDS)[number];
    readonly name: string;
    readonly quantity: number;
    readonly inUse?: number;
    readonly price: Money;
  }[];
  readonly seats: { readonly used: number; readonly allowed: number };
  readonly phonesAtOnce: { readonly used: number; readonly allowed: number };
  readonly storage: { readonly usedMb: number; readonly allowedMb: number };
  readonly dedicatedPhones: readonly string[];
  readonly period: { readonly from: string; readonly to: string };
  readonly grants: readonly GrantView[];
  readonly minutesLeftMs: number;
  /** When the minutes left end, at the pace of the last 7 days; left out when they outlast the period. */
  readonly minutesEndAt?: string;
  readonly wallet: { readonly balance: number; readonly frozen: boolean; readonly refundable: number };
  readonly overage: { readonly allowed: boolean; readonly cap: number; readonly spent: number };
  readonly payAsYouGo: { readonly perHour: number; readonly dailyCap: number };
  readonly timeZone: string;
  readonly burn: BurnView;
  readonly problems: readonly PaymentProblem[];
  readonly budgets: readonly BudgetView[];
}

export interface BudgetView {
  readonly id: string;
  readonly scope: (typeof BUDGET_SCOPES)[number];
  /** Of the phone or member; `The whole team`. */
  readonly name: string;
  readonly phoneId?: string;
  readonly userId?: string;
  readonly measure: (typeof BUDGET_MEASURES)[number];
  readonly limit: number;
  readonly spent: number;
  readonly month: string;
}

export interface PlanOffer {
  readonly id: (typeof PLAN_IDS)[number];
  readonly name: string;
  readonly about: string;
  readonly prices: Readonly<Record<(typeof CYCLES)[number], Money>>;
  readonly includedMs: number;
  readonly phonesAtOnce: number;
  readonly seats: number;
  readonly storageMb: number;
  readonly current: boolean;
}
export interface PlansView {
  readonly plans: readonly PlanOffer[];
  readonly addOns: readonly {
    readonly id: (typeof ADD_ON_IDS)[number];
    readonly name: string;
    readonly about: string;
    readonly prices: Readonly<Record<(typeof CYCLES)[number], Money>>;
  }[];
  readonly packs: readonly {
    readonly id: (typeof PACK_IDS)[number];
    readonly name: string;
    readonly ms: number;
    readonly days: number;
    readonly price: Money;
  }[];
  readonly topUps: readonly { readonly id: (typeof TOP_UP_IDS)[number]; readonly price: Money }[];
}

export interface CheckoutView {
  readonly id: string;
  readonly url: string;
  readonly expiresAt: string;
}
export interface CheckoutState {
  readonly state: "open" | "paid" | "processing" | "expired";
  readonly words: string;
}
export interface ChangePreview {
  /** Due now, or credited when below zero. */
  readonly due: Money;
  readonly next: Money;
  readonly nextAt: string;
  readonly lines: readonly { readonly words: string; readonly amount: number }[];
  /** To send back with the change. */
  readonly prorationAt: string;
}

export interface InvoiceView {
  readonly id: string;
  readonly number: string;
  readonly issuedAt: string;
  readonly total: Money;
  readonly tax: number;
  readonly status: "draft" | "open" | "paid" | "void" | "uncollectible";
  /** `Solo, monthly`, `Balance`. */
  readonly words: string;
  readonly url?: string;
  readonly pdf?: string;
}

/** What a phone would cost if it started now. */
export interface StartPreview {
  readonly mode: BillingMode;
  /** `Uses plan minutes (212 min left), then $0.12/h, at most $1.50 a day`. Without money for roles that may not see it. */
  readonly words: string;
  /** False when nothing would cover it: the start would be refused. */
  readonly covered: boolean;
  readonly perHour?: number;
}

export interface UsageSummary {
  readonly from: string;
  readonly to: string;
  readonly phoneMs: number;
  readonly byCover: readonly {
    readonly cover: string;
    readonly name: string;
    readonly ms: number;
    readonly amount?: number;
  }[];
  readonly amount?: number;
  readonly currency: string;
}
export interface UsageDays {
  readonly timeZone: string;
  readonly currency: string;
  readonly series: readonly {
    readonly id: string;
    readonly name: string;
    readonly ms: number;
    readonly amount?: number;
    readonly days: readonly { readonly day: string; readonly ms: number; readonly amount?: number }[];
  }[];
}
/** One interval of one phone, and what covered it. */
export interface UsageLine {
  readonly intervalId: string;
  readonly phoneId: string;
  readonly phone: string;
  readonly member: string;
  readonly from: string;
  readonly to: string;
  /** Still open: counted so far. */
  readonly running: boolean;
  readonly ms: number;
  /** `09:02:11–09:31:40, 29 min 29 s, plan minutes, $0`. */
  readonly words: string;
  readonly amount?: number;
}
export interface UsageLinesPage {
  readonly lines: readonly UsageLine[];
  readonly next?: string;
}
/** Why a line was charged: each piece of it, with the rule that made it so. */
export interface UsageExplanation {
  readonly line: UsageLine;
  /** Why it began and ended: `Ended because the browser crashed; the time after it is not billed.` */
  readonly ended: string;
  readonly pieces: readonly {
    readonly from: string;
    readonly to: string;
    readonly ms: number;
    readonly cover: string;
    readonly name: string;
    readonly why: string;
    readonly amount?: number;
  }[];
  readonly corrections: readonly {
    readonly at: string;
    readonly amount?: number;
    readonly ms: number;
    readonly reason: string;
  }[];
}
