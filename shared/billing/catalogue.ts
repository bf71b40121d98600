/**
 * What there is to buy, in one place: the server syncs it to Stripe by `lookup_key` and checks purchases against it, the
 * extension shows it. Amounts are integers in minor units of `CURRENCY`; times are milliseconds. Change a price here and run
 * `npm run admin -- billing sync`: earlier subscribers keep theirs, a purchase at a price that no longer holds is refused.
 */

const MINUTE_MS = 60_000;

/** ISO 4217, lower case as Stripe writes it. One currency per server. */
export const CURRENCY = "usd";

export const PLAN_IDS = ["free", "solo", "team"] as const;
export type PlanId = (typeof PLAN_IDS)[number];
export const CYCLES = ["month", "year"] as const;
export type Cycle = (typeof CYCLES)[number];

export interface Plan {
  readonly id: PlanId;
  readonly name: string;
  /** For whom, in a few words. */
  readonly about: string;
  /** Per cycle; 0 is never sent to Stripe. */
  readonly prices: Readonly<Record<Cycle, number>>;
  /** Phone time of each month, also of a plan paid by the year. Ends with the month. */
  readonly includedMs: number;
  /** Phones that may run at once; each `slot` adds one. */
  readonly phonesAtOnce: number;
  readonly seats: number;
  /** Room for phones that are kept: each takes what one phone may use of the disk. */
  readonly storageMb: number;
}

export const PLANS = {
  free: {
    ...{ id: "free", name: "Free", about: "To look around", prices: { month: 0, year: 0 } },
    ...{ includedMs: 60 * MINUTE_MS, phonesAtOnce: 2, seats: 3, storageMb: 5 * 1024 },
  },
  solo: {
    ...{ id: "solo", name: "Solo", about: "For one person's daily work", prices: { month: 1_200, year: 12_000 } },
    ...{ includedMs: 6_000 * MINUTE_MS, phonesAtOnce: 4, seats: 3, storageMb: 10 * 1024 },
  },
  team: {
    ...{ id: "team", name: "Team", about: "For people who share phones", prices: { month: 4_900, year: 49_000 } },
    ...{ includedMs: 30_000 * MINUTE_MS, phonesAtOnce: 12, seats: 10, storageMb: 50 * 1024 },
  },
} as const satisfies Readonly<Record<PlanId, Plan>>;

/** Bought beside a paid plan, by number, for the plan's cycle. */
export const ADD_ON_IDS = ["slot", "dedicated", "seat", "storage"] as const;
export type AddOnId = (typeof ADD_ON_IDS)[number];
export interface AddOn {
  readonly id: AddOnId;
  readonly name: string;
  /** What one of it does. */
  readonly about: string;
  readonly prices: Readonly<Record<Cycle, number>>;
}
export const ADD_ONS = {
  slot: {
    ...{
      id: "slot",
      name: "Parallel slot",
      about: "One phone runs at no cost by time, whichever, and one more at once.",
    },
    prices: { month: 1_500, year: 15_000 },
  },
  dedicated: {
    ...{ id: "dedicated", name: "Dedicated phone", about: "One phone you choose runs at no cost by time, all month." },
    prices: { month: 2_500, year: 25_000 },
  },
  seat: { id: "seat", name: "Seat", about: "One more member.", prices: { month: 500, year: 5_000 } },
  storage: {
    ...{ id: "storage", name: "Storage, 5 GB", about: "Room to keep more phones." },
    prices: { month: 200, year: 2_000 },
  },
} as const satisfies Readonly<Record<AddOnId, AddOn>>;
export const STORAGE_ADD_ON_MB = 5 * 1024;

/** Phone time bought once. */
export const PACK_IDS = ["pack_1000", "pack_5000"] as const;
export type PackId = (typeof PACK_IDS)[number];
export interface Pack {
  readonly id: PackId;
  readonly name: string;
  readonly price: number;
  readonly ms: number;
  /** Days until what is left of it ends. */
  readonly days: number;
}
export const PACKS = {
  pack_1000: { id: "pack_1000", name: "1,000 minutes", price: 180, ms: 1_000 * MINUTE_MS, days: 365 },
  pack_5000: { id: "pack_5000", name: "5,000 minutes", price: 800, ms: 5_000 * MINUTE_MS, days: 365 },
} as const satisfies Readonly<Record<PackId, Pack>>;

/** Into the prepaid balance, once. The smallest is $5: small amounts are how stolen cards are tried. */
export const TOP_UP_IDS = ["topup_500", "topup_1000", "topup_2500", "topup_5000", "topup_10000"] as const;
export type TopUpId = (typeof TOP_UP_IDS)[number];
export const TOP_UPS = {
  topup_500: 500,
  topup_1000: 1_000,
  topup_2500: 2_500,
  topup_5000: 5_000,
  topup_10000: 10_000,
} as const satisfies Readonly<Record<TopUpId, number>>;

/** Time that nothing above covers: charged to the balance, then to the invoice where the owner allowed that. */
export const PAY_AS_YOU_GO = {
  /** Minor units for one hour of one phone. */
  perHour: 12,
  /** Most that one phone costs on one day of the team's time zone, in minor units. */
  dailyCap: 150,
} as const;

/** Given once to each team of a confirmed person, without a card. */
export const TRIAL = { ms: 600 * MINUTE_MS, days: 14 } as const;

/** How Stripe finds a price: `perch_solo_month`, `perch_slot_year`, `perch_pack_1000`, `perch_topup_500`. */
export type LookupKey = `perch_${Exclude<PlanId, "free"> | AddOnId}_${Cycle}` | `perch_${PackId}` | `perch_${TopUpId}`;

/** One thing that can be bought, with what its price is now. */
export interface CatalogueItem {
  readonly lookupKey: LookupKey;
  /** Stripe's product: one for both cycles. */
  readonly product: { readonly key: string; readonly name: string; readonly about: string };
  readonly amount: number;
  readonly cycle?: Cycle;
}

/** Everything that can be bought, for Stripe. */
export function catalogueItems(): readonly CatalogueItem[] {
  const recurring = [PLANS.solo, PLANS.team, ...Object.values(ADD_ONS)].flatMap(({ id, name, about, prices }) =>
    CYCLES.map(
      (cycle): CatalogueItem => ({
        lookupKey: `perch_${id}_${cycle}`,
        product: { key: `perch_${id}`, name: id === "solo" || id === "team" ? `Perch ${name}` : name, about },
        amount: prices[cycle],
        cycle,
      }),
    ),
  );
  const packs = Object.values(PACKS).map(
    ({ id, name, price, days }): CatalogueItem => ({
      lookupKey: `perch_${id}`,
      product: { key: `perch_${id}`, name, about: `Phone time, to be used within ${days} days.` },
      amount: price,
    }),
  );
  const topUps = TOP_UP_IDS.map(
    (id): CatalogueItem => ({
      lookupKey: `perch_${id}`,
      product: { key: "perch_topup", name: "Balance", about: "Into the prepaid balance." },
      amount: TOP_UPS[id],
    }),
  );
  return [...recurring, ...packs, ...topUps];
}
