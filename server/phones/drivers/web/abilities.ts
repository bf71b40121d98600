/** What flows can do on web phones, also for who has none. */
import type { AutomationCapabilities } from "../../automation-port.ts";

export const WEB_CAN: AutomationCapabilities = {
  apps: false,
  css: true,
  clearState: true,
  permissions: true,
  location: true,
  darkMode: true,
  airplaneMode: true,
  addMedia: true,
  recording: true,
};
