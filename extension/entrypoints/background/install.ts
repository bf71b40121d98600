/** The first minute after installation. */
import { onInstalled } from "../../platform/runtime.ts";
import { openTab } from "../../platform/tabs.ts";

export function registerInstall(): void {
  onInstalled((reason) => {
    if (reason === "install") void openTab("/welcome.html");
  });
}
