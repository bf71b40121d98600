/** The one line on top of the privacy screen: what is held, in one sentence made of the overview. */
import type { PrivacyOverview } from "../../../shared/privacy.ts";

export interface PrivacyStatus {
  readonly title: string;
  readonly detail: string;
}

export function privacyStatus(overview: PrivacyOverview): PrivacyStatus {
  const held = overview.categories.filter((category) => category.items > 0);
  const title =
    held.length === 0
      ? "Nothing is held about you"
      : `${held.length === 1 ? "One kind" : `${held.length} kinds`} of data, all listed here`;
  const { processors } = overview;
  const detail =
    processors.length === 0
      ? "Nobody else: everything stays on this server."
      : `Shared with ${processors.map((processor) => processor.name).join(", ")}, for the purposes below.`;
  return { title, detail };
}

/** How many things are held, with the unit a person would use: `none`, `1 item`, `12 items`. */
export function itemWords(items: number): string {
  if (items === 0) return "none";
  return items === 1 ? "1 item" : `${items.toLocaleString()} items`;
}

/** The policy and support addresses may be paths of the server. Undefined unless it ends as http or https. */
export function serverAddress(address: string, server: string | undefined): string | undefined {
  if (!URL.canParse(address, server)) return undefined;
  const url = new URL(address, server);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
}
