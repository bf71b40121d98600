/** What covers phone time, in words, the same on the server and in the extension. */
import type { Cover, Funds } from "./rating.ts";
import { minutesWords, moneyWords, rateWords } from "./words.ts";

/** What covers a time, as people read it. */
export const COVER_NAMES = {
  included: "Included",
  dedicated: "Dedicated phone",
  slot: "Parallel slot",
  plan: "Plan minutes",
  pack: "Minutes you bought",
  promo: "Free minutes",
  wallet: "Balance",
  overage: "On the invoice",
  uncovered: "Not billed",
} as const satisfies Readonly<Record<Cover, string>>;

/** `Balance, $0.12/h`; without the price for who may not see money. */
export function coverWords(cover: Cover, price?: { readonly perHour: number; readonly currency: string }): string {
  const name = COVER_NAMES[cover];
  const costs = cover === "wallet" || cover === "overage";
  return costs && price !== undefined ? `${name}, ${rateWords(price.perHour, price.currency)}` : name;
}

/**
 * What a start would use: `Uses plan minutes (212 min left), then $0.12/h, at most $1.50 a day`.
 * `first`: what covers its first moment. `currency` is left out for who may not see money.
 */
export function startWords(first: Cover, funds: Funds, currency?: string): string {
  if (first === "included") return "Costs nothing on this server";
  if (first === "dedicated") return "Dedicated phone: no cost by time";
  if (first === "slot") return "Uses a parallel slot: no cost by time";
  if (first === "uncovered") return "Nothing is left to run it";
  const { perHour, dailyCap } = funds.rate;
  const price =
    currency === undefined
      ? undefined
      : `${rateWords(perHour, currency)}, at most ${moneyWords(dailyCap, currency)} a day`;
  const money = funds.wallet > 0 ? "the balance" : funds.overage > 0 ? "the invoice" : undefined;
  if (first === "wallet" || first === "overage") {
    return `Uses ${money ?? "what was paid for today"}${price === undefined ? "" : `: ${price}`}`;
  }
  const left = funds.grants.reduce((sum, grant) => sum + grant.remainingMs, 0);
  const time = `Uses ${COVER_NAMES[first].toLowerCase()} (${minutesWords(left)} left)`;
  if (money === undefined) return `${time}, then stops`;
  return `${time}, then ${price ?? money}`;
}

/** `2 phones running, $0.24/h`. */
export function burnWords(phones: number, perHour?: number, currency?: string): string {
  if (phones === 0) return "No phone runs";
  const running = `${phones} phone${phones === 1 ? "" : "s"} running`;
  if (perHour === undefined || currency === undefined) return running;
  return `${running}, ${rateWords(perHour, currency)}`;
}
