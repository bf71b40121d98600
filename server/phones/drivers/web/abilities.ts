/** What web phones can do, also for who has none. */
import type { PhoneCapabilities } from "../../../../shared/phones.ts";
import type { AutomationCapabilities } from "../../automation-port.ts";

export const WEB_CAPABILITIES: PhoneCapabilities = {
  android: false,
  upload: true,
  apps: false,
  audio: false,
  openUrl: true,
  rotate: true,
  clipboard: true,
  installWebApp: true,
  files: true,
  recents: true,
};

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
