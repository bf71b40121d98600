/** The parts of a page that stays open: the panel. */
import { createPanelApi } from "../api/panel-client.ts";
import { followPhoneEvents, followRecordingEvents, followRunEvents } from "../api/stream.ts";
import { createClockSkew } from "./clock-skew.ts";
import { type App, type AppParts, composeApp } from "./compose-app.ts";

export type { App, AppParts } from "./compose-app.ts";

export function createApp(parts: AppParts = {}): App {
  const skew = createClockSkew();
  return {
    ...composeApp({
      ...parts,
      createApi: (options) => createPanelApi(options, skew.heard),
      follow: followPhoneEvents,
      followRun: followRunEvents,
      followRecording: followRecordingEvents,
    }),
    skew,
  };
}
