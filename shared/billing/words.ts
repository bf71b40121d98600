/** Money and phone time in words, the same on both sides: `$0.12`, `$0.12/h`, `2,412 min`, `3 h 12 min`. */

const formats = new Map<string, Intl.NumberFormat>();

/** Making a format costs more than all else here, so each is made once. */
function formatOf(currency: string): Intl.NumberFormat {
  const known = formats.get(currency);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  formats.set(currency, made);
  return made;
}

/** How many digits the currency has after the point: 2 for dollars, 0 for yen. */
export function minorDigits(currency: string): number {
  return formatOf(currency).resolvedOptions().maximumFractionDigits ?? 2;
}

/** `amount` in minor units, written without ever passing through a fraction. Below zero: `-$0.12`. */
export function moneyWords(amount: number, currency: string): string {
  const digits = minorDigits(currency);
  const units = String(Math.abs(amount)).padStart(digits + 1, "0");
  const whole = units.slice(0, units.length - digits);
  const exact = `${amount < 0 ? "-" : ""}${whole}.${units.slice(units.length - digits)}`;
  return formatOf(currency).format(decimal(exact));
}

/** The format takes a decimal as text and keeps all of it; its type asks for one that the compiler can read. */
function decimal(text: string): Intl.StringNumericLiteral {
  return text as Intl.StringNumericLiteral;
}

/** `$0.12/h`. */
export function rateWords(perHour: number, currency: string): string {
  return `${moneyWords(perHour, currency)}/h`;
}

/** Whole minutes, as they are sold and counted down: `2,412 min`. A rest of a minute is not promised. */
export function minutesWords(ms: number): string {
  return `${grouped(Math.floor(Math.max(0, ms) / 60_000))} min`;
}

/** How long something took: `40 s`, `12 min`, `3 h 12 min`, `5 h`, `1,204 h`. */
export function durationWords(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  const hours = `${grouped(Math.floor(minutes / 60))} h`;
  return rest === 0 || minutes >= 6_000 ? hours : `${hours} ${rest} min`;
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
