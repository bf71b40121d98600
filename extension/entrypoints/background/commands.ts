/** Keyboard commands; their names are in `manifest.ts`. */
import { parsePhoneUrl } from "../../../shared/phone-model.ts";
import { tell } from "../../messaging/protocol.ts";
import { onCommand } from "../../platform/commands.ts";
import { openPanel, togglePanel } from "../../platform/panel.ts";
import type { App } from "../../state/compose-app.ts";
import { handOver } from "./hand-over.ts";

export function registerCommands(app: App): void {
  onCommand((name, tab) => {
    const windowId = tab?.windowId;
    if (name === "toggle-panel") {
      void togglePanel(windowId, () => void tell("close_panel", windowId === undefined ? {} : { windowId }));
    } else if (name === "open-page") {
      const url = parsePhoneUrl(tab?.url ?? "");
      // A page only the browser itself can show: the phones are still what the person reached for.
      if (url === undefined) void openPanel(windowId);
      else void handOver(app, windowId, { type: "open", url });
    }
  });
}
