/** What is held about a person, category by category, in words that fit a narrow panel. */

import type { UserId } from "../../../shared/ids.ts";
import type { HeldCategory } from "../../../shared/privacy.ts";
import { EXTENSION_STORES } from "../map/extension-stores.ts";
import { STORES, type Store } from "../map/stores.ts";
import { CATEGORIES, RETENTION, type Retention, USES } from "../tags.ts";
import type { HeldPart, HeldRepo, PersonalCategory } from "./held.repo.ts";

/** Facts about a person, one however often they are stored. Of everything else each thing counts. */
const FACTS: readonly PersonalCategory[] = [
  "user.name",
  "user.contact.email",
  "user.authorization.password",
  "user.unique_id",
];

export async function heldCategories(
  repo: HeldRepo,
  userId: UserId,
  where: { readonly database: string; readonly processors: readonly { readonly id: string }[] },
): Promise<HeldCategory[]> {
  const held = Map.groupBy(await repo.parts(userId), ({ category }) => category);
  // Parts alone are a team's name, which is shown with the team.
  const parts = [...held].filter(([, mine]) => mine.some(({ isPart }) => !isPart));
  const order = Object.keys(CATEGORIES);
  const sorted = parts.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  return Promise.all(
    sorted.map(async ([category, mine]): Promise<HeldCategory> => {
      const tags = mine.flatMap(({ columns }) => columns.map(({ tag }) => tag));
      const oldest = earliest(mine.flatMap(({ oldestAt }) => oldestAt ?? []));
      const first = mine.flatMap(({ firstGoes }) => firstGoes ?? []).sort((a, b) => a.at.getTime() - b.at.getTime())[0];
      const items = itemsOf(category, mine);
      return {
        category,
        label: CATEGORIES[category],
        purpose: unique(tags.flatMap(({ use }) => use.map((one) => USES[one]))).join("; "),
        items,
        ...(oldest !== undefined && { oldestAt: oldest.toISOString() }),
        leaves: leavesWords(tags.map(({ retain }) => retain)),
        ...(first !== undefined && {
          next: { items: Math.min(items, await repo.goingWith(userId, first)), at: first.at.toISOString() },
        }),
        place: placeWords(category, where),
        clauses: unique(tags.map(({ clause }) => clause)).sort(),
        rectify: tags.some(({ rectify }) => rectify === "self")
          ? "self"
          : tags.some(({ rectify }) => rectify === "support")
            ? "support"
            : "none",
      };
    }),
  );
}

/** A run with its forty steps is one thing; a fact is one fact. */
function itemsOf(category: PersonalCategory, parts: readonly HeldPart[]): number {
  if (FACTS.includes(category)) return 1;
  return parts.reduce((sum, { isPart, rows }) => (isPart ? sum : sum + rows), 0);
}

const WITH: Partial<Readonly<Record<Retention, string>>> = {
  account: "with your account",
  incident: "with your account",
  team: "with the team",
  phone: "with the phone",
};

/** `After 1 to 90 days, or with your account or the team`. */
export function leavesWords(rules: readonly Retention[]): string {
  const days = rules.flatMap((rule) => {
    const kept: { readonly words: string; readonly days?: number } = RETENTION[rule];
    return kept.days === undefined || rule === "request" || rule === "billing" ? [] : [kept.days];
  });
  const [least, most] = [Math.min(...days), Math.max(...days)];
  const long = (["request", "billing"] as const).filter((rule) => rules.includes(rule));
  const inDays =
    days.length === 0 ? [] : [least === most ? `after ${dayWords(most)}` : `after ${least} to ${dayWords(most)}`];
  const withs = unique(rules.flatMap((rule) => WITH[rule] ?? []));
  const all = [...inDays, ...withs, ...long.map((rule) => RETENTION[rule].words)];
  const words = all.length === 0 ? unique(rules.map((rule) => RETENTION[rule].words)) : all;
  return sentence(words.join(", or "));
}

function dayWords(days: number): string {
  return days === 1 ? "1 day" : `${days} days`;
}

/** The database first, then files, whom it is given to, and the browser. */
function placeWords(
  category: PersonalCategory,
  { database, processors }: { readonly database: string; readonly processors: readonly { readonly id: string }[] },
): string {
  const stores: readonly Store[] = Object.values(STORES);
  const beside = stores.flatMap(({ kind, place, holds, processor }) => {
    // Files are on the server where no processor keeps them.
    const isThere = kind !== "processor" || processors.some(({ id }) => id === processor);
    return place !== undefined && holds !== "tables" && holds.includes(category) && isThere ? [place] : [];
  });
  const browser = EXTENSION_STORES.some(({ holds }) => holds.includes(category)) ? ["in your browser"] : [];
  return sentence(unique([database, ...beside, ...browser]).join("; "));
}

function earliest(dates: readonly Date[]): Date | undefined {
  return dates.length === 0 ? undefined : new Date(Math.min(...dates.map((date) => date.getTime())));
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}
