/** Documents about personal data that are made from the data map: `docs/privacy/`. */
import { manifestFor } from "../extension/manifest.ts";
import { tablesFor } from "../server/db/tables.ts";
import { CHROME_TYPES, chromeAnswers } from "../server/privacy/map/browser-declarations.ts";
import { dataMap, type MappedColumn, type MappedTable } from "../server/privacy/map/data-map.ts";
import { EXTENSION_STORES, PAGE_DATA, type SentData } from "../server/privacy/map/extension-stores.ts";
import { STORES, type Store } from "../server/privacy/map/stores.ts";
import { BASES, CATEGORIES, type Category, RETENTION, SUBJECT_KINDS, USES } from "../server/privacy/tags.ts";

const MADE = "Made from the code by `npm run docs:generate`; a test holds it up to date.";
const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");
const labels = (categories: readonly Category[]) => categories.map((category) => CATEGORIES[category]).join(", ");

const ERASING = {
  delete: "goes",
  null: "is forgotten",
  reattribute: "is cut loose and stays with the team",
  legal: "stays as the law asks, cut loose",
  keep_not_personal: "stays",
} as const;

function subjectWords({ about }: MappedTable): string {
  const { subject } = about;
  if ("none" in subject) return subject.none;
  if ("via" in subject) return `Led to through \`${subject.table}\`.`;
  return `Led to by ${[subject.column, ...(subject.also ?? [])].map((name) => `\`${name}\``).join(", ")}.`;
}

function columnRow({ name, tag }: MappedColumn): string[] {
  const isPersonal = tag.category !== "system.operations";
  return [
    `\`${name}\``,
    labels([tag.category, ...(tag.holds ?? [])]),
    isPersonal ? tag.use.map((use) => USES[use]).join("; ") : "",
    tag.clause,
    RETENTION[tag.retain].words,
    isPersonal || tag.link !== undefined ? ERASING[tag.erase] : "goes or stays with its row",
    tag.export === "self" ? (tag.thirdParty === undefined ? "yes" : "yes, others masked") : "no",
  ];
}

/** `docs/privacy/data-map.md`. */
export function dataMapDocument(): string {
  const tables = dataMap(tablesFor.sqlite).map((one) => {
    const people = (one.about.people ?? ["customer"]).map((kind) => SUBJECT_KINDS[kind]).join("; ");
    const whose = "none" in one.about.subject ? "" : ` About: ${people}.`;
    return `### \`${one.name}\`

Belongs to the ${one.about.owner}. ${subjectWords(one)}${whose}

${table(["Column", "What it is", "Why", "Clause", "Goes", "When an account is erased it", "In the export"], one.columns.map(columnRow))}`;
  });
  const all: readonly Store[] = Object.values(STORES);
  const stores = all.map((store) => [
    store.name,
    store.holds === "tables" ? "What tables hold" : labels(store.holds),
    store.clause,
    store.subject,
    RETENTION[store.retain].words,
    store.erase,
    store.readBy,
    store.encrypted,
  ]);
  const extension = EXTENSION_STORES.map(({ area, key, about, holds, clause, retain }) => [
    `\`${area}\` \`${key}\``,
    about,
    labels(holds),
    clause,
    RETENTION[retain].words,
  ]);
  return `# The data map

${MADE} Where anything about people is kept, why, and when it goes. The tags stand beside the columns (\`server/**/*.tables.ts\`),
the stores in \`server/privacy/map/stores.ts\`. A column without a tag does not compile; one the map does not know stops the
server when it opens the database.

Legal bases: ${Object.values(BASES).slice(0, 3).join("; ")}.

## Stores beside the tables

${table(["Store", "What it holds", "Clause", "Found by", "Goes", "When an account is erased", "Read by", "Encrypted"], stores)}

## In the browser, by the extension

${table(["Where", "What", "Category", "Clause", "Goes"], extension)}

## Tables

${tables.join("\n\n")}
`;
}

/** Why the extension asks for each permission of its manifest for Chrome. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  storage: "Keeps the server's address, the look and the list of phones, so that the popup shows them at once.",
  sidePanel: "The live phone is shown in the side panel.",
  offscreen: "Runs a person's own expressions apart from the extension, in a page without a window.",
  contextMenus: "“Open on phone” in the menu of a page or link.",
  activeTab: "Reads the address of the tab a person opens on a phone, at their click.",
  scripting: "Reads values of a page for a rule, on sites the person allowed by name.",
  alarms: "Renews the session and looks after schedules while the browser runs.",
  identity: "Signs in on the server in a window of the browser's, so that the password never passes the extension.",
  "https://*/*": "Optional. Asked for by name: the server's own origin, and sites of rules the person makes.",
  "http://*/*": "Optional. As above, for servers on the person's own computer or network.",
};

const WORDS: Readonly<Record<SentData, string>> = { ...CATEGORIES, ...PAGE_DATA };

/** `docs/privacy/chrome-web-store.md`. Throws for a permission without a reason. */
export function chromeWebStoreDocument(): string {
  const manifest = manifestFor({ browser: "chrome", loopbackHosts: false });
  const asked = [...(manifest.permissions ?? []), ...(manifest.optional_host_permissions ?? [])].map(String);
  const permissions = asked.map((name) => {
    const why = PERMISSIONS[name];
    if (why === undefined) throw new Error(`The permission ${name} has no reason in scripts/privacy-docs.ts.`);
    return [`\`${name}\``, why];
  });
  const answers = chromeAnswers().map(({ type, flows }) => [
    CHROME_TYPES[type],
    flows.length === 0 ? "no" : "yes",
    flows
      .map(({ sends, data, when, use }) => {
        const what = data.map((one) => WORDS[one]).join(", ");
        return `${sends} (${what}; ${when === "always" ? "always" : "each time it is asked for"}; ${USES[use]}).`;
      })
      .join(" "),
  ]);
  return `# Answers for the Chrome Web Store's privacy form

${MADE} Paste each answer into the field of the same name.

## Single purpose

Opens pages on cloud phones and shows the phone live beside the page, in the browser's side panel.

## Permissions

${table(["Permission", "Why"], permissions)}

## Remote code

No. Everything that runs is in the package.

## Data usage

${table(["Category", "Collected", "What and why"], answers)}

All of it goes to the server the person chose and to nobody else.

## Certifications

- Data is not sold or passed on to third parties, outside the approved uses: yes (clause P2.6).
- Data is not used or passed on for purposes unrelated to the single purpose: yes (clause P2.0).
- Data is not used or passed on to judge creditworthiness or for lending: yes (clause P2.0).

## Privacy policy

\`/privacy\` on the server, with every clause numbered.
`;
}
