/** The phone's own page in the browser: shows one view at a time and hands on what the person answers there. */
import type { CdpSession } from "./cdp.ts";
import { SYSTEM_HTML } from "./system-document.ts";
import { SYSTEM_BINDING, showExpression, systemScript } from "./system-page.ts";
import type { Tabs } from "./tabs.ts";
import { type SystemAction, type SystemView, systemMessage } from "./views.ts";

const EMPTY: SystemView = { screen: "home", apps: [], files: [], note: "" };

export class SystemScreen {
  readonly session: CdpSession;
  readonly targetId: string;
  #number = 0;
  #shown = "";
  #listener: ((action: SystemAction) => void) | undefined;

  private constructor(session: CdpSession, targetId: string) {
    this.session = session;
    this.targetId = targetId;
    session.on("Runtime.bindingCalled", ({ name, payload }) => {
      if (name !== SYSTEM_BINDING) return;
      const { view, action } = systemMessage.parse(JSON.parse(payload));
      // An answer to a view that is gone is an answer to nothing.
      const always = action.type === "keyboard" || action.type === "copied";
      if (always || view === this.#number) this.#listener?.(action);
    });
  }

  /** Opens the page and shows an empty home screen, so that the first real view is a matter of milliseconds. */
  static async create(tabs: Tabs): Promise<SystemScreen> {
    const { session, info } = await tabs.createWindow();
    const screen = new SystemScreen(session, info.targetId);
    await Promise.all([
      session.send("Page.enable", {}),
      session.send("Runtime.enable", {}),
      session.send("Runtime.addBinding", { name: SYSTEM_BINDING }),
      session.send("Runtime.runIfWaitingForDebugger", {}),
    ]);
    await session.send("Page.setDocumentContent", { frameId: info.targetId, html: SYSTEM_HTML });
    await session.send("Runtime.evaluate", { expression: systemScript() });
    await screen.show(EMPTY);
    return screen;
  }

  onAction(listener: (action: SystemAction) => void): void {
    this.#listener = listener;
  }

  /** Shows a view; one that is shown already is left as it is, with what was typed into it. */
  async show(view: SystemView): Promise<void> {
    const text = JSON.stringify(view);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#number += 1;
    const answer = await this.session.send("Runtime.evaluate", { expression: showExpression(view, this.#number) });
    if (answer.exceptionDetails !== undefined)
      throw new Error(`The system page failed: ${answer.exceptionDetails.text}`);
  }

  /** The next `show` draws anew: the page is not looking at this view any more. */
  leave(): void {
    this.#shown = "";
    this.#number += 1;
  }
}
