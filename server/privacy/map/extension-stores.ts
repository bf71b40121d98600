/**
 * What the extension keeps in the browser, and what it sends: a closed list that a test holds to its code. The browsers'
 * declarations are derived from what it sends (`browser-declarations.ts`).
 */
import type { Category, Retention, Use } from "../tags.ts";

export type ExtensionArea = "local" | "session" | "indexedDb";

export interface ExtensionStore {
  readonly area: ExtensionArea;
  /** Key, or `database/store`; a `*` at the end stands for the rest. */
  readonly key: string;
  readonly about: string;
  readonly holds: readonly Category[];
  readonly use: Use;
  readonly clause: string;
  readonly retain: Retention;
}

const operations = { use: "essential.service.operations", clause: "P1.4" } as const;
const automations = { use: "essential.service.automations", clause: "P1.4" } as const;
const preferences = { use: "essential.service.operations", clause: "P6.2", holds: ["system.operations"] } as const;
const session = { area: "session", retain: "browserSession" } as const;

/** In the person's own browser; erased by signing out, by removing the extension, and when the account is gone. */
export const EXTENSION_STORES: readonly ExtensionStore[] = [
  {
    ...{ area: "indexedDb", key: "perch/tokens", retain: "session" },
    about: "The session of each server: its token, when it ends and the team it works in.",
    ...{ holds: ["user.authorization.credentials"], use: "essential.service.authentication", clause: "P2.1" },
  },
  {
    ...{ area: "indexedDb", key: "perch.drafts/drafts", retain: "browser", ...automations },
    about: "Automations being written and not saved, and whose they are.",
    holds: ["user.content.private", "user.unique_id"],
  },
  {
    ...{ area: "indexedDb", key: "perch-rules/records", retain: "extension", ...automations },
    about: "The team's rules, what the person allowed on which site, and visits of sites that rules count. Never sent.",
    holds: ["user.content.private", "user.behavior"],
  },
  {
    ...{ area: "local", key: "settings", retain: "extension", ...preferences },
    about: "The server's address, light or dark, and the phone pages open on.",
  },
  {
    ...{ area: "local", key: "announcements", retain: "extension", ...preferences },
    about: "Which announcements of the operator were closed here.",
  },
  {
    ...{ area: "local", key: "phones", retain: "extension", ...operations },
    about: "The list of phones as last seen, so that the popup is there at once.",
    holds: ["user.content.private", "user.account.settings"],
  },
  {
    ...{ area: "local", key: "privacy", retain: "extension", clause: "P6.2", use: "essential.legal_obligation" },
    about: "The nearest clock of privacy, whether the account rests, and which incidents the person has read.",
    holds: ["user.privacy_preferences"],
  },
  {
    ...{ ...session, key: "checkout", use: "essential.service.payment_processing", clause: "P1.3" },
    about: "The payment page that was opened last and what is bought there, so that closing the panel loses nothing.",
    holds: ["user.payment"],
  },
  {
    ...{ ...session, key: "intents", ...operations },
    about: "What the person asked for in one part of the extension and another does, such as a page to open.",
    holds: ["user.content.private"],
  },
  {
    ...{ ...session, key: "draft.*", ...operations },
    about: "What the person typed and did not send, rules among it.",
    holds: ["user.content.private"],
  },
  {
    ...{ ...session, key: "automations.place", ...preferences },
    about: "Where on the Automations screen the person is.",
  },
  {
    ...{ ...session, key: "rules.evaluations", ...automations },
    about: "Why rules did or did not start on the last pages. Never sent.",
    holds: ["user.behavior", "user.content.private"],
  },
  {
    ...{ ...session, key: "rules.offers", ...automations },
    about: "Starts that wait for the person's yes, with the values they are shown.",
    holds: ["user.content.private"],
  },
  {
    ...{ ...session, key: "opened-tab.*", ...preferences },
    about: "When the extension opened a tab, by the tab's number.",
  },
];

/** What a page gives that no table has a category for. */
export const PAGE_DATA = {
  "page.address": "Addresses of pages",
  "page.content": "Content of pages",
} as const;
export type SentData = Category | keyof typeof PAGE_DATA;

export interface ExtensionFlow {
  readonly sends: string;
  readonly data: readonly SentData[];
  /** `always` with the first sign-in; `asked` each time the person, or a rule they allowed, does it. */
  readonly when: "always" | "asked";
  readonly use: Use;
}

/** What leaves the browser, all of it to the server the person chose and to nobody else. */
export const EXTENSION_FLOWS: readonly ExtensionFlow[] = [
  {
    sends: "The session token, with every call",
    data: ["user.authorization.credentials"],
    when: "always",
    use: "essential.service.authentication",
  },
  {
    sends: "E-mail address and name, when the person gives, confirms or corrects them",
    data: ["user.contact.email", "user.name"],
    when: "always",
    use: "essential.service.authentication",
  },
  {
    sends: "The address of a page, when the person opens it on a phone or a rule they allowed does",
    data: ["page.address"],
    when: "asked",
    use: "essential.service.operations",
  },
  {
    sends: "Text of a page or of the clipboard, as far as the person was shown it before or pasted it",
    data: ["page.content"],
    when: "asked",
    use: "essential.service.automations",
  },
];
