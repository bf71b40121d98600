/** What a flow types where a page asks for a date, a time or a colour, as the value such a field takes (HTML §2.3.5). */
import type { ValueKind } from "./views.ts";

/** How each is written, for people who wrote it otherwise. */
export const VALUE_WORDS: Readonly<Record<ValueKind, string>> = {
  date: "a date, like 2026-03-04",
  time: "a time, like 18:30",
  month: "a month, like 2026-03",
  week: "a week, like 2026-W10",
  "datetime-local": "a date and time, like 2026-03-04T18:30",
  color: "a colour, like #336699",
};

/** Undefined for what is none. Digits alone are typed as into an American field, month first, as Maestro's users do. */
export function pickerValue(kind: ValueKind, typed: string): string | undefined {
  const text = typed.trim();
  switch (kind) {
    case "date":
      return dateOf(text);
    case "time":
      return timeOf(text);
    case "month": {
      const [, year = "", month = ""] = /^(\d{4})-(\d{2})$/.exec(text) ?? [];
      const [, first = "", last = ""] = /^(\d{1,2})\/?(\d{4})$/.exec(text) ?? [];
      return dateOf(`${year || last}-${(month || first).padStart(2, "0")}-01`)?.slice(0, 7);
    }
    case "week":
      return /^\d{4}-W(0[1-9]|[1-4]\d|5[0-3])$/i.test(text) ? text.toUpperCase() : undefined;
    case "datetime-local": {
      const [, day = "", hour = ""] = /^(\S+?)(?:T|,?\s+)(\d.*)$/i.exec(text) ?? [];
      const [date, time] = [dateOf(day), timeOf(hour)];
      return date === undefined || time === undefined ? undefined : `${date}T${time}`;
    }
    case "color": {
      const [, long, short] = /^#?(?:([0-9a-f]{6})|([0-9a-f]{3}))$/i.exec(text) ?? [];
      const digits = long ?? short?.replace(/./g, "$&$&");
      return digits && `#${digits.toLowerCase()}`;
    }
  }
}

function dateOf(text: string): string | undefined {
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  if (iso !== null) return dayOf(iso[1], iso[2], iso[3]);
  const american = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text) ?? /^(\d{2})(\d{2})(\d{4})$/.exec(text);
  if (american !== null) {
    const day = dayOf(american[3], american[1], american[2]);
    if (day !== undefined) return day;
  }
  const pointed = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text);
  if (pointed !== null) return dayOf(pointed[3], pointed[2], pointed[1]);
  const packed = /^(\d{4})(\d{2})(\d{2})$/.exec(text);
  return packed === null ? undefined : dayOf(packed[1], packed[2], packed[3]);
}

/** A day there is, as YYYY-MM-DD. */
function dayOf(year = "", month = "", day = ""): string | undefined {
  const text = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text ? undefined : text;
}

function timeOf(text: string): string | undefined {
  const match = /^(\d{1,2}):?(\d{2})(:\d{2}(?:\.\d{1,3})?)?\s*([ap])?\.?(?:m\.?)?$/i.exec(text);
  if (match === null) return undefined;
  const [, hours = "", minutes = "", seconds = "", half] = match;
  const given = Number(hours);
  if (half !== undefined && (given < 1 || given > 12)) return undefined;
  const hour = half === undefined ? given : (given % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  const value = `${String(hour).padStart(2, "0")}:${minutes}${seconds}`;
  return /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?$/.test(value) ? value : undefined;
}
