/**
 * The page in a WebView on the screen, read over the DevTools socket of the app in front as web phones read theirs. Its
 * elements stand in the tree in place of what Android tells of the WebView. Where there is no such socket, an app that
 * allows no debugging say, the tree stays as it is.
 */
import { z } from "zod";
import type { UiBounds, UiElement } from "../../../../../shared/ui-tree.ts";
import type { Clock } from "../../../../clock.ts";
import { PerchError } from "../../../../errors.ts";
import type { FrameAt } from "../../web/automation-frames.ts";
import { elementsAt, type FrameListing, type PagePlace } from "../../web/automation-tree.ts";
import type { CdpConnection } from "../../web/cdp.ts";
import { PageReader } from "../../web/page-reader.ts";
import { within } from "../connect/bounded.ts";
import { type DevtoolsPage, devtoolsPages, openDevtools } from "../devtools-socket.ts";
import type { AndroidDevice } from "../ports.ts";
import type { AndroidTree } from "./ui-tree.ts";

/** Whose socket has Chrome's name; other apps' have their process's number. */
const CHROMES: ReadonlySet<string> = new Set([
  ...["com.android.chrome", "com.chrome.beta", "com.chrome.dev", "com.chrome.canary", "org.chromium.chrome"],
]);
const ANSWER_MS = 2_000;
/** For all of one look. */
const LOOK_MS = 4_000;
/** An app whose page could not be read is asked again then. */
const AGAIN_MS = 3_000;
const IDLE_MS = 30_000;
const MAX_PROCESSES = 4;
const MAX_PAGES = 3;
const NO_CSS =
  "`css` finds elements in pages of Chrome and of apps that allow debugging. The page in front cannot be asked.";

/** Of a WebView, in pixels of the screen. */
const described = z.object({
  ...{ attached: z.boolean(), visible: z.boolean() },
  ...{ width: z.number().nonnegative(), height: z.number().nonnegative() },
});

interface Open {
  readonly app: string;
  readonly connection: CdpConnection;
  readonly pages: PageReader;
  readonly at: FrameAt;
}

export interface DevicePageOptions {
  readonly device: AndroidDevice;
  readonly clock: Clock;
}

export class DevicePage {
  readonly #options: DevicePageOptions;
  #open: Open | undefined;
  /** What the last tree had: a page that was read, one that was not, or none. */
  #last: "read" | "unread" | "none" = "none";
  #failed: { readonly app: string; readonly until: number } | undefined;
  #idle: NodeJS.Timeout | undefined;
  #look = new AbortController();
  #closed = false;

  constructor(options: DevicePageOptions) {
    this.#options = options;
  }

  /** The tree with the page's own elements in it. Never throws. */
  async into(tree: AndroidTree): Promise<AndroidTree> {
    const { device, clock } = this.#options;
    const { app } = tree;
    const view = largestView(tree.root);
    this.#last = "none";
    if (app === undefined || view === undefined || this.#closed) return tree;
    this.#last = "unread";
    if (this.#failed?.app === app && clock.now() < this.#failed.until) return tree;
    try {
      this.#look = new AbortController();
      const listing = await within(LOOK_MS, device.words, this.#list(app, this.#look.signal));
      const place = placeOf(view.bounds, listing, tree);
      if (place === undefined) return tree;
      const { elements: children, cut } = elementsAt(listing, place);
      this.#failed = undefined;
      this.#last = "read";
      return {
        ...tree,
        root: replaced(tree.root, view, { ...view, children }),
        ...(cut !== undefined && { note: cut }),
      };
    } catch {
      this.#look.abort();
      this.#failed = { app, until: clock.now() + AGAIN_MS };
      this.#drop();
      return tree;
    }
  }

  /** Of the last tree's page. @throws PerchError `bad_input` for what is no selector, `capability_missing` */
  async find(css: string): Promise<readonly string[]> {
    if (this.#last === "unread") throw new PerchError("capability_missing", NO_CSS);
    const open = this.#open;
    if (this.#last === "none" || open === undefined) return [];
    try {
      return await within(LOOK_MS, this.#options.device.words, open.pages.find(open.at, css));
    } catch (error) {
      if (error instanceof PerchError && error.code === "bad_input") throw error;
      // It went meanwhile; the next look tells.
      return [];
    }
  }

  close(): void {
    this.#closed = true;
    this.#look.abort();
    this.#drop();
  }

  /** `signal`: nobody waits for it any more. */
  async #list(app: string, signal: AbortSignal): Promise<FrameListing> {
    const known = this.#open;
    if (known?.app === app) {
      const listing = await this.#listOf(known).catch(() => undefined);
      if (listing !== undefined) return listing;
    }
    this.#drop();
    for (const to of await this.#sockets(app)) {
      const pages = await devtoolsPages(this.#options.device, to, app).catch(() => []);
      for (const page of visibleFirst(pages)) {
        const open = await this.#connect(app, to, page).catch(() => undefined);
        const listing = open && (await this.#listOf(open).catch(() => undefined));
        if (open !== undefined && listing !== undefined && !signal.aborted) {
          this.#open = open;
          return listing;
        }
        open?.connection.end();
      }
    }
    throw new Error("No page can be asked.");
  }

  /** Undefined for a page that is not shown: one of another tab. */
  async #listOf({ pages, at }: Open): Promise<FrameListing | undefined> {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#drop(), IDLE_MS).unref();
    return (await pages.ask(at, "shown()", true)) === true ? pages.list(at, "elements(false,false)") : undefined;
  }

  async #connect(app: string, to: string, page: DevtoolsPage): Promise<Open> {
    const connection = await openDevtools(this.#options.device, to, page);
    const session = connection.browser;
    try {
      const { frameTree } = await session.send("Page.getFrameTree", {}, ANSWER_MS);
      const pages = new PageReader({ answerMs: ANSWER_MS, apart: () => [] });
      return { app, connection, pages, at: { session, frameId: String(frameTree.frame.id) } };
    } catch (error) {
      connection.end();
      throw error;
    }
  }

  /** The app's own, and no other. */
  async #sockets(app: string): Promise<readonly string[]> {
    if (CHROMES.has(app)) return ["localabstract:chrome_devtools_remote"];
    const { stdout } = await this.#options.device.run(["pidof", app], { timeoutMs: ANSWER_MS, maxBytes: 4_096 });
    const pids =
      Buffer.from(stdout)
        .toString("latin1")
        .match(/\b\d{1,10}\b/g) ?? [];
    return pids.slice(0, MAX_PROCESSES).map((pid) => `localabstract:webview_devtools_remote_${pid}`);
  }

  #drop(): void {
    clearTimeout(this.#idle);
    this.#open?.connection.end();
    this.#open = undefined;
  }
}

/** Of WebViews those on the screen, the largest first. */
function visibleFirst(pages: readonly DevtoolsPage[]): readonly DevtoolsPage[] {
  const sized = pages.flatMap((page) => {
    if (page.description === "") return [{ page, area: 0 }];
    const said = described.safeParse(parsed(page.description)).data;
    if (said === undefined || !said.attached || !said.visible) return [];
    return [{ page, area: said.width * said.height }];
  });
  const sorted = sized.toSorted((one, other) => other.area - one.area);
  return sorted.slice(0, MAX_PAGES).map(({ page }) => page);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const area = ({ bounds }: UiElement) => bounds.width * bounds.height;

/** The role of Android's WebViews is "document". */
function largestView(element: UiElement): UiElement | undefined {
  if (element.role === "document") return element;
  return element.children
    .flatMap((child) => largestView(child) ?? [])
    .toSorted((one, other) => area(other) - area(one))
    .at(0);
}

/**
 * A page is as wide as its WebView; how tall it is seen changes with bars and keyboards. One whose shape is another's is
 * not taken: touches would go astray.
 */
function placeOf(
  { x, y, width, height }: UiBounds,
  { listing }: FrameListing,
  screen: { readonly width: number; readonly height: number },
): PagePlace | undefined {
  const sx = width / listing.width;
  const sy = (sx * screen.width) / screen.height;
  const tall = (listing.height * sy) / height;
  if (!(tall > 0.4 && tall < 1.25)) return undefined;
  return { x, y, sx, sy, clip: { left: x, top: y, right: x + width, bottom: y + height } };
}

function replaced(within: UiElement, old: UiElement, by: UiElement): UiElement {
  if (within === old) return by;
  return { ...within, children: within.children.map((child) => replaced(child, old, by)) };
}
