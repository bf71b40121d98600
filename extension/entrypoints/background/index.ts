/**
 * The background worker: only registrations. The browser stops it whenever it likes, so it holds no truth, and every
 * listener is registered in its first turn, or the event that woke it would be lost.
 */
import { defineBackground } from "wxt/utils/define-background";
import { createLightApp } from "../../state/light-app.ts";
import { registerBadge } from "./alarms.ts";
import { registerCommands } from "./commands.ts";
import { registerInstall } from "./install.ts";
import { registerMenus } from "./menus.ts";
import { registerOmnibox } from "./omnibox.ts";

export default defineBackground({
  type: "module",
  main() {
    const app = createLightApp();
    registerInstall();
    registerMenus(app);
    registerCommands(app);
    registerOmnibox(app);
    registerBadge(app);
  },
});
