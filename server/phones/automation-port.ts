/**
 * What automations need of a phone beyond a person's hands (`PhoneDriver`). A driver that cannot do something says so in
 * `can`; it is then reported when a flow is validated, before any effect. Methods throw `PerchError` with a sentence.
 */
import type { AutomationCapabilities } from "../../shared/flows/capabilities.ts";
import type { PhoneId } from "../../shared/ids.ts";
import type { UiBounds, UiTree } from "../../shared/ui-tree.ts";

export type { AutomationCapabilities };

/** An element that stands still, and where a finger reaches it. */
export interface UiTarget {
  readonly bounds: UiBounds;
  /** Middle of its visible part, as fractions of the screen. */
  readonly point: { readonly x: number; readonly y: number };
  /** What lies over that point instead of the element, in its own words; undefined: nothing. */
  readonly coveredBy?: string;
  /** It never stood still; point and bounds are of the last moment. */
  readonly moving?: boolean;
}

export interface UiHit {
  readonly ref: string;
  /** A CSS selector that finds this element and no other, by its place in the page; absent where there is none. */
  readonly css?: string;
}

/** What an app is given when it is opened: texts, yes and no, numbers. */
export type LaunchArguments = Readonly<Record<string, string | number | boolean>>;

export interface PhoneAutomation {
  readonly can: AutomationCapabilities;
  /**
   * `elements` takes its time and tells what is there at its end, so what happens meanwhile may be in it already. Absent:
   * what is there when it is asked.
   */
  readonly looksLate?: true;
  /** Of the screen as turned, in the pixels flows for phones of this kind count; absent: CSS pixels. */
  size?(id: PhoneId): { readonly width: number; readonly height: number };
  /**
   * Settles when what was opened last is there to be seen and touched, or after `withinMs`. Pictures and the like may
   * still be on their way.
   */
  opened(id: PhoneId, withinMs: number): Promise<void>;
  /**
   * Everything visible, in document order: open shadow roots and frames of the same origin included. `drawn`: also what is
   * hidden from assistive technology, with bounds that hold all the text that is drawn, where it runs out of its box.
   */
  elements(id: PhoneId, how?: { readonly drawn: boolean }): Promise<UiTree>;
  /** What lies at a place, fractions of the screen: the innermost first, then what it is in. */
  elementAt?(id: PhoneId, x: number, y: number): Promise<readonly UiHit[]>;
  /** Of what is in the foreground: a page's address, or an app's package; undefined where none could be opened again. */
  address?(id: PhoneId): Promise<string | undefined>;
  /**
   * Refs of what a CSS selector finds, in document order, also what is outside the screen.
   * @throws PerchError `bad_input` for what is no selector.
   */
  findByCss(id: PhoneId, css: string): Promise<readonly string[]>;
  /**
   * Brings an element into view and waits until it stood still for two animation frames, at most `withinMs`. The wait is
   * for this element alone: whatever else moves does not count. `undefined`: it is not there any more, or nothing of it
   * can be seen.
   */
  target(id: PhoneId, ref: string, withinMs: number): Promise<UiTarget | undefined>;
  /** Whether the picture stood still within `withinMs`. */
  still(id: PhoneId, withinMs: number): Promise<boolean>;
  /** Takes the focus from what is being typed into. */
  hideKeyboard(id: PhoneId): Promise<void>;
  /**
   * Where the phone asks for a date, a time or a colour in its own way, gives this as the answer; false where it does
   * not ask. Absent on phones that never do.
   * @throws PerchError `bad_input` for what is no such value.
   */
  answerPicker?(id: PhoneId, text: string): Promise<boolean>;
  /** Opens an app. Only where `can.apps`. @throws PerchError `bad_input` for one that is not there */
  launchApp?(id: PhoneId, app: string, values: LaunchArguments): Promise<void>;
  /**
   * Hands a link of any scheme to whatever opens it, `browser`: to a browser. Absent: only addresses are opened.
   * @throws PerchError `address_not_allowed` with the reason; `bad_input` where nothing opens it
   */
  openLink?(id: PhoneId, link: string, how: { readonly browser: boolean }): Promise<void>;
  /**
   * Closes every page of an address's origin, and what was opened for it wherever that led. Where `can.apps`, the app of
   * that package; `kill`: as the phone itself does when memory runs out.
   */
  closeApp(id: PhoneId, app: string, how?: "stop" | "kill"): Promise<void>;
  /** Cookies, storage and caches of an address's origin; where `can.apps`, everything an app stored. */
  clearState(id: PhoneId, app: string): Promise<void>;
  /**
   * Answers of pages' permission questions from now on, by the names flows use ("all" included). Where `can.apps` they are
   * that app's, and stay.
   */
  setPermissions(
    id: PhoneId,
    values: Readonly<Record<string, "allow" | "deny" | "unset">>,
    app?: string,
  ): Promise<void>;
  /** Presses a key that only phones of this kind have, by the name flows use, in small letters; false: it has none such. */
  pressKey?(id: PhoneId, name: string): Promise<boolean>;
  /** As many Backspaces in one go. */
  erase?(id: PhoneId, count: number): Promise<void>;
  /** Whether its colours are dark now. Absent: as it is set. */
  isDark?(id: PhoneId): Promise<boolean>;
  setAirplaneMode(id: PhoneId, on: boolean): Promise<void>;
  /**
   * Puts a file among the phone's own, where pages' file choosers find it; a name that is taken gets a number. Absent
   * where `can.addMedia` is false.
   * @throws PerchError `limit_reached`
   */
  addMedia?(id: PhoneId, name: string, bytes: Uint8Array): Promise<void>;
}
