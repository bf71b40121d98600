/** The launcher, the settings, the browser and the store. */
import type { App, AppPhone, Area, Intent } from "../app.ts";
import { button, entry, page, tick, words } from "../layout.ts";
import type { Field, Scroll, View } from "../view.ts";

export const LAUNCHER = "com.android.launcher3";
export const SETTINGS = "com.android.settings";
export const BROWSER = "com.android.chrome";
export const STORE = "com.android.vending";

export class LauncherApp implements App {
  readonly package = LAUNCHER;
  readonly activity = ".uioverrides.QuickstepLauncher";
  readonly label = "Launcher";
  readonly colour = 0x20304a;
  #scroll: Scroll = { axis: "y", offset: 0, max: 0 };

  clear(): void {
    this.#scroll = { axis: "y", offset: 0, max: 0 };
  }

  view(area: Area, phone: AppPhone): View {
    const { rect, scale } = area;
    const across = rect.width > rect.height ? 6 : 4;
    const [width, height] = [Math.floor(rect.width / across), Math.round(96 * scale)];
    const icons = phone.icons();
    this.#scroll.max = Math.max(0, Math.ceil(icons.length / across) * height + Math.round(24 * scale) - rect.height);
    this.#scroll.offset = Math.min(this.#scroll.offset, this.#scroll.max);
    const children = icons.map((icon, index): View => {
      const bounds = {
        x: rect.x + (index % across) * width,
        y: rect.y + Math.round(24 * scale) + Math.floor(index / across) * height - this.#scroll.offset,
        width,
        height,
      };
      const side = Math.round(48 * scale);
      return {
        kind: "TextView",
        description: icon.label,
        text: icon.label,
        bounds,
        onTap: () => {
          phone.launch(icon.package);
        },
        // Its picture and its letters are one thing to a person, and to a dump.
        paint: [
          {
            rect: {
              x: bounds.x + Math.round((width - side) / 2),
              y: bounds.y + Math.round(8 * scale),
              width: side,
              height: side,
            },
            fill: icon.colour,
          },
        ],
        align: "middle",
        valign: "end",
        size: 0.67,
        colour: 0xffffff,
      };
    });
    return {
      kind: "FrameLayout",
      bounds: rect,
      fill: area.theme.dark ? 0x101826 : 0x20304a,
      children: [{ kind: "ScrollView", id: "workspace", bounds: rect, scroll: this.#scroll, children }],
    };
  }
}

const PAGES = [
  "Network & internet",
  "Connected devices",
  "Apps",
  "Notifications",
  "Battery",
  "Storage",
  "Sound",
  "Display",
];
const MORE = [
  "Wallpaper",
  "Accessibility",
  "Security",
  "Privacy",
  "Location",
  "Safety & emergency",
  "Passwords & accounts",
];
const LAST = ["Digital Wellbeing", "Google", "System", "About phone"];

/** A list longer than the screen, and a page behind each line. */
export class SettingsApp implements App {
  readonly package = SETTINGS;
  readonly activity = ".Settings";
  readonly label = "Settings";
  readonly colour = 0x5f6368;
  #page = "";
  #scroll: Scroll = { axis: "y", offset: 0, max: 0 };

  clear(): void {
    this.#page = "";
    this.#scroll = { axis: "y", offset: 0, max: 0 };
  }
  open(intent: Intent): void {
    if (intent.action === "android.settings.LOCATION_SOURCE_SETTINGS") this.#page = "Location";
  }
  back(phone: AppPhone): boolean {
    if (this.#page === "") return false;
    this.#page = "";
    phone.changed();
    return true;
  }

  view(area: Area, phone: AppPhone): View {
    const fill = area.theme.dark ? 0x14171c : 0xf4f6fb;
    if (this.#page !== "") return page(area, { title: this.#page, fill, rows: this.#rows(phone) });
    const open = (title: string) => () => {
      this.#page = title;
      phone.changed();
    };
    const { location } = phone;
    const summary = (title: string) =>
      title === "Location"
        ? location === undefined
          ? "Off"
          : `${location.latitude}, ${location.longitude}`
        : title === "Display"
          ? phone.dark
            ? "Dark theme on"
            : "Dark theme off"
          : "";
    return page(area, {
      title: "Settings",
      fill,
      scroll: this.#scroll,
      listId: "recycler_view",
      gap: 0,
      inset: 0,
      rows: [...PAGES, ...MORE, ...LAST].map((title) => entry(title, summary(title), open(title))),
    });
  }

  #rows(phone: AppPhone) {
    if (this.#page === "Display") return [tick("Switch", "Dark theme", phone.dark, () => phone.setDark(!phone.dark))];
    if (this.#page === "Network & internet")
      return [tick("Switch", "Airplane mode", phone.airplane, () => phone.setAirplane(!phone.airplane))];
    return [words(`This is ${this.#page}`)];
  }
}

/** Shows the address it was given as text; nothing is loaded. Any other package is an app with a WebView. */
export class BrowserApp implements App {
  readonly package: string;
  readonly activity = "com.google.android.apps.chrome.Main";
  readonly label = "Chrome";
  readonly colour = 0x4285f4;
  #history: string[] = [];
  #address: Field = { value: "", selected: false };

  constructor(name = BROWSER) {
    this.package = name;
  }
  get url(): string {
    return this.#history.at(-1) ?? "about:blank";
  }
  clear(): void {
    this.#history = [];
    this.#address = { value: "", selected: false };
  }
  open(intent: Intent): void {
    if (intent.data !== undefined) this.#go(intent.data);
  }
  #go(url: string): void {
    this.#history = [...this.#history.slice(-50), url];
    this.#address = {
      value: url,
      selected: false,
      action: () =>
        this.#go(/^\w+:/.test(this.#address.value) ? this.#address.value : `https://${this.#address.value}`),
    };
  }
  back(phone: AppPhone): boolean {
    if (this.#history.length < 2) return false;
    this.#history.pop();
    this.#address.value = this.url;
    phone.changed();
    return true;
  }

  view(area: Area, phone: AppPhone): View {
    const { rect, scale, theme } = area;
    const [bar, edge] = [Math.round(56 * scale), Math.round(7 * scale)];
    const inner: View = {
      kind: "EditText",
      id: "url_bar",
      hint: "Search or type web address",
      field: this.#address,
      fill: theme.background,
      colour: theme.text,
      bounds: { x: rect.x + edge, y: rect.y + edge, width: rect.width - 2 * edge, height: bar - 2 * edge },
      onTap: () => {
        this.#address.selected = true;
        phone.focus(this.#address);
      },
    };
    const body = { ...rect, y: rect.y + bar, height: rect.height - bar };
    const line = (index: number, text: string, id: string): View => ({
      kind: "TextView",
      id,
      text,
      colour: theme.text,
      bounds: { ...body, y: body.y + Math.round((16 + index * 40) * scale), height: Math.round(32 * scale) },
    });
    return {
      kind: "FrameLayout",
      bounds: rect,
      fill: theme.dark ? 0x202124 : 0xe8eaed,
      children: [
        inner,
        {
          kind: "WebView",
          bounds: body,
          fill: theme.dark ? 0x171717 : 0xfafafa,
          children: [line(0, this.url, "page_url"), line(1, `Page ${this.#history.length}`, "page_number")],
        },
      ],
    };
  }
}

const STORE_PAGE = /^(?:market:\/\/details|https?:\/\/play\.google\.com\/store\/apps\/details)\?(.*)$/;

/** The page of an app in the store, with a button that installs or opens it. */
export class StoreApp implements App {
  readonly package = STORE;
  readonly activity = ".AssetBrowserActivity";
  readonly label = "Play Store";
  readonly colour = 0x01875f;
  #app = "";

  static opens(url: string): boolean {
    return STORE_PAGE.test(url) || url.startsWith("market://");
  }
  get app(): string {
    return this.#app;
  }
  clear(): void {
    this.#app = "";
  }
  open(intent: Intent): void {
    const query = intent.data?.match(STORE_PAGE)?.[1];
    this.#app = query === undefined ? "" : (new URLSearchParams(query).get("id") ?? "");
  }
  back(phone: AppPhone): boolean {
    if (this.#app === "") return false;
    this.#app = "";
    phone.changed();
    return true;
  }

  view(area: Area, phone: AppPhone): View {
    const fill = area.theme.dark ? 0x0c1512 : 0xf0faf6;
    if (this.#app === "") return page(area, { title: "Google Play", fill, rows: [words("For you")] });
    const there = phone.installed(this.#app);
    return page(area, {
      title: "Google Play",
      fill,
      rows: [
        words(this.#app, { id: "app_id" }),
        there
          ? button("Open", () => phone.launch(this.#app), { id: "open" })
          : button("Install", () => phone.install(this.#app), { id: "install" }),
        words(there ? "Installed" : "Not installed", { id: "status" }),
      ],
    });
  }
}
