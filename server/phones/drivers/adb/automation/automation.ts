/** What automations ask of one Android; `automation-port.ts` says what each answer means. */
import { setTimeout as delay } from "node:timers/promises";
import type { AutomationCapabilities } from "../../../../../shared/flows/capabilities.ts";
import type { PhoneId } from "../../../../../shared/ids.ts";
import { walk } from "../../../../../shared/recorder/walk.ts";
import type { UiBounds, UiElement } from "../../../../../shared/ui-tree.ts";
import type { Clock } from "../../../../clock.ts";
import { PerchError } from "../../../../errors.ts";
import type { Log } from "../../../../log.ts";
import type { PhoneAutomation, UiTarget } from "../../../automation-port.ts";
import { darkMode, setAirplaneMode, setPermissions } from "../device-settings.ts";
import type { HelperApks } from "../helper-apks.ts";
import type { AndroidAutomation, AndroidDevice } from "../ports.ts";
import { clear, erase, hideKeyboard, homeApp, kill, launch, openLink, packageName, pressKey, stop } from "./apps.ts";
import { DevicePage } from "./device-page.ts";
import { addMedia } from "./media.ts";
import { ScreenHelper } from "./screen-helper.ts";
import { ScreenReader } from "./screen-reader.ts";
import { stoodStill } from "./still.ts";
import type { AndroidTree } from "./ui-tree.ts";

/** `recording`: videos of its screen can be made here. */
export function androidCapabilities(recording: boolean): AutomationCapabilities {
  return {
    apps: true,
    css: true,
    clearState: true,
    permissions: true,
    location: true,
    darkMode: true,
    airplaneMode: true,
    addMedia: true,
    recording,
  };
}

export interface AndroidAutomationOptions {
  /** Of the screen as turned, in whatever pixels: which way it lies is what counts. */
  readonly size: () => { readonly width: number; readonly height: number };
  /** PNG. */
  readonly screenshot: () => Promise<Uint8Array>;
  readonly recording: boolean;
  /** Of the operator's, for screens that never rest. */
  readonly helperApks?: () => Promise<HelperApks>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What was opened is in front within this, or something else is. */
const OPENING_MS = 3_000;
const OPENING_POLL_MS = 100;
/** A tree this new is one of the looks that show whether something moves. */
const RECENT_MS = 1_500;
const TREES_KEPT = 6;
/** Neither can be opened again. */
const SYSTEM_APPS: ReadonlySet<string> = new Set(["android", "com.android.systemui"]);

export function createAndroidAutomation(device: AndroidDevice, options: AndroidAutomationOptions): AndroidAutomation {
  const { clock, log, screenshot, helperApks } = options;
  const seen: { readonly tree: AndroidTree; readonly at: number }[] = [];
  let opening:
    | { readonly app: string | undefined; readonly from: string | undefined; readonly until: number }
    | undefined;

  /** Device pixels, as turned: what Maestro's points and sizes mean on Android. */
  const size = () => {
    const now = options.size();
    const { width, height } = device.facts;
    return now.width > now.height === width > height ? { width, height } : { width: height, height: width };
  };
  const helper = helperApks && new ScreenHelper({ device, apks: helperApks, clock, log });
  const page = new DevicePage({ device, clock });
  const reader = new ScreenReader({ device, size, screenshot, helper, page, clock });
  const look = async (): Promise<AndroidTree> => {
    const tree = await reader.read();
    if (seen[0]?.tree !== tree) seen.unshift({ tree, at: clock.now() });
    seen.length = Math.min(seen.length, TREES_KEPT);
    return tree;
  };
  const begin = (app: string | undefined) => {
    opening = { app, from: seen[0]?.tree.app, until: clock.now() + OPENING_MS };
  };

  return {
    can: androidCapabilities(options.recording),
    looksLate: true,
    size,
    async opened(withinMs) {
      const awaited = opening;
      if (awaited === undefined) return;
      opening = undefined;
      const until = Math.min(awaited.until, clock.now() + withinMs);
      for (;;) {
        const { app, unread } = await look();
        const there = app !== undefined && (app === awaited.app || app !== awaited.from);
        if (there || unread === true || clock.now() >= until) return;
        await delay(OPENING_POLL_MS);
      }
    },
    elements: () => look(),
    async address() {
      const { app } = await look();
      return app === undefined || SYSTEM_APPS.has(app) || app === (await homeApp(device)) ? undefined : app;
    },
    findByCss: (css) => page.find(css),
    async target(ref, withinMs) {
      const known = seen.find(({ tree }) => walk(tree).byRef.has(ref));
      const before = known && walk(known.tree).byRef.get(ref);
      const newest = seen[0];
      const recent = newest !== undefined && clock.now() - newest.at <= RECENT_MS;
      let last = recent && newest === known ? before?.bounds : undefined;
      if (withinMs === 0 && last !== undefined) return targetAt(last);
      const until = clock.now() + withinMs;
      for (;;) {
        const found = again(await look(), ref, before);
        if (found === undefined) return undefined;
        if (last !== undefined && same(last, found.bounds)) return targetAt(found.bounds);
        if (clock.now() >= until) return { ...targetAt(found.bounds), ...(last !== undefined && { moving: true }) };
        last = found.bounds;
      }
    },
    still: (withinMs) => stoodStill(screenshot, withinMs, clock),
    hideKeyboard: () => hideKeyboard(device),
    async launchApp(app, values) {
      await launch(device, app, values);
      begin(packageName(app));
    },
    async openLink(link, { browser }) {
      begin(await openLink(device, link, browser));
    },
    closeApp: (app, how = "stop") => (how === "kill" ? kill(device, app) : stop(device, app)),
    clearState: (app) => clear(device, app),
    async setPermissions(values, app) {
      if (app === undefined) throw new PerchError("bad_input", "Say which app these permissions are for.");
      await setPermissions(device, packageName(app), values);
    },
    pressKey: (name) => pressKey(device, name),
    erase: (count) => erase(device, count),
    isDark: () => darkMode(device),
    setAirplaneMode: (on) => setAirplaneMode(device, on),
    addMedia: (name, bytes) => addMedia(device, name, bytes),
    async close() {
      page.close();
      await helper?.close();
    },
  };
}

/** The driver's part for automations: each call goes to the phone it names. `phone` throws for one that is not running. */
export function androidAutomations(phone: (id: PhoneId) => AndroidAutomation, recording: boolean): PhoneAutomation {
  const must = <T>(call: T | undefined): T => {
    if (call === undefined) throw new PerchError("capability_missing", "This phone cannot do that.");
    return call;
  };
  return {
    can: androidCapabilities(recording),
    looksLate: true,
    size: (id) => must(phone(id).size)(),
    opened: async (id, withinMs) => phone(id).opened(withinMs),
    elements: async (id, how) => phone(id).elements(how),
    address: async (id) => phone(id).address?.(),
    findByCss: async (id, css) => phone(id).findByCss(css),
    target: async (id, ref, withinMs) => phone(id).target(ref, withinMs),
    still: async (id, withinMs) => phone(id).still(withinMs),
    hideKeyboard: async (id) => phone(id).hideKeyboard(),
    launchApp: async (id, app, values) => must(phone(id).launchApp)(app, values),
    openLink: async (id, link, how) => must(phone(id).openLink)(link, how),
    closeApp: async (id, app, how) => phone(id).closeApp(app, how),
    clearState: async (id, app) => phone(id).clearState(app),
    setPermissions: async (id, values, app) => phone(id).setPermissions(values, app),
    pressKey: async (id, name) => must(phone(id).pressKey)(name),
    erase: async (id, count) => must(phone(id).erase)(count),
    isDark: async (id) => must(phone(id).isDark)(),
    setAirplaneMode: async (id, on) => phone(id).setAirplaneMode(on),
    addMedia: async (id, name, bytes) => must(phone(id).addMedia)(name, bytes),
  };
}

/** The element in a newer tree: of the same ref, or in the same place and of the same kind, with other words. */
function again(tree: AndroidTree, ref: string, before: UiElement | undefined): UiElement | undefined {
  const { byRef, elements } = walk(tree);
  const found = byRef.get(ref);
  if (found !== undefined || before === undefined) return found;
  return elements.find((one) => one.id === before.id && one.role === before.role && same(one.bounds, before.bounds));
}

function same(one: UiBounds, other: UiBounds): boolean {
  return one.x === other.x && one.y === other.y && one.width === other.width && one.height === other.height;
}

/** A dump says nothing of what lies over an element, as for Maestro. */
function targetAt(bounds: UiBounds): UiTarget {
  return { bounds, point: { x: bounds.x + bounds.width / 2, y: bounds.y + bounds.height / 2 } };
}
