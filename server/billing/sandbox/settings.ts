/** What the sandbox remembers of itself between restarts. */
import type { View } from "./view.ts";

export interface Settings {
  /** How far the sandbox's clock is ahead of the server's. */
  readonly aheadMs: number;
  /** Unix seconds up to which everything due has been done; things that only notify are due after it. */
  readonly doneUntil: number;
  /** Days between tries to collect an open invoice. */
  readonly retryDays: readonly number[];
  /** What becomes of a subscription when the last try failed. */
  readonly afterRetries: "cancel" | "mark_unpaid" | "leave_past_due";
}

const ID = "sandbox_settings";
const FIRST: Settings = { aheadMs: 0, doneUntil: 0, retryDays: [3, 5, 7], afterRetries: "cancel" };

export async function settingsOf(view: View): Promise<Settings> {
  return { ...FIRST, ...(await view.inner<Partial<Settings>>("settings", ID)) };
}

export async function changeSettings(view: View, changes: Partial<Settings>): Promise<void> {
  await view.putInner("settings", ID, { ...(await settingsOf(view)), ...changes });
}
