/** Where this page runs and which phone it was opened for, as its address says. */
import { type PhoneId, phoneId } from "../../../shared/ids.ts";

export interface PanelPlace {
  /** In a tab of its own, with room for everything side by side. */
  readonly full: boolean;
  /** The phone the page was opened for. */
  readonly phoneId: PhoneId | undefined;
  /** The tab to begin with, where a link elsewhere leads to one; else the phone. */
  readonly tab?: (typeof TABS)[number];
}

/** `billing` is a page of Account. */
const TABS = ["privacy", "automations", "billing"] as const;

/** Reads `?phone=…&full=1&tab=privacy`; anything else in the address is ignored. */
export function panelPlace(search: string): PanelPlace {
  const query = new URLSearchParams(search);
  const tab = TABS.find((each) => each === query.get("tab"));
  const parsed = phoneId.safeParse(query.get("phone"));
  return {
    full: query.get("full") === "1",
    phoneId: parsed.success ? parsed.data : undefined,
    ...(tab !== undefined && { tab }),
  };
}

/** Path of the full-size view of one phone, for `openTab`. */
export function fullSizePath(id: PhoneId): string {
  return `/sidepanel.html?phone=${encodeURIComponent(id)}&full=1`;
}
