/** The parts of a page that stays open: the panel. */
import { followPhoneEvents, followRunEvents } from "../api/stream.ts";
import { type App, type AppParts, composeApp } from "./compose-app.ts";

export type { App, AppParts } from "./compose-app.ts";

export function createApp(parts: AppParts = {}): App {
  return composeApp({ ...parts, follow: followPhoneEvents, followRun: followRunEvents });
}
