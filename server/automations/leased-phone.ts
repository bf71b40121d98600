/** A phone in the hands of one run: every call checks the lease and ends at once when the run has to. */
import { setTimeout as delay } from "node:timers/promises";
import type { PhoneId } from "../../shared/ids.ts";
import { deviceProfile, type PhoneSettings } from "../../shared/phones.ts";
import type { UiTree } from "../../shared/ui-tree.ts";
import { PerchError } from "../errors.ts";
import type { PhoneDriver } from "../phones/driver.ts";
import { phoneSize } from "../phones/phone-view.ts";
import type { PhoneRow } from "../phones/phones.repo.ts";
import { LeaseLost } from "./engine/failures.ts";
import type { FlowPhone, Pace, PhoneHands } from "./engine/ports.ts";
import { createPhoneReach } from "./phone-reach.ts";
import { coveredScreenshot, treeForPictures, treeToKeep } from "./secrets/covered-pictures.ts";
import type { Redactor } from "./secrets/redact.ts";

/** The result of `work`, or the signal's reason as soon as it aborts; what `work` still does is not waited for. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    work.catch(() => {});
    promise.catch(() => {});
  }
}

export function leasedPhone(options: {
  row: PhoneRow;
  driver: PhoneDriver;
  signal: AbortSignal;
  /** Of the run: pictures leave here without its secrets. */
  redactor: Redactor;
  holdsLease: () => boolean;
  pace: Pace;
  /** Turns the phone and writes it down. */
  rotate: (id: PhoneId) => Promise<unknown>;
  /** Counts as use, so that the phone is not parked as idle. */
  used: (id: PhoneId) => void;
}): PhoneHands {
  const { row, driver, signal, redactor } = options;
  const { id } = row;
  const { automation } = driver;
  if (automation === undefined) {
    throw new PerchError("capability_missing", "Phones of this kind run no automations.");
  }
  let rotated = row.rotated;
  let settings: PhoneSettings = row.settings;
  let airplane = false;
  let permissions = false;
  let lastTree: UiTree | undefined;
  /** What the run put on the clipboard, for phones whose own cannot be reached. */
  let copied: string | undefined;
  const stepLooks = createLooks();

  const reach = createPhoneReach({ driver, id, signal, pace: options.pace });
  const call = <T>(work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted();
    if (!options.holdsLease()) throw new LeaseLost();
    options.used(id);
    return unlessAborted(signal, work());
  };
  const ask = <T>(work: () => Promise<T>): Promise<T> => reach.look(() => call(work));
  const configure = (next: PhoneSettings) => {
    settings = next;
    return driver.configure({
      id,
      profile: deviceProfile(row.profile),
      model: row.model ?? undefined,
      settings,
      rotated,
    });
  };

  const picture = () =>
    coveredScreenshot({
      redactor,
      take: () => driver.screenshot(id),
      elements: () => automation.elements(id, { drawn: true }),
    });

  return {
    during(effect): FlowPhone {
      const change = async <T>(work: () => Promise<T>): Promise<T> => {
        signal.throwIfAborted();
        return reach.change(effect, () => call(work));
      };
      return {
        can: {
          ...automation.can,
          rotate: driver.capabilities.rotate,
          clipboard: driver.capabilities.clipboard,
        },
        size: () => automation.size?.(id) ?? phoneSize({ ...row, rotated }),
        opened: async (withinMs) => ask(() => automation.opened(id, withinMs)),
        async elements() {
          lastTree = await stepLooks.begin(ask(() => automation.elements(id)));
          return lastTree;
        },
        findByCss: async (css) => ask(() => automation.findByCss(id, css)),
        target: async (ref, withinMs) => ask(() => automation.target(id, ref, withinMs)),
        still: async (withinMs) => ask(() => automation.still(id, withinMs)),
        screenshot: async () => ask(picture),
        readClipboard: async () =>
          ask(async () =>
            driver.clipboard.read(id).catch((error: unknown) => {
              if (copied === undefined || !cannot(error)) throw error;
              return copied;
            }),
          ),
        input: (input) =>
          // A finger that is down has to come up also when the run was cancelled.
          input.type === "touch" && input.phase === "cancel"
            ? lift(driver, id, input, options.holdsLease)
            : change(() => driver.input(id, input)),
        openUrl: (url) => change(() => driver.openUrl(id, url)),
        answerPicker: async (text) => change(async () => (await automation.answerPicker?.(id, text)) ?? false),
        hideKeyboard: () => change(() => automation.hideKeyboard(id)),
        launchApp: (app, values) =>
          change(async () => {
            if (automation.launchApp === undefined)
              throw new PerchError("capability_missing", "This phone has no apps.");
            await automation.launchApp(id, app, values);
          }),
        openLink: (link, browser) =>
          change(async () => {
            if (automation.openLink === undefined) await driver.openUrl(id, link);
            else await automation.openLink(id, link, { browser });
          }),
        closeApp: (app, how) => change(() => automation.closeApp(id, app, how)),
        clearState: (app) => change(() => automation.clearState(id, app)),
        setPermissions: (values, app) =>
          change(() => {
            // What an app may do stays with the app, as when a person allowed it.
            permissions ||= !automation.can.apps;
            return automation.setPermissions(id, values, app);
          }),
        pressKey: async (name) => change(async () => (await automation.pressKey?.(id, name)) ?? false),
        async erase(count) {
          if (automation.erase !== undefined) await change(async () => automation.erase?.(id, count));
          else
            for (let n = 0; n < count; n += 1) await change(() => driver.input(id, { type: "key", name: "Backspace" }));
        },
        setAirplaneMode: (on) =>
          change(() => {
            airplane = on;
            return automation.setAirplaneMode(id, on);
          }),
        writeClipboard: (text) =>
          change(() => {
            copied = text;
            return driver.clipboard.write(id, text);
          }),
        addMedia: (name, bytes) =>
          change(async () => {
            if (automation.addMedia === undefined) {
              throw new PerchError("capability_missing", "This phone takes no media files. Remove the step.");
            }
            await automation.addMedia(id, name, bytes);
          }),
        async turn(wanted) {
          if (wanted === rotated) return;
          await change(() => options.rotate(id));
          rotated = wanted;
        },
        configure: (changed) => change(() => configure({ ...settings, ...changed })),
        async colorScheme() {
          if (automation.isDark === undefined) return settings.colorScheme ?? "light";
          return (await ask(async () => automation.isDark?.(id))) === true ? "dark" : "light";
        },
        airplane: () => airplane,
      };
    },
    async look() {
      if (!options.holdsLease()) throw new LeaseLost();
      const { png } = await picture();
      return { png, tree: treeToKeep(await automation.elements(id), redactor) };
    },
    async tree(over) {
      if (!options.holdsLease()) throw new LeaseLost();
      // Where a look takes its time, the next step's own serves here too.
      const shared = automation.looksLate === true ? await stepLooks.next(over) : undefined;
      return treeForPictures(shared ?? (await automation.elements(id, { drawn: true })), redactor);
    },
    lastTree: () => lastTree && treeForPictures(lastTree, redactor),
    watch(listener, level) {
      const screen = driver.screen(id);
      return (screen.pictures ?? screen).listen(listener, level);
    },
    film: (listener, level) => driver.screen(id).listen(listener, level),
    askPicture() {
      const { pictures } = driver.screen(id);
      pictures?.refresh();
      return pictures !== undefined;
    },
    ...(driver.encodeVideo && { encodeVideo: driver.encodeVideo.bind(driver) }),
    ...(driver.packVideo && { packVideo: driver.packVideo.bind(driver) }),
    async release() {
      if (!options.holdsLease()) return;
      if (airplane) await automation.setAirplaneMode(id, false);
      if (permissions) await automation.setPermissions(id, { all: "unset" });
      if (settings !== row.settings) await configure(row.settings);
    },
  };
}

/** The phone cannot do this at all. */
function cannot(error: unknown): boolean {
  return error instanceof PerchError && error.code === "capability_missing";
}

/** A step's look begins within this after the step before, if there is one. */
const NEXT_LOOK_MS = 250;

/** Looks at the screen under way, for who can use the answer of another's. */
function createLooks() {
  let looking: Promise<UiTree> | undefined;
  let begun = Promise.withResolvers<void>();
  return {
    begin(look: Promise<UiTree>): Promise<UiTree> {
      looking = look.finally(() => {
        if (looking === mine) looking = undefined;
      });
      const mine = looking;
      begun.resolve();
      begun = Promise.withResolvers();
      return mine;
    },
    /** The one under way, or that begins in a moment; undefined when there is none, or it failed. */
    async next(over?: AbortSignal): Promise<UiTree | undefined> {
      if (looking === undefined) {
        const late = delay(NEXT_LOOK_MS, undefined, { ref: false, ...(over && { signal: over }) });
        await Promise.race([begun.promise, late.catch(() => undefined)]);
      }
      return looking?.catch(() => undefined);
    },
  };
}

async function lift(
  driver: PhoneDriver,
  id: PhoneId,
  input: Parameters<PhoneDriver["input"]>[1],
  holdsLease: () => boolean,
): Promise<void> {
  if (holdsLease()) await driver.input(id, input);
}
