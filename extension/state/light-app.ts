/** The parts of what lives for seconds: the popup, the worker. Changes are asked for instead of listened to. */
import { type App, type AppParts, composeApp } from "./compose-app.ts";

export function createLightApp(parts: AppParts = {}): App {
  return composeApp(parts);
}
