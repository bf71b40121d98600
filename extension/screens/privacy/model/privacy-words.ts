/** What the privacy screen says, made of what the server says. All inputs of time are ISO 8601 or Unix milliseconds. */
import type { HeldCategory, PrivacyOverview, RequestKind, RequestState } from "../../../../shared/privacy.ts";
import type { PrivacyClock } from "../../../state/privacy-clock.ts";
import { clockWords } from "../../../state/privacy-clock-words.ts";
import { calendarDate, clockTime } from "../../phone/model/run-time.ts";

export interface StatusWords {
  readonly title: string;
  readonly detail: string;
  /** `due`: the person has something to decide; `bad`: something went wrong with their data. */
  readonly tone: "clear" | "news" | "due" | "bad";
}

/** Of the nearest clock, or that there is none. */
export function statusOf(overview: PrivacyOverview, clock: PrivacyClock | undefined, nowMs: number): StatusWords {
  if (clock === undefined) {
    return overview.preferences.restricted
      ? { title: "Use of your data is restricted", detail: "It is kept, and nothing is done with it.", tone: "due" }
      : { title: "All clear", detail: heldSentence(overview), tone: "clear" };
  }
  const tone = clock.kind === "incident" ? "bad" : clock.urgent ? "due" : "news";
  return { title: clockWords(clock, nowMs), detail: clockDetail(clock, nowMs), tone };
}

/** What a clock means, in a sentence. */
export function clockDetail({ kind, at }: PrivacyClock, nowMs: number): string {
  switch (kind) {
    case "purging":
      return `Everything is gone by ${calendarDate(at, nowMs)}, backups included.`;
    case "incident":
      return `On ${calendarDate(at, nowMs)}. Read what happened and what to do.`;
    case "deletion":
      return `Nothing is lost before ${calendarDate(at, nowMs)}, ${clockTime(at)}.`;
    case "export":
      return `It removes itself on ${calendarDate(at, nowMs)}.`;
    case "policy":
      return "Until then the present one holds.";
    case "inactivity":
      return "An account that nobody uses is deleted. Opening this was use enough.";
  }
}

function heldSentence({ categories, processors }: PrivacyOverview): string {
  const kinds = categories.filter(({ items }) => items > 0).length;
  if (kinds === 0) return "Nothing is held about you.";
  const held = `${kinds === 1 ? "1 kind" : `${kinds} kinds`} of data`;
  const names = processors.map(({ name }) => name);
  if (names.length === 0) return `${held}, and nobody else has any.`;
  return `${held}. ${listed(names)} ${names.length === 1 ? "has" : "have"} some.`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** How many things are held, with the unit a person would use: `none`, `1 item`, `12 items`. */
export function itemWords(items: number): string {
  if (items === 0) return "none";
  return items === 1 ? "1 item" : `${items.toLocaleString()} items`;
}

/** How old: `today`, `12 d`, `5 months`, `2 years`. */
export function ageWords(at: string, nowMs: number): string {
  const days = Math.floor((nowMs - Date.parse(at)) / 86_400_000);
  if (days < 1) return "today";
  if (days < 100) return `${days} d`;
  return days < 700 ? `${Math.floor(days / 30.4)} months` : `${Math.floor(days / 365.25)} years`;
}

/** `oldest 88 d · 12 go in 2 d`, or when it goes otherwise. */
export function heldLine({ items, oldestAt, next, leaves }: HeldCategory, nowMs: number): string {
  if (items === 0) return "Nothing right now";
  const oldest = oldestAt === undefined ? [] : [`oldest ${ageWords(oldestAt, nowMs)}`];
  return [...oldest, next === undefined ? `goes ${lowerFirst(leaves)}` : nextWords(next, nowMs)].join(" · ");
}

export function nextWords(next: NonNullable<HeldCategory["next"]>, nowMs: number): string {
  const days = Math.ceil((Date.parse(next.at) - nowMs) / 86_400_000);
  const when = days <= 0 ? "today" : days === 1 ? "tomorrow" : `in ${days} d`;
  return `${next.items.toLocaleString()} ${next.items === 1 ? "goes" : "go"} ${when}`;
}

function lowerFirst(text: string): string {
  return (text.charAt(0).toLowerCase() + text.slice(1)).replace(/\.$/, "");
}

/** What goes soonest comes first, then what there is most of; what there is nothing of comes last. */
export function byNearness(categories: readonly HeldCategory[]): readonly HeldCategory[] {
  const none = (one: HeldCategory) => Number(one.items === 0);
  const goes = ({ next }: HeldCategory) => (next === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(next.at));
  return [...categories].sort((a, b) => none(a) - none(b) || goes(a) - goes(b) || b.items - a.items);
}

export const REQUEST_KIND_WORDS: Readonly<Record<RequestKind, string>> = {
  access: "What is held",
  export: "A copy",
  rectify: "Correction",
  delete: "Deletion",
  restrict: "Restriction",
  object: "Objection",
};

export const REQUEST_STATE_WORDS: Readonly<
  Record<RequestState, { readonly words: string; readonly tone: "neutral" | "accent" | "warn" }>
> = {
  open: { words: "Open", tone: "accent" },
  in_progress: { words: "At work", tone: "accent" },
  fulfilled: { words: "Done", tone: "neutral" },
  denied: { words: "Refused", tone: "warn" },
  revoked: { words: "Withdrawn", tone: "neutral" },
  expired: { words: "Expired", tone: "neutral" },
};

export function isOpenRequest(state: RequestState): boolean {
  return state === "open" || state === "in_progress";
}

/** The policy and support addresses may be paths of the server. Undefined unless it ends as http or https. */
export function serverAddress(address: string, server: string | undefined): string | undefined {
  if (!URL.canParse(address, server)) return undefined;
  const url = new URL(address, server);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
}
