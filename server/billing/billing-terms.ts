/**
 * How long the law of a country makes a seller keep an invoice, in years. The policy allows 7 at most (clause P4.3), so
 * where a law asks for more, or one that is not listed here, 7 it is. Not legal advice; check yours before changing one.
 */
import { clampAddMonths } from "../privacy/retention/calendar.ts";

export const MOST_YEARS = 7;

const YEARS: Readonly<Record<string, number>> = {
  // United Kingdom: Finance Act 1998, Sch. 18 para. 21: six years.
  GB: 6,
  // Ireland: Taxes Consolidation Act 1997, s. 886: six years.
  IE: 6,
  // Spain: Código de Comercio, art. 30: six years.
  ES: 6,
  // Netherlands: Algemene wet inzake rijksbelastingen, art. 52: seven years.
  NL: 7,
  // Austria: Bundesabgabenordnung, § 132: seven years.
  AT: 7,
  // Sweden: Bokföringslagen (1999:1078), ch. 7 § 2: seven years.
  SE: 7,
  // Denmark: Bogføringsloven, § 12: five years.
  DK: 5,
  // Norway: Bokføringsloven, § 13: five years.
  NO: 5,
  // Poland: Ordynacja podatkowa, art. 86 and 70: five years.
  PL: 5,
  // Canada: Income Tax Act, s. 230(4), Regulations 5800: six years.
  CA: 6,
  // Australia: Income Tax Assessment Act 1936, s. 262A: five years.
  AU: 5,
};

/** When a record has to be gone: at the end of the term of its country, 7 years after it was issued at the latest. */
export function legalUntil(country: string, issuedAt: Date): Date {
  const years = Math.min(YEARS[country] ?? MOST_YEARS, MOST_YEARS);
  return new Date(clampAddMonths(issuedAt.getTime(), 12 * years));
}
