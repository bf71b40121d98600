/** What runs now and what a further phone would cost, in words: pure, from what is left to pay with. */
import type { BillingMode, BurnView, RunningCost, StartPreview } from "../../../shared/billing/billing.ts";
import { type Cover, type Funds, type RatedPiece, type RunningPhone, rate } from "../../../shared/billing/rating.ts";
import { minutesWords, moneyWords, rateWords } from "../../../shared/billing/words.ts";
import type { Unsettled } from "./open-time.ts";
import { COVER_NAMES } from "./usage-words.ts";

/** How far ahead it is looked: longer than any plan's minutes last for one phone. */
const HORIZON_MS = 31 * 24 * 3_600_000;

interface Shown {
  readonly mode: BillingMode;
  readonly currency: string;
  readonly money: boolean;
}

export function burnOf(
  { at, running, funds }: Unsettled,
  nameOf: (phoneId: string) => string,
  { mode, currency, money }: Shown,
): BurnView {
  const phones = running.map(({ id, phoneId, startedAt }): RunningPhone => ({ intervalId: id, phoneId, startedAt }));
  const ahead = rate(phones, at, at + HORIZON_MS, funds);
  const costs = phones.map((phone): RunningCost => {
    const now = ahead.pieces.find((piece) => piece.intervalId === phone.intervalId && piece.from <= at);
    const cover = now?.cover ?? "uncovered";
    const perHour = perHourOf(cover, phone.phoneId, now?.day, funds);
    return {
      ...{ phoneId: phone.phoneId, name: nameOf(phone.phoneId), since: new Date(phone.startedAt).toISOString(), cover },
      words: coverWords(cover, perHour, money, currency),
      ...(money && { perHour }),
    };
  });
  const perHour = costs.reduce((sum, one) => sum + (one.perHour ?? 0), 0);
  const count =
    costs.length === 0 ? "No phone runs" : `${costs.length} ${costs.length === 1 ? "phone" : "phones"} running`;
  const rateText = perHour > 0 ? rateWords(perHour, currency) : "nothing by the hour";
  return {
    ...{ mode, currency, running: costs },
    words: money && costs.length > 0 && mode !== "off" ? `${count}, ${rateText}` : count,
    ...(money && { perHour }),
    ...(ahead.uncoveredAt !== undefined && { coveredUntil: new Date(ahead.uncoveredAt).toISOString() }),
  };
}

function perHourOf(cover: Cover, phoneId: string, day: string | undefined, { rate: price, days }: Funds): number {
  if (cover !== "wallet" && cover !== "overage") return 0;
  const charged = days.find((one) => one.phoneId === phoneId && one.day === day)?.amount ?? 0;
  return charged >= price.dailyCap ? 0 : price.perHour;
}

function coverWords(cover: Cover, perHour: number, money: boolean, currency: string): string {
  const name = COVER_NAMES[cover];
  if (!money || (cover !== "wallet" && cover !== "overage")) return name;
  return perHour === 0 ? `${name}, the day's cap is reached` : `${name}, ${rateWords(perHour, currency)}`;
}

/** What a phone that is not running yet would cost from now on. */
export function previewOf(
  { at, running, funds }: Unsettled,
  phoneId: string,
  { mode, currency, money }: Shown,
): StartPreview {
  const others = running.filter((one) => one.phoneId !== phoneId);
  const phones = others.map(({ id, phoneId: phone, startedAt }) => ({ intervalId: id, phoneId: phone, startedAt }));
  const next = { intervalId: NEXT, phoneId, startedAt: at };
  const pieces = rate([...phones, next], at, at + HORIZON_MS, funds).pieces.filter(
    ({ intervalId }) => intervalId === NEXT,
  );
  const first = pieces[0]?.cover ?? "uncovered";
  const covered = first !== "uncovered";
  const perHour = perHourOf(first, phoneId, pieces[0]?.day, funds);
  return {
    ...{ mode, covered },
    words: covered ? sentence(pieces, funds, money, currency) : uncoveredWords(money),
    ...(money && { perHour }),
  };
}

/** Sorts after every id. */
const NEXT = "~next";

function uncoveredWords(money: boolean): string {
  return money
    ? "Nothing covers a phone now. Choose a plan, buy minutes or add to the balance first."
    : "Nothing covers a phone now. Ask who looks after your team's billing.";
}

/** `Uses plan minutes (212 min left), then $0.12/h, at most $1.50 a day`. */
function sentence(pieces: readonly RatedPiece[], funds: Funds, money: boolean, currency: string): string {
  const parts: string[] = [];
  for (const { cover } of pieces) {
    const part = partOf(cover, funds, money, currency);
    if (!parts.includes(part)) parts.push(part);
  }
  const [first = "", ...rest] = parts;
  const begin = BEGINS_WITH_VERB.test(first) ? `${first.slice(0, 1).toUpperCase()}${first.slice(1)}` : first;
  return [begin, ...rest.map((part) => `then ${part.replace(/^uses /, "")}`)].join(", ");
}
const BEGINS_WITH_VERB = /^[a-z]/;

function partOf(cover: Cover, funds: Funds, money: boolean, currency: string): string {
  switch (cover) {
    case "included":
      return "not billed on this server";
    case "dedicated":
      return "a dedicated phone: no cost by time";
    case "slot":
      return "a parallel slot: no cost by time";
    case "plan":
    case "pack":
    case "promo": {
      const left = funds.grants.reduce((sum, grant) => (grant.kind === cover ? sum + grant.remainingMs : sum), 0);
      return `uses ${COVER_NAMES[cover].toLowerCase()} (${minutesWords(left)} left)`;
    }
    case "wallet":
    case "overage":
      if (!money) return "uses the team's balance";
      return `${rateWords(funds.rate.perHour, currency)}, at most ${moneyWords(funds.rate.dailyCap, currency)} a day`;
    case "uncovered":
      return "it is parked";
  }
}
