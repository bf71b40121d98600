/** One open page: its session (and those of its out-of-process frames), what it asks, what went wrong with it. */
import type { Clock } from "../../../clock.ts";
import type { PhoneSpec } from "../../driver.ts";
import { CdpError, type CdpSession } from "./cdp.ts";
import { Dialogs } from "./dialogs.ts";
import { mayShow, originOf, STOPPED_DOCUMENTS, STOPPED_REQUESTS } from "./documents.ts";
import { applyNetwork, applyPhone, emulateFocus } from "./emulation.ts";
import {
  AGENT_BINDING,
  AGENT_WORLD,
  type AgentMessage,
  agentCalls,
  agentMessage,
  agentSource,
  copyReporterSource,
} from "./page-agent.ts";
import type { Events, TargetInfo } from "./protocol.ts";
import type { SheetView } from "./views.ts";

/** Copying and new windows count as a person's doing this long after their last input. */
const PERSON_DID_IT_MS = 5_000;
const NAVIGATION_TIMEOUT_MS = 120_000;

export type Problem =
  | { readonly kind: "unreachable"; readonly url: string; readonly error: string }
  | { readonly kind: "refused"; readonly url: string }
  | { readonly kind: "crashed" }
  | { readonly kind: "hung" };

/** A question, and where in the page the answer belongs. */
export type Sheet =
  | { readonly view: Extract<SheetView, { kind: "dialog" }>; readonly origin: string }
  | {
      readonly view: Exclude<SheetView, { kind: "dialog" | "files" }>;
      readonly session: CdpSession;
      readonly contextId: number;
    }
  | {
      readonly view: { readonly kind: "files"; readonly multiple: boolean };
      readonly session: CdpSession;
      readonly node: number;
    };

/** A frame's target is named after it. */
export interface FrameApart {
  readonly session: CdpSession;
  readonly frameId: string;
}

export interface TabHost {
  readonly clock: Clock;
  readonly version: string;
  readonly channel: string;
  spec(): PhoneSpec;
  /** Pages reach no network. */
  readonly offline: boolean;
  /** Address, title, question or problem of the tab changed. */
  changed(tab: Tab): void;
  /** A main document of this address was committed. */
  navigated(tab: Tab): void;
  keyboard(tab: Tab, open: boolean): void;
  copied(tab: Tab, value: string): void;
  /** An out-of-process frame appeared on the session. */
  frameSession(id: string): CdpSession;
}

export class Tab {
  readonly id: string;
  readonly session: CdpSession;
  readonly openerId: string | undefined;
  /** The same for pages that have each other's windows (a browsing context group, HTML §7.3.2). */
  readonly group: string;
  url: string;
  title: string;
  sheet: Sheet | undefined;
  problem: Problem | undefined;
  /** Address being opened, until its first document is there. */
  opening: string | undefined;
  /** Origin of the address it was opened for, wherever that led. */
  openedFor: string | undefined;
  keyboardOpen = false;
  lastInputAt = Number.NEGATIVE_INFINITY;
  #resting = false;
  readonly #host: TabHost;
  readonly #frames = new Map<string, FrameApart>();
  #mainFrame: string;
  readonly #dialogs: Dialogs;

  constructor(session: CdpSession, info: TargetInfo, host: TabHost, opener: Tab | undefined) {
    this.session = session;
    this.id = info.targetId;
    // A page target is named after its main frame.
    this.#mainFrame = info.targetId;
    this.openerId = opener?.id;
    this.group = opener !== undefined && info.canAccessOpener === true ? opener.group : info.targetId;
    this.url = info.url;
    this.title = info.title;
    this.#host = host;
    this.#dialogs = new Dialogs(host.clock);
  }

  /** What the person would say the page's address is, also before it is there or when it cannot be reached. */
  get address(): string {
    return this.opening ?? (this.problem?.kind === "unreachable" ? this.problem.url : this.url);
  }

  /** A page without one is of one origin with nobody but itself. */
  get origin(): string {
    const origin = originOf(this.url);
    return origin === "" || origin === "null" ? this.id : origin;
  }

  get resting(): boolean {
    return this.#resting;
  }

  get personWasHere(): boolean {
    return this.#host.clock.now() - this.lastInputAt < PERSON_DID_IT_MS;
  }

  /** Sets a paused page up and lets it run. */
  async prepare(): Promise<void> {
    const { session } = this;
    session.on("Page.frameNavigated", (event) => this.#navigated(event));
    session.on("Page.navigatedWithinDocument", ({ frameId, url }) => {
      if (frameId !== this.#mainFrame) return;
      this.url = url;
      this.#host.navigated(this);
    });
    // Titles come with a page's text, and the browser does not tell when.
    session.on("Page.domContentEventFired", () => this.refreshTitle());
    session.on("Page.loadEventFired", () => this.refreshTitle());
    session.on("Page.javascriptDialogOpening", (event) => this.#dialogOpened(event));
    session.on("Page.javascriptDialogClosed", () => {
      if (this.sheet?.view.kind === "dialog") this.#setSheet(undefined);
    });
    await this.#prepareSession(session, true);
  }

  async #prepareSession(session: CdpSession, main: boolean): Promise<void> {
    session.on("Runtime.bindingCalled", (event) => this.#said(session, event));
    session.on("Page.fileChooserOpened", (event) => this.#filesAsked(session, event));
    session.on("Fetch.requestPaused", (event) => this.#requested(session, event));
    session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      const frame = this.#host.frameSession(sessionId);
      this.#frames.set(sessionId, { session: frame, frameId: targetInfo.targetId });
      this.#prepareSession(frame, false).catch(() => undefined);
    });
    session.on("Target.detachedFromTarget", ({ sessionId }) => this.#frames.delete(sessionId));
    const calls = [
      session.send("Page.enable", {}),
      session.send("Runtime.enable", {}),
      session.send("Runtime.addBinding", { name: AGENT_BINDING, executionContextName: AGENT_WORLD }),
      session.send("Page.addScriptToEvaluateOnNewDocument", {
        source: agentSource(this.#host.channel),
        worldName: AGENT_WORLD,
      }),
      session.send("Page.addScriptToEvaluateOnNewDocument", { source: copyReporterSource(this.#host.channel) }),
      session.send("Page.setInterceptFileChooserDialog", { enabled: true }).catch(() => undefined),
      applyPhone(session, this.#host.spec(), this.#host.version, main),
      this.#host.offline ? applyNetwork(session, true) : undefined,
      main ? emulateFocus(session, true) : undefined,
      session.send("Fetch.enable", {
        patterns: [
          ...STOPPED_REQUESTS.map((urlPattern) => ({ urlPattern })),
          ...STOPPED_DOCUMENTS.map((urlPattern) => ({ urlPattern, resourceType: "Document" })),
        ],
      }),
      session.send("Target.setAutoAttach", {
        autoAttach: true,
        waitForDebuggerOnStart: true,
        flatten: true,
        filter: [{ type: "iframe" }, { exclude: true }],
      }),
      session.send("Runtime.runIfWaitingForDebugger", {}),
    ];
    await Promise.all(calls);
  }

  /** Brings the phone's settings to the page after they changed. */
  async configure(): Promise<void> {
    await applyPhone(this.session, this.#host.spec(), this.#host.version, true);
    for (const { session } of this.#frames.values()) {
      await applyPhone(session, this.#host.spec(), this.#host.version, false).catch(() => undefined);
    }
  }

  /** Hides and freezes the page. Calls to it are still answered; what it does itself waits. */
  rest(): void {
    this.#resting = true;
    // A page with emulated focus counts as visible, and a visible page is not frozen.
    this.session.tell("Emulation.setFocusEmulationEnabled", { enabled: false });
    this.session.tell("Page.setWebLifecycleState", { state: "frozen" });
  }

  /** Whatever is sent to the page after this finds it awake: the browser takes a session's commands in order. */
  wake(): void {
    if (!this.#resting) return;
    this.#resting = false;
    this.session.tell("Page.setWebLifecycleState", { state: "active" });
    this.session.tell("Emulation.setFocusEmulationEnabled", { enabled: true });
  }

  /** Starts loading; what comes of it shows as a document or a problem. */
  navigate(url: string): void {
    this.opening = url;
    this.problem = undefined;
    this.session.send("Page.navigate", { url }, NAVIGATION_TIMEOUT_MS).then(
      ({ errorText }) => {
        // The browser's own page about the failure comes before or after the answer that says why.
        const unexplained = this.problem?.kind === "unreachable" && this.problem.url === url;
        if (errorText === undefined || (this.opening !== url && !unexplained)) return;
        this.opening = undefined;
        // An aborted load is a download, or the next navigation.
        if (errorText !== "net::ERR_ABORTED") this.problem = { kind: "unreachable", url, error: errorText };
        this.#host.changed(this);
      },
      (error: unknown) => {
        if (!(error instanceof CdpError) || error.kind !== "timeout" || this.opening !== url) return;
        this.opening = undefined;
        this.problem = { kind: "unreachable", url, error: "net::ERR_TIMED_OUT" };
        this.#host.changed(this);
      },
    );
  }

  reload(): void {
    const { problem } = this;
    if (problem?.kind === "unreachable") this.navigate(problem.url);
    else if (problem?.kind === "crashed") this.navigate(this.url);
    else this.session.tell("Page.reload", {});
    this.problem = undefined;
    this.#host.changed(this);
  }

  /** Goes one page back; false when there is none. */
  async back(): Promise<boolean> {
    const history = await this.session.send("Page.getNavigationHistory", {}, 2_000).catch(() => undefined);
    const previous = history?.entries[history.currentIndex - 1];
    // The empty document every tab begins with is not a page of the person's.
    if (previous === undefined || (previous.url === "about:blank" && history?.currentIndex === 1)) return false;
    this.problem = undefined;
    this.session.tell("Page.navigateToHistoryEntry", { entryId: previous.id });
    this.#host.changed(this);
    return true;
  }

  answerDialog(accept: boolean, text: string, silence: boolean): void {
    const { sheet } = this;
    if (sheet?.view.kind !== "dialog" || !("origin" in sheet)) return;
    if (silence) this.#dialogs.silence(sheet.origin);
    this.session.tell("Page.handleJavaScriptDialog", {
      accept,
      ...(sheet.view.type === "prompt" && accept ? { promptText: text } : {}),
    });
    this.#setSheet(undefined);
  }

  async answerControl(answer: { readonly index: number } | { readonly value: string }): Promise<void> {
    const { sheet } = this;
    if (sheet === undefined || !("contextId" in sheet)) return;
    this.#setSheet(undefined);
    const expression = "index" in answer ? agentCalls.choose(answer.index) : agentCalls.setValue(answer.value);
    await sheet.session.send("Runtime.evaluate", { expression, contextId: sheet.contextId }).catch(() => undefined);
  }

  async answerFiles(paths: readonly string[]): Promise<void> {
    const { sheet } = this;
    if (sheet === undefined || !("node" in sheet)) return;
    this.#setSheet(undefined);
    const answer = { files: paths, backendNodeId: sheet.node };
    await sheet.session.send("DOM.setFileInputFiles", answer).catch(() => undefined);
  }

  cancelSheet(): void {
    if (this.sheet?.view.kind === "dialog") this.answerDialog(false, "", false);
    else this.#setSheet(undefined);
  }

  setProblem(problem: Problem | undefined): void {
    this.problem = problem;
    if (problem?.kind === "crashed") this.sheet = undefined;
    this.#host.changed(this);
  }

  refreshTitle(): Promise<void> {
    return this.session.send("Target.getTargetInfo", { targetId: this.id }, 1_000).then(
      ({ targetInfo }) => {
        if (this.opening !== undefined || targetInfo.title === this.title) return;
        this.title = targetInfo.title;
        this.#host.changed(this);
      },
      () => undefined,
    );
  }

  get frameId(): string {
    return this.#mainFrame;
  }

  /** Its frames that are in processes of their own. */
  get framesApart(): readonly FrameApart[] {
    return [...this.#frames.values()];
  }

  #setSheet(sheet: Sheet | undefined): void {
    this.sheet = sheet;
    this.#host.changed(this);
  }

  #navigated({ frame }: Events["Page.frameNavigated"]): void {
    if (frame.parentId !== undefined) return;
    this.#mainFrame = frame.id;
    this.opening = undefined;
    this.keyboardOpen = false;
    this.url = frame.unreachableUrl ?? frame.url;
    this.title = "";
    this.#dialogs.navigated(this.url);
    if (this.sheet !== undefined) this.sheet = undefined;
    if (frame.unreachableUrl !== undefined) {
      const { problem } = this;
      const told = problem?.kind === "unreachable" && problem.url === frame.unreachableUrl;
      if (!told) this.problem = { kind: "unreachable", url: frame.unreachableUrl, error: "" };
    } else if (!mayShow(frame.url)) {
      this.problem = { kind: "refused", url: frame.url };
      this.session.tell("Page.navigate", { url: "about:blank" });
    } else if (this.problem?.kind !== "refused" || frame.url !== "about:blank") {
      this.problem = undefined;
    }
    this.#host.keyboard(this, false);
    this.#host.navigated(this);
  }

  #dialogOpened(event: Events["Page.javascriptDialogOpening"]): void {
    const view = this.#dialogs.opened(event);
    if (view !== undefined) this.#setSheet({ origin: originOf(event.url), view });
    else this.session.tell("Page.handleJavaScriptDialog", { accept: event.type === "beforeunload" });
  }

  #said(session: CdpSession, event: Events["Runtime.bindingCalled"]): void {
    if (event.name !== AGENT_BINDING) return;
    const message = parseAgentMessage(event.payload);
    if (message === undefined) return;
    const contextId = event.executionContextId;
    switch (message.type) {
      case "select":
        this.#setSheet({
          session,
          contextId,
          view: { kind: "select", title: message.title, options: message.options },
        });
        return;
      case "value": {
        const { kind, title, value, min, max } = message;
        this.#setSheet({ session, contextId, view: { kind: "value", type: kind, title, value, min, max } });
        return;
      }
      case "keyboard":
        this.keyboardOpen = message.open;
        this.#host.keyboard(this, message.open);
        return;
      case "copied":
        if (this.personWasHere) this.#host.copied(this, message.value);
    }
  }

  #filesAsked(session: CdpSession, event: Events["Page.fileChooserOpened"]): void {
    if (event.backendNodeId === undefined) return;
    this.#setSheet({
      session,
      node: event.backendNodeId,
      view: { kind: "files", multiple: event.mode === "selectMultiple" },
    });
  }

  #requested(session: CdpSession, event: Events["Fetch.requestPaused"]): void {
    const { url } = event.request;
    const inside = event.frameId !== this.#mainFrame && (url.startsWith("data:") || url.startsWith("blob:"));
    const { requestId } = event;
    if (inside) session.tell("Fetch.continueRequest", { requestId });
    else session.tell("Fetch.failRequest", { requestId, errorReason: "BlockedByClient" });
  }
}

function parseAgentMessage(payload: string): AgentMessage | undefined {
  try {
    return agentMessage.safeParse(JSON.parse(payload)).data;
  } catch {
    return undefined;
  }
}
