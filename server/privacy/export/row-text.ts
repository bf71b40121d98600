/** Rows of a table as text, in chunks: lines of JSON, or of CSV. */

import type { Person } from "../map/rows-of.repo.ts";
import type { createMask } from "../map/third-party.ts";
import { csvLine } from "./csv.ts";
import type { ExportColumn, ExportTable } from "./export-plan.ts";
import type { Row, RowPages } from "./export-rows.repo.ts";

const CHUNK_CHARACTERS = 64 * 1024;
/** A page is to be about this long as text. */
const PAGE_CHARACTERS = 512 * 1024;
const FEWEST_ROWS = 16;
const MOST_ROWS = 250;

export type RowFormat = "lines" | "table";
export type Mask = ReturnType<typeof createMask>;

export interface RowTextOptions {
  readonly pages: RowPages;
  readonly person: Person;
  readonly mask: Mask;
  /** Rows that came after it are left to the next export. */
  readonly mark: Date;
  /** Told how many rows were written; throws to stop. */
  readonly onRows: (rows: number) => void;
}

/** Columns that hold when a row came to be. One that changes later is none. */
const CAME = ["at", "createdAt", "joinedAt", "receivedAt", "askedAt", "grantedAt", "queuedAt"] as const;

export async function* rowText(
  table: ExportTable,
  format: RowFormat,
  { pages, person, mask, mark, onRows }: RowTextOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { columns, mapped } = table;
  const names = columns.map(({ property }) => property);
  const came = CAME.find((name) => names.includes(name));
  const valuesOf = valuesFor(columns, mask);
  const toText = format === "table" ? csvLine : lineOf(columns);
  let text = format === "table" ? csvLine(names) : "";
  let pageRows = 64;
  for await (const rows of pages.pages(person, mapped, names, () => pageRows)) {
    let characters = 0;
    let written = 0;
    for (const row of rows) {
      if (came !== undefined && isAfter(row[came], mark)) continue;
      const line = toText(valuesOf(row));
      characters += line.length;
      written += 1;
      text += line;
      if (text.length >= CHUNK_CHARACTERS) {
        yield Buffer.from(text);
        text = "";
      }
    }
    const fitting = Math.floor((rows.length * PAGE_CHARACTERS) / Math.max(1, characters));
    pageRows = Math.min(MOST_ROWS, Math.max(FEWEST_ROWS, Math.min(fitting, pageRows * 4)));
    onRows(written);
  }
  if (text !== "") yield Buffer.from(text);
}

function isAfter(value: unknown, mark: Date): boolean {
  return value instanceof Date && value.getTime() > mark.getTime();
}

function lineOf(columns: readonly ExportColumn[]): (values: readonly unknown[]) => string {
  const keys = columns.map(({ property }, place) => `${place === 0 ? "{" : ","}${JSON.stringify(property)}:`);
  const isJson = columns.map(({ kind }) => kind === "json");
  return (values) => {
    let line = "";
    for (let place = 0; place < keys.length; place += 1) {
      const value = values[place] ?? null;
      line += keys[place];
      line += isJson[place] === true && typeof value === "string" ? onOneLine(value) : JSON.stringify(value);
    }
    return `${line}}\n`;
  };
}

/** JSON as the database has it. Written by hand, it may have line breaks between its parts. */
function onOneLine(json: string): string {
  return json.includes("\n") ? JSON.stringify(JSON.parse(json)) : json;
}

/** The values of a row in the order of the columns, as an export shows them. */
export function valuesFor(columns: readonly ExportColumn[], mask: Mask): (row: Row) => readonly unknown[] {
  const shown = columns.map(({ property, kind, tag }) => {
    if (tag.thirdParty !== undefined) return (row: Row) => mask(tag, row[property]);
    if (kind === "bytes") return (row: Row) => base64(row[property]);
    return (row: Row) => row[property];
  });
  return (row) => shown.map((show) => show(row));
}

function base64(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
