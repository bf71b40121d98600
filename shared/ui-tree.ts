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
  /** What it shows: its own text, or a field's value. Never a password. Lines broken by the page are kept. */
  readonly text: string;
  /** A field's placeholder. */
  readonly hint: string;
  /**
   * Its name for assistive technology, when that is not its text: a label, or all of what is written in it where its own
   * text is only a part ("Sign in" of `Sign <b>in</b>`).
   */
  readonly accessibilityText: string;
  /** Android's resource id; on web pages test id, id, name or `for`. */
  readonly id: string;
  /** Other ids it goes by; a selector's `id` may mean any of them. Flows written for Maestro use labels and titles so. */
  readonly alsoIds?: readonly string[];
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
  /** The phone shows something of its own over a picture of the page, whose elements are not here. */
  readonly overPicture?: boolean;
  /** What is missing, in a sentence, when there was more than a tree holds. */
  readonly note?: string;
  /** Nothing could be read, `note` says why: what is not in this tree may well be on the screen. */
  readonly unread?: true;
}
