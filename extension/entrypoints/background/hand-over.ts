/** Gives a wish to the panel, within the gesture it was made in. */
import { openPanel } from "../../platform/panel.ts";
import { openTab } from "../../platform/tabs.ts";
import type { App } from "../../state/compose-app.ts";
import type { Wish } from "../../state/intents.ts";

/** The panel as a page of its own, where a browser or a moment has no panel. */
export const PANEL_IN_A_TAB = "/sidepanel.html?full=1";

/** The panel opens before anything is awaited, because awaiting loses the gesture; the wish waits for it in storage. */
export async function handOver(app: App, windowId: number | undefined, wish: Wish): Promise<void> {
  const opening = openPanel(windowId);
  await app.intents.put(wish);
  if (!(await opening).ok) await openTab(PANEL_IN_A_TAB);
}
