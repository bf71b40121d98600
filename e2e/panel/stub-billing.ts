/** A team's billing in memory, for panel tests: realistic figures, and levers for the rarer states. */
import type * as billing from "../../shared/billing/billing.ts";
import { ADD_ONS, CURRENCY, PACKS, PAY_AS_YOU_GO, PLANS, TOP_UP_IDS, TOP_UPS } from "../../shared/billing/catalogue.ts";
import { durationWords, moneyWords, rateWords } from "../../shared/billing/words.ts";
import { newId } from "../../shared/ids.ts";
import type { Phone } from "../../shared/phones.ts";

const MIN_MS = 60_000;
const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
export const ahead = (ms: number) => new Date(Date.now() + ms).toISOString();
const usd = (amount: number): billing.Money => ({ amount, currency: CURRENCY });
type Loose<T> = { -readonly [K in keyof T]: T[K] };

/** Solo in the middle of its month: minutes, a pack, a balance, two budgets. */
export function stubSummary(): Loose<billing.BillingSummary> {
  return {
    mode: "stripe",
    currency: CURRENCY,
    plan: {
      id: "solo",
      name: "Solo",
      cycle: "month",
      price: usd(1_200),
      status: "active",
      renewsAt: ahead(9 * DAY_MS),
    },
    addOns: [
      { id: "slot", name: "Parallel slot", quantity: 1, inUse: 1, price: usd(1_500) },
      { id: "dedicated", name: "Dedicated phone", quantity: 1, inUse: 0, price: usd(2_500) },
      { id: "storage", name: "Storage, 5 GB", quantity: 1, inUse: 1, price: usd(200) },
    ],
    seats: { used: 2, allowed: 3 },
    phonesAtOnce: { used: 2, allowed: 5 },
    storage: { usedMb: 6_144, allowedMb: 15_360 },
    dedicatedPhones: [],
    period: { from: ago(21 * DAY_MS), to: ahead(9 * DAY_MS) },
    grants: [
      {
        kind: "plan",
        name: "Solo: 6,000 min",
        totalMs: 6_000 * MIN_MS,
        remainingMs: 1_412 * MIN_MS,
        expiresAt: ahead(9 * DAY_MS),
      },
      {
        kind: "pack",
        name: "1,000 minutes",
        totalMs: 1_000 * MIN_MS,
        remainingMs: 1_000 * MIN_MS,
        expiresAt: ahead(340 * DAY_MS),
      },
    ],
    minutesLeftMs: 2_412 * MIN_MS,
    minutesEndAt: ahead(7 * DAY_MS),
    wallet: { balance: 1_240, frozen: false, refundable: 1_000 },
    overage: { allowed: true, cap: 2_000, spent: 0 },
    payAsYouGo: { perHour: PAY_AS_YOU_GO.perHour, dailyCap: PAY_AS_YOU_GO.dailyCap },
    timeZone: "Europe/Berlin",
    burn: { mode: "stripe", currency: CURRENCY, running: [], words: "Nothing is running", perHour: 0 },
    problems: [],
    budgets: [
      {
        id: newId("budget"),
        scope: "team",
        name: "The whole team",
        measure: "money",
        limit: 2_000,
        spent: 340,
        month: "2026-11",
      },
      {
        id: newId("budget"),
        scope: "member",
        name: "Ben Adeyemi",
        measure: "time",
        limit: 40 * HOUR_MS,
        spent: 33 * HOUR_MS,
        month: "2026-11",
      },
    ],
  };
}

export const TRIAL = {
  plan: { id: "free", name: "Free" },
  addOns: [],
  seats: { used: 1, allowed: 3 },
  phonesAtOnce: { used: 1, allowed: 2 },
  storage: { usedMb: 1_024, allowedMb: 5_120 },
  grants: [
    {
      kind: "plan",
      name: "Free: 60 min",
      totalMs: 60 * MIN_MS,
      remainingMs: 60 * MIN_MS,
      expiresAt: ahead(9 * DAY_MS),
    },
    {
      kind: "promo",
      name: "Trial: 600 min",
      totalMs: 600 * MIN_MS,
      remainingMs: 212 * MIN_MS,
      expiresAt: ahead(3 * DAY_MS),
    },
  ],
  minutesLeftMs: 272 * MIN_MS,
  minutesEndAt: ahead(5 * HOUR_MS),
  wallet: { balance: 0, frozen: false, refundable: 0 },
  overage: { allowed: false, cap: 0, spent: 0 },
  budgets: [],
  problems: [
    {
      ...{ kind: "trial_ends", severity: "info", title: "Your trial ends in 3 days" },
      words: "212 min of it are left. Choose a plan and phones run on without a gap.",
      step: { kind: "plans", label: "See plans" },
    },
  ],
} as const satisfies Partial<billing.BillingSummary>;

export const EMPTY = {
  ...TRIAL,
  grants: [{ kind: "plan", name: "Free: 60 min", totalMs: 60 * MIN_MS, remainingMs: 0, expiresAt: ahead(9 * DAY_MS) }],
  minutesLeftMs: 0,
  problems: [
    {
      ...{ kind: "uncovered", severity: "warn", title: "Nothing covers phones now" },
      words: "The 60 min of this month are used up. Top up, buy a pack or choose a plan, and phones start again.",
      step: { kind: "plans", label: "Add phone time" },
    },
  ],
} as const satisfies Partial<billing.BillingSummary>;

export const FAILED: Partial<billing.BillingSummary> = {
  plan: {
    id: "solo",
    name: "Solo",
    cycle: "month",
    price: usd(1_200),
    status: "past_due",
    renewsAt: ahead(9 * DAY_MS),
  },
  problems: [
    {
      ...{ kind: "payment_failed", severity: "error", title: "The payment of $12.00 failed" },
      words: "The bank refused the card. No new phone starts, and phones that run stop in 5 days, unless it is paid.",
      step: { kind: "open", label: "Pay the invoice", url: "https://pay.example/invoice" },
    },
  ],
};
export const FROZEN: Partial<billing.BillingSummary> = {
  wallet: { balance: 1_240, frozen: true, refundable: 0 },
  problems: [
    {
      ...{ kind: "frozen", severity: "error", title: "The balance is frozen" },
      words: "A payment into it is disputed. It pays for nothing until the bank has decided.",
      step: { kind: "support", label: "Write to us" },
    },
  ],
};
export const ENDS: Partial<billing.BillingSummary> = {
  plan: { id: "solo", name: "Solo", cycle: "month", price: usd(1_200), status: "active", endsAt: ahead(9 * DAY_MS) },
  problems: [
    {
      ...{ kind: "ends", severity: "info", title: "Solo ends" },
      words: "Solo ends on 5 December; after that the Free plan holds. Balance and minutes you bought stay.",
      step: { kind: "plans", label: "Keep Solo" },
    },
  ],
};

export function stubPlans(current: string): billing.PlansView {
  const both = (prices: { month: number; year: number }) => ({ month: usd(prices.month), year: usd(prices.year) });
  return {
    plans: Object.values(PLANS).map(({ prices, ...plan }) => ({
      ...plan,
      prices: both(prices),
      current: plan.id === current,
    })),
    addOns: Object.values(ADD_ONS).map(({ prices, ...addOn }) => ({ ...addOn, prices: both(prices) })),
    packs: Object.values(PACKS).map(({ price, ...pack }) => ({ ...pack, price: usd(price) })),
    topUps: TOP_UP_IDS.map((id) => ({ id, price: usd(TOP_UPS[id]) })),
  };
}

export function stubInvoices(): billing.InvoiceView[] {
  const url = "https://pay.example/invoice";
  return [
    {
      id: "in_1",
      number: "PERCH-0007",
      issuedAt: ago(21 * DAY_MS),
      total: usd(1_428),
      tax: 228,
      status: "paid",
      words: "Solo, monthly",
      url,
      pdf: url,
    },
    {
      id: "in_2",
      number: "PERCH-0006",
      issuedAt: ago(30 * DAY_MS),
      total: usd(1_000),
      tax: 0,
      status: "paid",
      words: "Balance",
      url,
      pdf: url,
    },
    {
      id: "in_3",
      number: "PERCH-0005",
      issuedAt: ago(52 * DAY_MS),
      total: usd(1_428),
      tax: 228,
      status: "open",
      words: "Solo, monthly",
      url,
    },
    {
      id: "in_4",
      number: "PERCH-0004",
      issuedAt: ago(83 * DAY_MS),
      total: usd(180),
      tax: 0,
      status: "void",
      words: "1,000 minutes",
    },
  ];
}

const COVER_NAMES = { plan: "Plan minutes", pack: "1,000 minutes", slot: "Parallel slot", wallet: "Balance" } as const;
type StubCover = keyof typeof COVER_NAMES;

export class StubBilling {
  summary = stubSummary();
  invoices = stubInvoices();
  plans: billing.PlansView | undefined;
  preview: billing.StartPreview = {
    mode: "stripe",
    words: "Uses plan minutes (1,412 min left), then $0.12/h, at most $1.50 a day",
    covered: true,
    perHour: 0,
  };
  /** What the hosted page is at. */
  checkout: billing.CheckoutState = { state: "open", words: "The payment page is open." };
  readonly checkouts: object[] = [];
  readonly changes: object[] = [];
  readonly acts: string[] = [];
  /** What each running phone is covered by, in the order they started. */
  covers: StubCover[] = ["slot", "wallet"];
  coveredUntil: string | undefined;
  readonly lines = stubLines();
  /** Nothing ever ran. */
  unused = false;

  set(over: Partial<billing.BillingSummary>): void {
    this.summary = { ...this.summary, ...over };
  }

  burn(phones: readonly Phone[], money: boolean): billing.BurnView {
    const running = phones
      .filter(({ state }) => state === "running")
      .map((phone, index): billing.RunningCost => {
        const cover = this.covers[index % this.covers.length] ?? "plan";
        const perHour = cover === "wallet" ? PAY_AS_YOU_GO.perHour : 0;
        const words = `${COVER_NAMES[cover]}${money && perHour > 0 ? `, ${rateWords(perHour, CURRENCY)}` : ""}`;
        return {
          phoneId: phone.id,
          name: phone.name,
          since: phone.startedAt ?? ago(0),
          cover,
          words,
          ...(money && { perHour }),
        };
      });
    const perHour = running.reduce((sum, each) => sum + (each.perHour ?? 0), 0);
    const count = running.length === 1 ? "1 phone running" : `${running.length} phones running`;
    return {
      mode: this.summary.mode,
      currency: CURRENCY,
      running,
      words:
        running.length === 0 ? "Nothing is running" : `${count}${money ? `, ${rateWords(perHour, CURRENCY)}` : ""}`,
      ...(money && { perHour }),
      ...(this.coveredUntil !== undefined && { coveredUntil: this.coveredUntil }),
    };
  }
}

/** Days of the range on which phones ran: always the same for the same day. */
function dayLoad(day: string, series: number): { readonly ms: number; readonly amount: number } {
  const seed = Number(day.slice(8)) * 7 + Number(day.slice(5, 7)) * 13 + series * 5;
  const weekend = [0, 6].includes(new Date(`${day}T00:00:00Z`).getUTCDay());
  const ms = weekend ? 0 : ((seed * seed * 37) % (series === 0 ? 280 : 130)) * MIN_MS;
  return { ms, amount: series === 1 && seed % 3 === 0 ? Math.floor((ms * 12) / HOUR_MS) : 0 };
}

const NAMES = {
  phone: ["Pixel, tall", "Work phone", "Checkout, German"],
  member: ["Ada Byron", "Ben Adeyemi", "A member who left"],
  flow: ["Sign in to the shop", "Price watch, every morning", "By hand"],
} as const;

export function stubDays(
  range: { from: string; to: string },
  by: keyof typeof NAMES,
  money: boolean,
): billing.UsageDays {
  const count = (Date.parse(range.to) - Date.parse(range.from)) / DAY_MS + 1;
  const days = Array.from({ length: count }, (_, i) =>
    new Date(Date.parse(range.from) + i * DAY_MS).toISOString().slice(0, 10),
  );
  return {
    timeZone: "Europe/Berlin",
    currency: CURRENCY,
    series: NAMES[by].map((name, index) => {
      const loads = days.map((day) => ({ day, ...dayLoad(day, index) })).filter(({ ms }) => ms > 0);
      const sum = (what: "ms" | "amount") => loads.reduce((total, load) => total + load[what], 0);
      return {
        ...{ id: `${by}-${index}`, name, ms: sum("ms"), ...(money && { amount: sum("amount") }) },
        days: loads.map(({ day, ms, amount }) => ({ day, ms, ...(money && { amount }) })),
      };
    }),
  };
}

export function stubUsage(range: { from: string; to: string }, money: boolean): billing.UsageSummary {
  const { series } = stubDays(range, "phone", true);
  const ms = series.reduce((sum, each) => sum + each.ms, 0);
  const amount = series.reduce((sum, each) => sum + (each.amount ?? 0), 0);
  const paid = Math.floor((amount * HOUR_MS) / PAY_AS_YOU_GO.perHour);
  return {
    ...range,
    ...{ phoneMs: ms, currency: CURRENCY, ...(money && { amount }) },
    byCover: [
      { cover: "plan", name: "Plan minutes", ms: ms - paid, ...(money && { amount: 0 }) },
      { cover: "wallet", name: "Balance", ms: paid, ...(money && { amount }) },
    ],
  };
}

/** As the server says them: in the team's time zone. */
function clock(atMs: number): string {
  return new Date(atMs).toLocaleTimeString("sv", { timeZone: "Europe/Berlin" });
}

function stubLines(): Required<billing.UsageLine>[] {
  const line = (startedAgo: number, ms: number, phone: string, cover: string, amount: number, running = false) => {
    const from = Date.now() - startedAgo;
    const times = `${clock(from)}–${running ? "now" : clock(from + ms)}`;
    return {
      ...{
        intervalId: newId("usageInterval"),
        phoneId: newId("phone"),
        phone,
        member: "Ada Byron",
        running,
        ms,
        amount,
      },
      ...{ from: ago(startedAgo), to: ago(startedAgo - ms), words: `${times}, ${durationWords(ms)}, ${cover}` },
    };
  };
  return [
    line(29.5 * MIN_MS, 29.5 * MIN_MS, "Pixel, tall", "parallel slot", 0, true),
    line(3 * HOUR_MS, 95 * MIN_MS, "Work phone", "plan minutes, then the balance", 7),
    line(26 * HOUR_MS, 12 * MIN_MS, "Checkout, German", "plan minutes", 0),
    line(28 * HOUR_MS, 40_000, "Pixel, tall", "plan minutes", 0),
    line(51 * HOUR_MS, 4 * HOUR_MS, "A phone with a rather long name that someone gave it", "1,000 minutes", 0),
  ];
}

/** As somebody sees a line, with money or without. */
export function shownLine({ amount, words, ...line }: Required<billing.UsageLine>, money: boolean): billing.UsageLine {
  return money ? { ...line, amount, words: `${words}, ${moneyWords(amount, CURRENCY)}` } : { ...line, words };
}

export function stubExplanation(line: billing.UsageLine): billing.UsageExplanation {
  const money = line.amount !== undefined;
  const from = Date.parse(line.from);
  const half = new Date(from + Math.floor(line.ms * 0.6)).toISOString();
  const priced = (amount: number) => (money ? { amount } : {});
  return {
    line,
    ended: line.running
      ? "It runs. Counted so far."
      : "Ended because the browser crashed; the time after it is not billed.",
    pieces: [
      {
        ...{
          from: line.from,
          to: half,
          ms: Math.floor(line.ms * 0.6),
          cover: "plan",
          name: "Plan minutes",
          ...priced(0),
        },
        why: "Minutes of the plan come before everything that costs money.",
      },
      {
        ...{
          from: half,
          to: line.to,
          ms: Math.ceil(line.ms * 0.4),
          cover: "wallet",
          name: "Balance",
          ...priced(line.amount ?? 0),
        },
        why: "The plan's minutes were used up, so the balance paid.",
      },
    ],
    corrections: [
      { at: ago(HOUR_MS), ms: 0, ...priced(-2), reason: "The phone did not answer for 9 min. We take that back." },
    ],
  };
}
