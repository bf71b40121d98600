/** Times as the panel writes them. All inputs are Unix milliseconds or ISO 8601; all outputs are words for people. */

/** How long a phone has run: `0:07`, `12:04`, `1:02:09`. Never negative, whatever the clocks say. */
export function runTime(startedAt: string, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(startedAt)) / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const tail = String(seconds % 60).padStart(2, "0");
  return hours === 0 ? `${minutes}:${tail}` : `${hours}:${String(minutes).padStart(2, "0")}:${tail}`;
}

/** Time left until a moment: `45 s`, `3 min`; `now` when it has passed. */
export function timeLeft(at: string, nowMs: number): string {
  const seconds = Math.ceil((Date.parse(at) - nowMs) / 1000);
  if (seconds <= 0) return "now";
  return seconds < 100 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/** How long ago a moment was: `just now`, `5 min ago`, `3 h ago`, else the date in the person's locale. */
export function timeAgo(at: string, nowMs: number): string {
  const minutes = Math.floor((nowMs - Date.parse(at)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  return calendarDate(at, nowMs);
}

/** A date in the person's locale, e.g. `23 Nov 2026`; without the year while it is this year. */
export function calendarDate(at: string, nowMs: number): string {
  const date = new Date(at);
  const thisYear = date.getFullYear() === new Date(nowMs).getFullYear();
  const year = thisYear ? {} : ({ year: "numeric" } as const);
  return date.toLocaleDateString(undefined, { day: "numeric", month: "short", ...year });
}

/** A clock time in the person's locale, e.g. `14:05`. */
export function clockTime(at: string): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

/** A size in bytes: `512 B`, `1.4 kB`, `23 MB`. Decimal units, as file managers show them. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
