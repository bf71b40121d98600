/** The simulated phone itself: what is open, what is on the screen, and what happens when it is touched or typed on. */
import { type App, type AppPhone, type Area, DARK, type Intent, LIGHT } from "./app.ts";
import { FormApp } from "./apps/form.ts";
import { BusyApp, CounterApp, InstalledApp, ShopApp } from "./apps/small.ts";
import { BrowserApp, LAUNCHER, LauncherApp, SettingsApp, StoreApp } from "./apps/system.ts";
import { Canvas, type Rect } from "./canvas.ts";
import type { DeviceFiles } from "./device-files.ts";
import { crashDialog, type Dialog, dialogView, permissionDialog, shadeView } from "./dialogs.ts";
import { Gestures, type Touch } from "./gestures.ts";
import { resolve } from "./intents.ts";
import { Packages } from "./packages.ts";
import { androidProperties, androidSettings } from "./properties.ts";
import { draw, type Field, type SeenView, seen, under, type View } from "./view.ts";

export interface PhoneOptions {
  readonly serial: string;
  /** Unturned, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly density: number;
}
interface Size {
  readonly width: number;
  readonly height: number;
}
const KEYBOARD_DP = 240;
const STATUS_BAR_DP = 24;
const TOUCHES_KEPT = 2_000;
/** Of what moves by itself. */
const FRAME_MS = 33;

export class Phone implements AppPhone {
  readonly files: DeviceFiles;
  readonly packages = new Packages();
  readonly properties: Map<string, string>;
  readonly settings: Record<"system" | "secure" | "global", Map<string, string>>;
  readonly physical: Size & { readonly density: number };
  override: Partial<Size & { density: number }> = {};
  clipboard = "";
  awake = true;
  dark = false;
  airplane = false;
  volume = 7;
  rotation = 0;
  keyboard = false;
  location: { readonly latitude: number; readonly longitude: number } | undefined;
  neverIdle = false;
  /** The last touches, for tests. */
  readonly touches: Touch[] = [];
  /** What runs of an app besides what it shows, and how that ends. */
  readonly processes = new Map<string, () => void>();
  readonly #launcher = new LauncherApp();
  readonly #gestures = new Gestures(() => this.changed());
  #stack: App[] = [];
  #dialog: Dialog | undefined;
  #shade = false;
  #focused: Field | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #clipboardListeners = new Set<(value: string) => void>();
  #frame: Canvas;
  #dirty = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PhoneOptions, files: DeviceFiles) {
    this.files = files;
    this.physical = options;
    this.properties = androidProperties(options.serial, options.density);
    this.settings = androidSettings();
    this.#frame = new Canvas(options.width, options.height);
    this.#furnish();
  }

  /** The apps it comes with, to look into from tests. */
  readonly apps = {
    settings: new SettingsApp(),
    browser: new BrowserApp(),
    store: new StoreApp(),
    form: new FormApp(),
    counter: new CounterApp(),
    shop: new ShopApp(),
    busy: new BusyApp(),
  };

  #furnish(): void {
    const { settings, browser, store, form, counter, shop, busy } = this.apps;
    for (const app of [this.#launcher, settings, browser, store])
      this.packages.add(app, { system: true, path: `/system/app/${app.label}/${app.label}.apk`, versionCode: 34 });
    for (const app of [form, counter, shop, busy]) this.packages.add(app);
  }

  // --- What is on the screen

  get size(): Size {
    const { width, height } = { ...this.physical, ...this.override };
    return this.rotation % 2 === 0 ? { width, height } : { width: height, height: width };
  }
  get density(): number {
    return this.override.density ?? this.physical.density;
  }
  get scale(): number {
    return this.density / 160;
  }
  /** The app with the focus, and what of the system lies over it. */
  get top(): App {
    return this.#stack.at(-1) ?? this.#launcher;
  }
  get focused(): Field | undefined {
    return this.#focused;
  }
  get foreground(): { readonly package: string; readonly activity: string } {
    if (this.#shade) return { package: "com.android.systemui", activity: ".NotificationShade" };
    return this.#dialog === undefined ? this.top : { package: this.#dialog.package, activity: ".Dialog" };
  }
  get tasks(): readonly string[] {
    return this.#stack.map((app) => app.package);
  }
  get moving(): boolean {
    return this.awake && this.#dialog === undefined && this.top.moving === true;
  }
  get keyboardRect(): Rect | undefined {
    if (!this.keyboard) return undefined;
    const { width, height } = this.size;
    const tall = Math.min(Math.round(KEYBOARD_DP * this.scale), Math.round(height / 2));
    return { x: 0, y: height - tall, width, height: tall };
  }

  #area(): Area {
    const { width, height } = this.size;
    const y = Math.round(STATUS_BAR_DP * this.scale);
    const bottom = this.keyboardRect?.y ?? height;
    const theme = this.dark ? DARK : LIGHT;
    return { rect: { x: 0, y, width, height: bottom - y }, scale: this.scale, theme, atMs: performance.now() };
  }

  /** The window with the focus, as `uiautomator` sees it: no keyboard, no status bar. */
  tree(): SeenView {
    const area = this.#area();
    const root = seen(this.#window(area), area.rect);
    if (root === undefined) throw new Error("the screen has no room");
    return root;
  }

  #window(area: Area): View {
    if (this.#shade) return shadeView(area);
    return this.#dialog === undefined ? this.top.view(area, this) : dialogView(this.#dialog, area);
  }

  /** The pixels of now. The same canvas is drawn on again when something changes. */
  frame(): Canvas {
    const { width, height } = this.size;
    if (this.#frame.width !== width || this.#frame.height !== height) {
      this.#frame = new Canvas(width, height);
      this.#dirty = true;
    }
    if (this.#dirty || this.moving) this.#draw(this.#frame);
    this.#dirty = false;
    return this.#frame;
  }

  #draw(canvas: Canvas): void {
    canvas.fill({ x: 0, y: 0, ...this.size }, 0x000000);
    if (!this.awake) return;
    const area = this.#area();
    if (this.#dialog !== undefined && !this.#shade) {
      const below = seen(this.top.view(area, this), area.rect);
      if (below !== undefined) draw(canvas, below, this.scale);
    }
    draw(canvas, this.tree(), this.scale, this.#focused);
    const bar = { x: 0, y: 0, width: canvas.width, height: area.rect.y };
    canvas.fill(bar, 0x000000);
    canvas.text(this.airplane ? "12:00 AIRPLANE" : "12:00", 4, 4, bar, 0xffffff, Math.max(1, Math.round(this.scale)));
    const keyboard = this.keyboardRect;
    if (keyboard !== undefined) canvas.fill(keyboard, 0x37474f);
  }

  changed(): void {
    this.#dirty = true;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Told when what is on the screen may look different. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => {
      if (this.moving) this.changed();
    }, FRAME_MS);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  // --- What is done to it

  touch(touch: Touch): void {
    this.touches.push(touch);
    if (this.touches.length > TOUCHES_KEPT) this.touches.shift();
    const keyboard = this.keyboardRect;
    if (!this.awake || (touch.action === "down" && keyboard !== undefined && touch.y >= keyboard.y)) return;
    this.#gestures.touch(touch, () => this.tree(), this.scale);
  }

  /** A wheel, in lines: up and left are positive, as Android has it. */
  wheel(x: number, y: number, across: number, down: number): void {
    const scrolls = under(this.tree(), x, y).flatMap((view) => (view.scroll === undefined ? [] : [view.scroll]));
    const line = 64 * this.scale;
    for (const [axis, by] of [
      ["x", across],
      ["y", down],
    ] as const) {
      const scroll = scrolls.findLast((one) => one.axis === axis);
      if (scroll !== undefined && by !== 0) this.#gestures.scroll(scroll, -by * line);
    }
  }

  type(text: string): boolean {
    const field = this.#focused;
    if (field === undefined) return false;
    field.value = (field.selected ? text : field.value + text).slice(0, 10_000);
    field.selected = false;
    this.changed();
    return true;
  }
  erase(): void {
    const field = this.#focused;
    if (field === undefined) return;
    field.value = field.selected ? "" : [...field.value].slice(0, -1).join("");
    field.selected = false;
    this.changed();
  }
  enter(): void {
    const field = this.#focused;
    if (field === undefined) return;
    field.action?.();
    this.keyboard = false;
    this.changed();
  }
  focus(field: Field | undefined): void {
    this.#focused = field;
    this.keyboard = field !== undefined;
    this.changed();
  }
  setClipboard(value: string): void {
    this.clipboard = value;
    for (const listener of [...this.#clipboardListeners]) listener(value);
  }
  onClipboard(listener: (value: string) => void): () => void {
    this.#clipboardListeners.add(listener);
    return () => this.#clipboardListeners.delete(listener);
  }
  rotate(rotation: number): void {
    this.rotation = rotation % 4;
    this.changed();
  }
  setDark(dark: boolean): void {
    this.dark = dark;
    this.changed();
  }
  setAirplane(on: boolean): void {
    this.airplane = on;
    this.settings.global.set("airplane_mode_on", on ? "1" : "0");
    this.changed();
  }
  setAwake(awake: boolean): void {
    this.awake = awake;
    this.changed();
  }
  setShade(open: boolean): void {
    this.#shade = open;
    this.changed();
  }

  back(): void {
    if (this.#shade) this.#shade = false;
    else if (this.keyboard) this.keyboard = false;
    else if (this.#dialog !== undefined) this.#dialog = undefined;
    else if (this.top.back?.(this) !== true) {
      this.#stack.pop();
      this.#focused = undefined;
    }
    this.changed();
  }
  home(): void {
    this.#shade = false;
    this.#leave();
    this.#stack = this.#stack.filter((app) => app !== this.#launcher);
    this.#stack.push(this.#launcher);
    this.changed();
  }
  #leave(): void {
    this.#focused = undefined;
    this.keyboard = false;
    this.#dialog = undefined;
  }

  /** Off and on again: nothing is open any more, what is stored stays. */
  restart(): void {
    this.#leave();
    this.#stack = [];
    this.#shade = false;
    this.awake = true;
    this.changed();
  }

  // --- Apps

  app(name: string): App | undefined {
    return this.packages.get(name)?.app;
  }
  launch(name: string, intent: Intent = { action: "android.intent.action.MAIN" }): boolean {
    const app = this.app(name);
    if (app === undefined) return false;
    this.#leave();
    this.#stack = [...this.#stack.filter((one) => one !== app), app];
    app.open?.(intent, this);
    this.changed();
    return true;
  }
  startIntent(intent: Intent): boolean {
    const app = resolve(intent, this.packages);
    if (app === undefined) return false;
    if (app === this.#launcher.package) this.home();
    else this.launch(app, intent);
    return true;
  }
  stop(name: string): void {
    this.processes.get(name)?.();
    if (this.top.package === name) this.#leave();
    this.#stack = this.#stack.filter((app) => app.package !== name);
    this.changed();
  }
  running(name: string): boolean {
    return name === LAUNCHER || this.#stack.some((app) => app.package === name);
  }
  clearApp(name: string): boolean {
    const one = this.packages.get(name);
    if (one === undefined) return false;
    this.stop(name);
    one.app.clear();
    one.granted.clear();
    one.refused.clear();
    this.changed();
    return true;
  }
  icons() {
    return this.packages
      .all()
      .filter(({ app }) => app !== this.#launcher)
      .map(({ app }) => ({ package: app.package, label: app.label, colour: app.colour }));
  }
  installed(name: string): boolean {
    return this.packages.get(name) !== undefined;
  }
  install(name: string): void {
    if (!/^[\w.]{1,200}$/.test(name)) return;
    this.packages.add(new InstalledApp(name, name.split(".").at(-1) ?? name));
    this.changed();
  }
  uninstall(name: string): void {
    this.stop(name);
    this.packages.remove(name);
    this.changed();
  }
  granted(name: string, permission: string): boolean {
    return this.packages.get(name)?.granted.has(permission) ?? false;
  }
  askPermission(name: string, permission: string, words: string): void {
    const one = this.packages.get(name);
    if (one === undefined || one.granted.has(permission) || one.refused.has(permission)) return;
    this.#show(
      permissionDialog(one.label, words, (granted) => {
        (granted ? one.granted : one.refused).add(permission);
        this.#show(undefined);
      }),
    );
  }
  crash(name: string): void {
    const label = this.packages.get(name)?.label ?? name;
    this.stop(name);
    this.#show(
      crashDialog(
        label,
        () => this.#show(undefined),
        () => this.launch("com.android.settings"),
      ),
    );
  }
  #show(dialog: Dialog | undefined): void {
    this.#dialog = dialog;
    this.keyboard = false;
    this.changed();
  }
}
