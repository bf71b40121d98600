/**
 * The records of processing activities (Art. 30 GDPR) and the information sheet (Art. 15(1)), as values derived from the
 * data map, the stores and the register of processors. Nothing of them is written by hand but the sentences about rights.
 */
import { tablesFor } from "../../db/tables.ts";
import type { ProcessorId } from "../processors/processors.ts";
import {
  BASES,
  type Basis,
  CATEGORIES,
  type Category,
  RETENTION,
  type Retention,
  SUBJECT_KINDS,
  type SubjectKind,
  USES,
  type Use,
} from "../tags.ts";
import { dataMap, type MappedTable } from "./data-map.ts";
import { EXTENSION_STORES } from "./extension-stores.ts";
import { STORES, type Store } from "./stores.ts";

/** One statement that something about people is kept: a column, or a store beside the tables. */
export interface Holding {
  readonly where: string;
  readonly categories: readonly Category[];
  readonly uses: readonly Use[];
  readonly basis: Basis;
  readonly clause: string;
  readonly retain: Retention;
  readonly people: readonly SubjectKind[];
  readonly processors: readonly ProcessorId[];
}

/** Who else gets something, as far as the public is told. */
export interface Recipient {
  readonly id: string;
  readonly name: string;
  readonly purpose: string;
  readonly region: string;
  /** Days it may keep what we deleted. */
  readonly retentionDays: number;
}

/** Who else has a column's values, once configured: whoever keeps the database, and for mail whoever delivers it. */
export function processorsOfColumn(table: MappedTable, property: string): readonly ProcessorId[] {
  const isMailed = table.property === "mailOutbox" && ["recipient", "data"].includes(property);
  return isMailed ? ["database", "mail"] : ["database"];
}

/** Everything about people that is kept anywhere. */
export function holdings(map: readonly MappedTable[] = dataMap(tablesFor.sqlite)): readonly Holding[] {
  const columns = map.flatMap((table) =>
    table.columns.flatMap(({ property, name, tag }): Holding[] =>
      tag.category === "system.operations"
        ? []
        : [
            {
              where: `${table.name}.${name}`,
              categories: [tag.category, ...(tag.holds ?? [])],
              uses: tag.use,
              ...{ basis: tag.basis, clause: tag.clause, retain: tag.retain },
              people: table.about.people ?? ["customer"],
              processors: processorsOfColumn(table, property),
            },
          ],
    ),
  );
  const all: readonly Store[] = Object.values(STORES);
  const stores = all.flatMap((store): Holding[] =>
    store.holds === "tables" || store.people.length === 0
      ? []
      : [
          {
            where: store.name,
            categories: store.holds,
            uses: store.use,
            ...{ basis: store.basis, clause: store.clause, retain: store.retain, people: store.people },
            processors: store.processor === undefined ? [] : [store.processor],
          },
        ],
  );
  const extension = EXTENSION_STORES.flatMap(({ area, key, holds, use, clause, retain }): Holding[] => {
    const categories = holds.filter((category) => category !== "system.operations");
    const where = `the extension, ${area} ${key}`;
    const about = { basis: "contract", clause, retain, people: ["customer"], processors: [] } as const;
    return categories.length === 0 ? [] : [{ where, categories, uses: [use], ...about }];
  });
  return [...columns, ...stores, ...extension];
}

export interface ProcessingActivity {
  /** fideslang data use. */
  readonly use: Use;
  readonly purpose: string;
  readonly basis: readonly string[];
  readonly clauses: readonly string[];
  readonly people: readonly string[];
  readonly categories: readonly {
    readonly category: Category;
    readonly label: string;
    /** When it goes, in words. */
    readonly leaves: readonly string[];
  }[];
  readonly recipients: readonly string[];
}

export interface RecordsOfProcessing {
  readonly activities: readonly ProcessingActivity[];
  readonly recipients: readonly Recipient[];
  readonly safeguards: readonly string[];
}

const SAFEGUARDS = [
  "Encrypted on its way with TLS 1.3, and where it is stored.",
  "Passwords are hashed with Argon2id; tokens and links are kept as hashes.",
  "Operators read accounts only through commands that ask for a role and a reason and write both to a log nobody can change unseen; each person sees who looked.",
  "What has outlived its rule is removed every hour; a deleted account leaves nothing, backups included, after 30 days.",
  "A breach is told to the people it concerns within 72 hours.",
] as const;

export function recordsOfProcessing(
  processors: readonly Recipient[],
  held: readonly Holding[] = holdings(),
): RecordsOfProcessing {
  const activities = keysOf(USES).flatMap((use): ProcessingActivity[] => {
    const mine = held.filter(({ uses }) => uses.includes(use));
    if (mine.length === 0) return [];
    const given = new Set<string>(mine.flatMap((one) => one.processors));
    return [
      {
        use,
        purpose: USES[use],
        basis: unique(mine.map(({ basis }) => BASES[basis])),
        clauses: unique(mine.map(({ clause }) => clause)).sort(),
        people: unique(mine.flatMap(({ people }) => people.map((kind) => SUBJECT_KINDS[kind]))),
        categories: categoriesIn(mine),
        recipients: processors.filter(({ id }) => given.has(id)).map(({ name }) => name),
      },
    ];
  });
  return { activities, recipients: processors.map(toldOf), safeguards: SAFEGUARDS };
}

export interface InformationSheet {
  readonly purposes: readonly { readonly use: Use; readonly words: string; readonly basis: readonly string[] }[];
  readonly categories: ProcessingActivity["categories"];
  readonly recipients: readonly Recipient[];
  readonly source: string;
  readonly rights: readonly string[];
  readonly complaint: string;
  readonly automatedDecisions: string;
}

/** What Art. 15(1) and (2) GDPR have people told along with their data. */
export function informationSheet(
  processors: readonly Recipient[],
  held: readonly Holding[] = holdings(),
): InformationSheet {
  return {
    purposes: recordsOfProcessing(processors, held).activities.map(({ use, purpose, basis }) => ({
      ...{ use, words: purpose, basis },
    })),
    categories: categoriesIn(held),
    recipients: processors.map(toldOf),
    source:
      "From you, from what you do in the product, and from members of your teams where they invite you or work on the same things.",
    rights: [
      "See what is held about you, at once, under Privacy in the extension (Art. 15).",
      "Have it corrected, or attach a statement to what you dispute (Art. 16).",
      "Have it deleted, within 30 days and backups included (Art. 17).",
      "Have its use restricted (Art. 18), and leave the anonymised numbers (Art. 21).",
      "Take it along in files that other programs read, and bring it to another Perch (Art. 20).",
    ],
    complaint: "You may complain to the data protection authority of the place where you live or work (Art. 77).",
    automatedDecisions:
      "Rules against abuse may ask you to prove who you are or hold a new account for review. You see every decision with its reasons, and a person looks at it again when you ask (Art. 22). Nothing else is decided by machine.",
  };
}

function categoriesIn(held: readonly Holding[]): ProcessingActivity["categories"] {
  return keysOf(CATEGORIES).flatMap((category) => {
    const mine = held.filter(({ categories }) => categories.includes(category));
    if (mine.length === 0 || category === "system.operations") return [];
    const leaves = keysOf(RETENTION).filter((rule) => mine.some(({ retain }) => retain === rule));
    return [{ category, label: CATEGORIES[category], leaves: leaves.map((rule) => RETENTION[rule].words) }];
  });
}

function toldOf({ id, name, purpose, region, retentionDays }: Recipient): Recipient {
  return { id, name, purpose, region, retentionDays };
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}

/** Keys of a table written in this project, in its order. */
function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  return Object.keys(table) as K[];
}
