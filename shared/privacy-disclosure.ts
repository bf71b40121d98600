/**
 * What the extension handles, said before anything is sent (prominent disclosure), in the words of the first-run sheet.
 * One entry for each kind of data the extension touches.
 */
export interface Disclosure {
  /** What it is. */
  readonly what: string;
  /** What for. */
  readonly why: string;
  /** What of it leaves the browser, when, and to whom. */
  readonly leaves: string;
}

/** Raised with every entry that says more than before: the sheet then asks anew. */
export const DISCLOSURE_VERSION = 1;

export const DISCLOSURES: readonly Disclosure[] = [
  {
    what: "Your sign-in",
    why: "E-mail address and a session token, to know that it is you.",
    leaves: "To your server, when you sign in and with each request. The password never passes through the extension.",
  },
  {
    what: "Pages you send to a phone",
    why: "The address of a page, link or image, or text you selected.",
    leaves: "To your server, when you press Open on phone or choose it in a menu. No other page you visit.",
  },
  {
    what: "What you do on a phone",
    why: "Taps, keys, text, files and clipboard you give to it.",
    leaves: "To your server, while you drive the phone.",
  },
  {
    what: "Pages your rules look at",
    why: "Address, title and text, to see whether a rule of yours fits. Only on sites you allow.",
    leaves: "Nothing, until a rule starts: then the values its preview showed you, to your server.",
  },
  {
    what: "Browser, system, time zone and IP address",
    why: "So that you can tell your sessions apart, and notice a stranger's.",
    leaves: "To your server, with each request.",
  },
  {
    what: "Drafts, the last list of phones, the look you chose",
    why: "So that Perch opens at once and loses nothing you wrote.",
    leaves: "Never. They stay in this browser, and go when you remove Perch.",
  },
];
