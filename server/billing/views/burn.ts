/** What runs now and what a further phone would cost, in words: pure, from what is left to pay with. */
import type { BillingMode, BurnView, RunningCost, StartPreview } from "../../../shared/billing/billing.ts";
import { burnWords, COVER_NAMES, coverWords, startWords } from "../../../shared/billing/cover-words.ts";
import { type Cover, type Funds, type RunningPhone, rate } from "../../../shared/billing/rating.ts";
import type { Unsettled } from "./open-time.ts";

/** How far ahead it is looked: longer than any plan's minutes last for one phone. */
const HORIZON_MS = 31 * 24 * 3_600_000;
/** Sorts after every id. */
const NEXT = "~next";

interface Shown {
  readonly mode: BillingMode;
  readonly currency: string;
  /** Whether who looks may see money. */
  readonly money: boolean;
}

export function burnOf(
  { at, running, funds }: Unsettled,
  nameOf: (phoneId: string) => string,
  { mode, currency, money }: Shown,
): BurnView {
  const phones = running.map(({ id, phoneId, startedAt }): RunningPhone => ({ intervalId: id, phoneId, startedAt }));
  const ahead = rate(phones, at, at + HORIZON_MS, funds);
  const costs = phones.map((phone) => {
    const now = ahead.pieces.find((piece) => piece.intervalId === phone.intervalId && piece.from <= at);
    const cover = now?.cover ?? "uncovered";
    const perHour = perHourOf(cover, phone.phoneId, now?.day, funds);
    const view: RunningCost = {
      ...{ phoneId: phone.phoneId, name: nameOf(phone.phoneId), since: new Date(phone.startedAt).toISOString(), cover },
      words: costWords(cover, money ? { perHour, currency } : undefined),
      ...(money && { perHour }),
    };
    return { view, perHour };
  });
  const perHour = costs.reduce((sum, one) => sum + one.perHour, 0);
  const isPriced = money && mode !== "off";
  return {
    ...{ mode, currency, running: costs.map(({ view }) => view) },
    words: isPriced ? burnWords(costs.length, perHour, currency) : burnWords(costs.length),
    ...(money && { perHour }),
    ...(ahead.uncoveredAt !== undefined && { coveredUntil: new Date(ahead.uncoveredAt).toISOString() }),
  };
}

/** What a phone that is not running yet would cost from now on. */
export function previewOf({ at, running, funds }: Unsettled, phoneId: string, shown: Shown): StartPreview {
  const { mode, currency, money } = shown;
  const others = running.filter((one) => one.phoneId !== phoneId);
  const phones = others.map(({ id, phoneId: phone, startedAt }) => ({ intervalId: id, phoneId: phone, startedAt }));
  const next = { intervalId: NEXT, phoneId, startedAt: at };
  const first = rate([...phones, next], at, at + 1, funds).pieces.find(({ intervalId }) => intervalId === NEXT);
  const cover = first?.cover ?? "uncovered";
  const covered = cover !== "uncovered";
  return {
    ...{ mode, covered },
    words: covered ? startWords(cover, funds, money ? currency : undefined) : uncoveredWords(money),
    ...(money && { perHour: perHourOf(cover, phoneId, first?.day, funds) }),
  };
}

function perHourOf(cover: Cover, phoneId: string, day: string | undefined, { rate: price, days }: Funds): number {
  if (!isCharged(cover)) return 0;
  const charged = days.find((one) => one.phoneId === phoneId && one.day === day)?.amount ?? 0;
  return charged >= price.dailyCap ? 0 : price.perHour;
}

function isCharged(cover: Cover): boolean {
  return cover === "wallet" || cover === "overage";
}

function costWords(cover: Cover, price: { perHour: number; currency: string } | undefined): string {
  if (price?.perHour === 0 && isCharged(cover)) return `${COVER_NAMES[cover]}, the day's cap is reached`;
  return coverWords(cover, price);
}

function uncoveredWords(money: boolean): string {
  return money
    ? "Nothing covers a phone now. Choose a plan, buy minutes or add to the balance first."
    : "Nothing covers a phone now. Ask who looks after your team's billing.";
}
