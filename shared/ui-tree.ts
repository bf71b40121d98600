/**
 * What is on a phone's screen, as automations see it. The words are Android's, because flows are written with them: a
 * web page's elements are described in the same terms (research/automation.md §1.4, §1.7).
 */

/** Fractions of the screen, 0–1; parts outside the screen are cut off. */
export interface UiBounds {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface UiElement {
  /** Names this element to the phone that made the tree, until its page changes. */
  readonly ref: string;
  /** ARIA role, or a word of the phone's own such as "text". */
  readonly role: string;
  /** What it shows: its own text, or a field's value. Never a password. */
  readonly text: string;
  /** A field's placeholder. */
  readonly hint: string;
  /** Its name for assistive technology. */
  readonly accessibilityText: string;
  /** Android's resource id; on web pages test id, id, name or `for`. */
  readonly id: string;
  readonly bounds: UiBounds;
  readonly enabled: boolean;
  readonly selected: boolean;
  readonly checked: boolean;
  readonly focused: boolean;
  readonly clickable: boolean;
  readonly password: boolean;
  readonly children: readonly UiElement[];
}

export interface UiTree {
  readonly root: UiElement;
  /** Of the screen as turned, in CSS pixels. */
  readonly width: number;
  readonly height: number;
}
