import { describe, expect, it } from "vitest";
import type { Entitlements } from "../ports.ts";
import type { AccountRow, InvoiceRow, SubscriptionRow } from "./billing-views.repo.ts";
import { type PayingFacts, paymentProblems } from "./payment-problems.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const DAY = 24 * 3_600_000;
const ENTITLED: Entitlements = {
  ...{ plan: "solo", cycle: "month", addOns: { slot: 0, dedicated: 0, seat: 0, storage: 0 } },
  ...{ phonesAtOnce: 4, seats: 3, storageMb: 1, includedMs: 1, month: { from: new Date(0), to: new Date(NOW) } },
  ...{ standing: "good", stopsAt: undefined, walletFrozen: false, overageCap: 0, timeZone: "UTC" },
};
const FINE: PayingFacts = {
  ...{ entitlements: ENTITLED, account: undefined, subscription: undefined, invoices: [], trial: undefined },
  ...{ budgets: [], covered: true, currency: "usd", now: NOW },
};
const invoice = (change: Partial<InvoiceRow>) =>
  ({
    ...{
      status: "open",
      amountDue: 1_200,
      amountPaid: 0,
      needsConfirmation: false,
      hostedUrl: "https://pay.example/1",
    },
    ...change,
  }) as InvoiceRow;
const problems = (change: Partial<PayingFacts>) => paymentProblems({ ...FINE, ...change });
const standing = (is: Entitlements["standing"]) => ({ ...ENTITLED, standing: is, stopsAt: new Date(NOW + 3 * DAY) });

describe("what is wrong with paying", () => {
  it("is nothing when all is well", () => {
    expect(problems({ invoices: [invoice({ status: "paid", amountPaid: 1_200 })] })).toEqual([]);
  });

  it.each([
    [
      "a failed payment in its grace",
      { entitlements: standing("grace"), invoices: [invoice({})] },
      { kind: "payment_failed", severity: "error", step: { kind: "open", url: "https://pay.example/1" } },
      "The payment of $12.00 failed. Phones that run go on until 29 November 2026; no further phone starts before it is paid.",
    ],
    [
      "one after it, without an invoice to pay",
      { entitlements: standing("stopped") },
      { kind: "stopped", severity: "error", step: { kind: "portal" } },
      "A payment failed and was not made up for. Phones are parked with all that is on them, and start again at once when it is paid.",
    ],
    [
      "a bank that asks",
      { invoices: [invoice({ needsConfirmation: true })] },
      { kind: "confirm_payment", severity: "error", step: { kind: "open", label: "Confirm the payment" } },
      "The payment of $12.00 waits for you to confirm it at your bank.",
    ],
    [
      "a frozen balance",
      { account: { frozen: "dispute" } as AccountRow },
      { kind: "frozen", severity: "error", step: { kind: "support" } },
      "A payment is disputed, so the balance cannot be used until that is settled.",
    ],
    [
      "nothing left on a paid plan",
      { covered: false },
      { kind: "uncovered", severity: "warn", step: { kind: "top_up" } },
      "The plan's minutes are used and the balance is empty, so no phone starts.",
    ],
    [
      "nothing left on Free",
      { covered: false, entitlements: { ...ENTITLED, plan: "free" } as const },
      { kind: "uncovered", severity: "warn", step: { kind: "plans" } },
      "The minutes of the Free plan are used and the balance is empty, so no phone starts.",
    ],
    [
      "a plan that ends",
      {
        subscription: {
          cancelAt: null,
          cancelAtPeriodEnd: true,
          periodEnd: new Date(NOW + 5 * DAY),
        } as SubscriptionRow,
      },
      { kind: "ends", severity: "info" },
      "Solo ends on 1 December 2026; after that the Free plan holds. Balance and minutes you bought stay.",
    ],
    [
      "a trial that ends",
      {
        entitlements: { ...ENTITLED, plan: "free" } as const,
        trial: { remaining: 12 * 60_000, expiresAt: new Date(NOW + DAY) },
      },
      { kind: "trial_ends", severity: "info", step: { kind: "plans" } },
      "The 12 min left of the trial end on 27 November 2026.",
    ],
  ])("%s is told with one step", (_what, change, shape, words) => {
    const found = problems(change);
    expect(found).toMatchObject([shape]);
    expect(found[0]?.words).toBe(words);
    expect(found[0]?.step).toBeDefined();
  });

  it("names the budget that is used up, by whose it is", () => {
    const budget = { id: "b", measure: "money", month: "2026-11", limit: 1_000 } as const;
    const found = problems({
      budgets: [
        { ...budget, scope: "team", name: "The whole team", spent: 1_000 },
        { ...budget, scope: "phone", name: "Pixel", spent: 1_200 },
        { ...budget, scope: "member", name: "Anna", spent: 999 },
      ],
    });
    const [team, phone] = found;
    expect(found).toHaveLength(2);
    expect(team).toMatchObject({ kind: "budget", step: { kind: "budgets" } });
    expect(team?.words).toMatch(/^The team's budget of \$10\.00 a month is used up/);
    expect(phone?.words).toMatch(/^The budget of Pixel of/);
  });

  it("comes with the worst first", () => {
    const found = problems({
      ...{ covered: false, account: { frozen: "operator" } as AccountRow, entitlements: standing("good") },
      subscription: {
        cancelAt: new Date(NOW + DAY),
        cancelAtPeriodEnd: false,
        periodEnd: new Date(NOW),
      } as SubscriptionRow,
    });
    expect(found.map(({ severity }) => severity)).toEqual(["error", "warn", "info"]);
  });
});
