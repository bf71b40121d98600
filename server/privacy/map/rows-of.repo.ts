/** Which rows of a table are a person's, as the data map says. */
import { eq, inArray, or, type SQL } from "drizzle-orm";
import type { UserId } from "../../../shared/ids.ts";
import type { Reader } from "../../db/database.ts";
import { columnNamed, type MappedColumn, type MappedTable, tableNamed } from "./data-map.ts";

export interface Person {
  readonly userId: UserId;
  /** Lower-cased and NFC, as stored for look-ups. */
  readonly email: string;
}

/** The condition that a link column holds the person. */
export function leadsTo({ column, tag }: MappedColumn, person: Person): SQL {
  return eq(column, tag.link === "email" ? person.email : person.userId);
}

/** The condition that picks the person's rows; `undefined` where rows are nobody's. */
export function rowsOf(
  reader: Reader,
  map: readonly MappedTable[],
  table: MappedTable,
  person: Person,
): SQL | undefined {
  const { subject } = table.about;
  if ("none" in subject) return undefined;
  if ("column" in subject) {
    return or(...[subject.column, ...(subject.also ?? [])].map((name) => leadsTo(columnNamed(table, name), person)));
  }
  const parent = tableNamed(map, subject.table);
  const theirs = rowsOf(reader, map, parent, person);
  const key = columnNamed(parent, subject.key).column;
  return inArray(columnNamed(table, subject.via).column, reader.select({ key }).from(parent.table).where(theirs));
}
