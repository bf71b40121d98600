/** The parts of a page that stays open: the panel. */
import { createPanelApi } from "../api/panel-client.ts";
import { followPhoneEvents, followRecordingEvents, followRunEvents } from "../api/stream.ts";
import { type App, type AppParts, composeApp } from "./compose-app.ts";

export type { App, AppParts } from "./compose-app.ts";

export function createApp(parts: AppParts = {}): App {
  return composeApp({
    ...parts,
    createApi: createPanelApi,
    follow: followPhoneEvents,
    followRun: followRunEvents,
    followRecording: followRecordingEvents,
  });
}
