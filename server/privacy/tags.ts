/**
 * Privacy tags: what every stored column must say about itself. Column makers in `db/dialect.ts` take one, so an
 * untagged column does not compile. Category and use names are fideslang's (Ethyca, fideslang 3.1).
 * Everything shown to people about their data is derived from these, never written by hand.
 */
export const CATEGORIES = {
  "user.name": "Your name",
  "user.contact.email": "E-mail address",
  "user.authorization.password": "Password (hashed)",
  "user.authorization.credentials": "Sign-in tokens (hashed)",
  "user.unique_id": "Account number",
  "user.unique_id.pseudonymous": "Keyed counters against abuse",
  "user.device.ip_address": "IP address",
  "user.device.device_id": "Browser and system (user agent)",
  "user.location.imprecise": "Time zone",
  "user.behavior": "What you did in the product",
  "user.content.private": "What you wrote or keep on phones",
  "user.account.settings": "Settings of your phones",
  "user.privacy_preferences": "Privacy settings and requests",
  "user.payment": "Billing records",
  "system.operations": "Data about the service, not about people",
} as const;
export type Category = keyof typeof CATEGORIES;

export const USES = {
  "essential.service.authentication": "to sign you in",
  "essential.service.security": "to keep your account secure",
  "essential.service.operations": "to run your phones",
  "essential.service.automations": "to run your automations",
  "essential.service.operations.support": "to answer your questions",
  "essential.service.notifications.email": "to send you mail about your account",
  "essential.fraud_detection": "to stop abuse",
  "essential.service.payment_processing": "to bill what you use",
  "essential.legal_obligation": "because the law asks for it",
  "analytics.reporting.system.performance": "to make the service more reliable, in numbers about nobody",
} as const;
export type Use = keyof typeof USES;

/** Uses that may never appear (policy clause P2.6). Kept as a list so a test can name what it looks for. */
export const FORBIDDEN_USE_PREFIXES = [
  "marketing",
  "third_party_sharing",
  "sales",
  "train_ai_system",
  "personalize",
] as const;

/** Retention rules: `days` after the row's clock column, or bound to the account. */
export const RETENTION = {
  account: { words: "when you delete your account" },
  team: { words: "when the team is closed" },
  phone: { words: "when you remove the phone" },
  moment: { words: "when the work is done or the server stops" },
  browserSession: { words: "when the browser closes" },
  session: { days: 60, words: "when you sign out, after 60 days at the latest" },
  browser: { words: "when you save it, discard it or sign out" },
  extension: { words: "when you remove the extension" },
  minutes: { days: 1, words: "within a day" },
  day: { days: 1, words: "after a day" },
  week: { days: 7, words: "after 7 days" },
  fortnight: { days: 14, words: "after 14 days" },
  month: { days: 30, words: "after 30 days" },
  ledger: { days: 44, words: "after 44 days, when no backup can bring it back" },
  quarter: { days: 90, words: "after 90 days" },
  request: { days: 730, words: "24 months after the answer, then without anything about you from the answer on" },
  incident: { words: "stays, without anything about a person once you delete your account" },
  billing: { days: 2557, words: "up to 7 years, as the law asks" },
  support: { days: 365, words: "a year after it came" },
  chain: { words: "stays; hashes and counts that say nothing about a person" },
  service: { words: "stays; it is not about people" },
} as const satisfies Record<string, { days?: number; words: string }>;
export type Retention = keyof typeof RETENTION;

/** Art. 6(1) GDPR, in words. */
export const BASES = {
  contract: "To give you the service you asked for (Art. 6(1)(b) GDPR)",
  legitimate_interests: "To keep the service and its people safe (Art. 6(1)(f) GDPR)",
  legal_obligation: "Because the law asks for it (Art. 6(1)(c) GDPR)",
  none_not_personal: "None: it is not about people",
} as const;
export type Basis = keyof typeof BASES;

/**
 * What erasing an account does. On a column that links to the person: `delete` removes the row, `null` forgets every
 * column of the row that is tagged `null`, `reattribute` cuts the link and leaves the row with the team, `legal` cuts the
 * link and keeps what the law asks for. Other columns go or stay with their row.
 */
export type Erase = "delete" | "null" | "reattribute" | "legal" | "keep_not_personal";

/**
 * What a value leads to: a person by id or by lower-cased address, a team by id, `<team>/<person>` in one text (`scope`), or
 * a text that may hold any of these (`mention`).
 */
export type Link = "user" | "email" | "team" | "scope" | "mention";

/**
 * How an export shows a value that is somebody else's (Art. 15(4) GDPR): an address as `a•••@d•••`, a person as
 * "Member 2". The person's own value is shown as it is.
 */
export type ThirdParty = "address" | "member";

/** Whom rows are about (fideslang: data subjects). */
export const SUBJECT_KINDS = {
  customer: "People with an account",
  invitee: "People who were invited and have no account yet",
  visitor: "People who wrote to us or began to sign up, without an account",
} as const;
export type SubjectKind = keyof typeof SUBJECT_KINDS;

/** Whether log lines may carry the value. */
export type LogRule = "never" | "allowed";

export interface ColumnPrivacy {
  readonly category: Category;
  /** What else stands in it, for values with parts (JSON, text of people). */
  readonly holds?: readonly Category[];
  readonly use: readonly Use[];
  readonly basis: Basis;
  /** Clause of the privacy policy this column is covered by. */
  readonly clause: string;
  readonly retain: Retention;
  readonly erase: Erase;
  /** `self`: in the person's own export; otherwise the reason why not. */
  readonly export: "self" | { readonly never: string };
  readonly rectify: "self" | "support" | "none";
  /** Set when the value leads to somebody. */
  readonly link?: Link;
  /**
   * `subject`: sealed with the key of the person, so that destroying the key forgets it in every copy. `server`: sealed
   * with a key of the server, because there may be no account it belongs to.
   */
  readonly sealed?: "subject" | "server";
  readonly log: LogRule;
  /** Set where a person's row may show somebody else. */
  readonly thirdParty?: ThirdParty;
}

export interface TablePrivacy {
  /** Whose the rows are. */
  readonly owner: "user" | "team" | "system";
  /** Whom they are about; people with an account, unless it says so. */
  readonly people?: readonly SubjectKind[];
  /**
   * Whose the rows are: the column that leads to the person, and others that do, `also`; or the rows whose column `via` is the `key` of a row of
   * `table` (its property name in the schema) that is the person's; or why nobody's.
   */
  readonly subject:
    | { readonly column: string; readonly also?: readonly string[] }
    | { readonly via: string; readonly table: string; readonly key: string }
    | { readonly none: string };
  /** The column the retention clock starts from. */
  readonly clock: string;
}

type Personal = Pick<ColumnPrivacy, "use" | "clause" | "retain"> & Partial<Omit<ColumnPrivacy, "category">>;

/** A column about a person. Defaults are the strict ones: erased by deletion, exported, never logged. */
export function personal(category: Exclude<Category, "system.operations">, tag: Personal): ColumnPrivacy {
  return { category, basis: "contract", erase: "delete", export: "self", rectify: "none", log: "never", ...tag };
}

/** The id of a person. Erasing removes the row, unless the tag says otherwise. */
export function person(tag: Personal): ColumnPrivacy {
  return personal("user.unique_id", { ...tag, link: "user" });
}

/** The id of a team: what a team that is closed takes with it. */
export function ofTeam(retain: Retention): ColumnPrivacy {
  return { ...reference(retain), link: "team" };
}

/** An id, number or plain fact that says nothing about a person and is in their export, to make sense of the rest. */
export function reference(retain: Retention): ColumnPrivacy {
  return { ...operational(retain), export: "self" };
}

/** The keyed fingerprint of an address: the address for look-ups, which leads to whose it is. */
export function fingerprint(tag: Personal): ColumnPrivacy {
  return personal("user.contact.email", {
    ...tag,
    link: "email",
    export: { never: "A keyed fingerprint for look-ups; the address itself is exported." },
  });
}

/** A secret of a person: never exported, never logged. */
export function secret(
  category: "user.authorization.password" | "user.authorization.credentials",
  retain: Retention,
): ColumnPrivacy {
  return personal(category, {
    use: ["essential.service.authentication"],
    clause: "P1.2",
    retain,
    export: { never: "A secret; only its hash is stored." },
  });
}

/** A column that says nothing about a person. */
export function operational(retain: Retention = "service"): ColumnPrivacy {
  return {
    category: "system.operations",
    use: ["essential.service.operations"],
    basis: "none_not_personal",
    clause: "P2.2",
    retain,
    erase: "keep_not_personal",
    export: { never: "Not about a person." },
    rectify: "none",
    log: "allowed",
  };
}
