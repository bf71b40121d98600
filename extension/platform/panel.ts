/**
 * The panel beside the page: Chrome's side panel, Firefox's sidebar. Both open only within a person's gesture, and
 * awaiting anything before the call loses the gesture: call `openPanel` first, then do the rest.
 */
import browser from "webextension-polyfill";
import { failure, type Result, success } from "./result.ts";

export type PanelProblem = "unsupported" | "needs_gesture" | "failed";

interface ChromeSidePanel {
  open(target: { windowId: number }): Promise<void>;
}

/**
 * The polyfill passes Chrome-only interfaces through untouched and has no types for them; what is returned is either
 * absent or Chrome's documented `sidePanel`.
 */
function chromeSidePanel(): ChromeSidePanel | undefined {
  const api = (browser as unknown as { sidePanel?: Partial<ChromeSidePanel> }).sidePanel;
  return typeof api?.open === "function" ? (api as ChromeSidePanel) : undefined;
}

function firefoxSidebar(): browser.SidebarAction.Static | undefined {
  return (browser as Partial<typeof browser>).sidebarAction;
}

export function panelSupported(): boolean {
  return chromeSidePanel() !== undefined || firefoxSidebar() !== undefined;
}

/** Opens the panel in a window; does nothing when it is open there. Call it synchronously within a gesture. */
export function openPanel(windowId: number | undefined): Promise<Result<undefined, PanelProblem>> {
  const sidebar = firefoxSidebar();
  if (sidebar !== undefined) return settled(() => sidebar.open());
  const panel = chromeSidePanel();
  if (panel === undefined || windowId === undefined) return Promise.resolve(failure("unsupported"));
  return settled(() => panel.open({ windowId }));
}

/**
 * Opens the panel from the popup, with `first` done for it. Chrome closes the popup the moment the panel takes the
 * focus, whatever it was still writing, and keeps a page's gesture for some seconds: so `first` comes first there.
 * Firefox loses the gesture with any wait and leaves the popup open: there both start together.
 */
export async function openPanelFromPopup(
  windowId: number | undefined,
  first: () => Promise<unknown>,
): Promise<Result<undefined, PanelProblem>> {
  if (firefoxSidebar() === undefined) {
    await first();
    return openPanel(windowId);
  }
  const opening = openPanel(windowId);
  await first();
  return opening;
}

/**
 * Opens or closes the panel. Chrome cannot tell within the gesture whether the panel is open, so `tellOpenPanels`
 * asks panels that are open already to close themselves; one opened by this call has not loaded yet and stays.
 */
export function togglePanel(
  windowId: number | undefined,
  tellOpenPanels: () => void,
): Promise<Result<undefined, PanelProblem>> {
  const sidebar = firefoxSidebar();
  if (sidebar !== undefined) return settled(() => sidebar.toggle());
  tellOpenPanels();
  return openPanel(windowId);
}

/** `open` runs at once, still within the gesture. */
async function settled(open: () => Promise<void>): Promise<Result<undefined, PanelProblem>> {
  try {
    await open();
    return success(undefined);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : "";
    return failure(/gesture|user input|user action/i.test(words) ? "needs_gesture" : "failed", cause);
  }
}
