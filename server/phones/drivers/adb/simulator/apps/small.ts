/** The counter, the shop, the screen that never rests, and any app that was installed. */
import type { App, AppPhone, Area, Intent } from "../app.ts";
import { button, carousel, page, words } from "../layout.ts";
import type { Scroll, View } from "../view.ts";

/** The counter's colours, one after the other with every tap. */
export const COUNTER_COLOURS = [0x1565c0, 0xc62828, 0x2e7d32, 0xf9a825, 0x6a1b9a] as const;

/** A tap anywhere changes the colour and the number. */
export class CounterApp implements App {
  readonly package = "com.example.counter";
  readonly activity = ".CounterActivity";
  readonly label = "Counter";
  readonly colour = 0x1565c0;
  count = 0;

  clear(): void {
    this.count = 0;
  }

  view(area: Area, phone: AppPhone): View {
    const fill = COUNTER_COLOURS[this.count % COUNTER_COLOURS.length] ?? 0;
    const tap = () => {
      this.count += 1;
      phone.changed();
    };
    const crash = button("Crash", () => phone.crash(this.package), { id: "crash" });
    const height = Math.round(48 * area.scale);
    const { rect } = area;
    return {
      kind: "FrameLayout",
      id: "screen",
      bounds: rect,
      fill,
      onTap: tap,
      description: "Count up",
      children: [
        {
          kind: "TextView",
          id: "count",
          text: `Count ${this.count}`,
          colour: 0xffffff,
          align: "middle",
          size: 2,
          bounds: { ...rect, y: rect.y + Math.round(40 * area.scale), height: 2 * height },
        },
        crash.view({ x: rect.x, y: rect.y + rect.height - height, width: Math.round(100 * area.scale), height }, area),
      ],
    };
  }
}

const GOODS = ["Shoes", "Hat", "Shirt", "Watch", "Bag", "Socks", "Scarf", "Gloves"];

/** Goods that scroll sideways, and a long list below them. */
export class ShopApp implements App {
  readonly package = "com.example.shop";
  readonly activity = ".ShopActivity";
  readonly label = "Shop";
  readonly colour = 0x2e7d32;
  chosen = "";
  #across!: Scroll;
  #down!: Scroll;

  constructor() {
    this.clear();
  }
  clear(): void {
    this.chosen = "";
    this.#across = { axis: "x", offset: 0, max: 0 };
    this.#down = { axis: "y", offset: 0, max: 0 };
  }
  open(intent: Intent): void {
    const item = intent.data?.match(/^shop:\/\/item\/(.*)$/)?.[1];
    if (item !== undefined) this.chosen = item;
  }

  view(area: Area, phone: AppPhone): View {
    const choose = (what: string) => () => {
      this.chosen = what;
      phone.changed();
    };
    return page(area, {
      title: "Shop",
      fill: area.theme.dark ? 0x101a12 : 0xeef7ee,
      scroll: this.#down,
      listId: "list",
      rows: [
        words(this.chosen === "" ? "Nothing chosen" : `Chosen: ${this.chosen}`, { id: "chosen" }),
        carousel(
          "goods",
          this.#across,
          GOODS.map((text, index) => ({ text, fill: 0x004d40 + index * 0x101808, onTap: choose(text) })),
        ),
        ...Array.from({ length: 30 }, (_, index) => button(`Offer ${index + 1}`, choose(`Offer ${index + 1}`))),
      ],
    });
  }
}

/** A bar that runs for ever. */
export class BusyApp implements App {
  readonly package = "com.example.busy";
  readonly activity = ".BusyActivity";
  readonly label = "Busy";
  readonly colour = 0xad1457;
  readonly moving = true;

  clear(): void {
    // It keeps nothing.
  }
  view(area: Area): View {
    const { rect, scale } = area;
    const width = Math.round(80 * scale);
    const at = (Math.floor(area.atMs / 33) * Math.round(6 * scale)) % Math.max(1, rect.width - width);
    return {
      kind: "FrameLayout",
      bounds: rect,
      fill: area.theme.dark ? 0x2a0f1d : 0xfce4ec,
      children: [
        {
          kind: "TextView",
          text: "Loading",
          align: "middle",
          colour: area.theme.text,
          bounds: { ...rect, height: Math.round(80 * scale) },
        },
        {
          kind: "ProgressBar",
          id: "progress",
          fill: 0xad1457,
          bounds: { x: rect.x + at, y: rect.y + Math.round(120 * scale), width, height: Math.round(24 * scale) },
        },
      ],
    };
  }
}

/** What an installed package shows: its name and how it was opened. */
export class InstalledApp implements App {
  readonly package: string;
  readonly activity = ".MainActivity";
  readonly label: string;
  readonly colour = 0x455a64;
  #opened: Intent | undefined;

  constructor(name: string, label: string) {
    this.package = name;
    this.label = label;
  }
  clear(): void {
    this.#opened = undefined;
  }
  open(intent: Intent): void {
    this.#opened = intent;
  }
  view(area: Area): View {
    return page(area, {
      title: this.label,
      fill: area.theme.dark ? 0x1b2327 : 0xcfd8dc,
      rows: [
        words(this.package, { id: "package" }),
        words(this.#opened?.data ?? "", { id: "data" }),
        ...[...(this.#opened?.extras ?? [])].map(([name, value]) => words(`${name}: ${value}`)),
      ],
    });
  }
}
