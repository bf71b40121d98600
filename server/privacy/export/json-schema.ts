/** JSON Schemas (2020-12) of the lines of an export, derived from the columns. */
import { CATEGORIES, RETENTION, USES } from "../tags.ts";
import type { ExportColumn, ExportTable } from "./export-plan.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

const TYPES = {
  text: { type: "string" },
  number: { type: "integer" },
  boolean: { type: "boolean" },
  moment: { type: "string", format: "date-time" },
  json: {},
  bytes: { type: "string", contentEncoding: "base64" },
} as const satisfies Record<ExportColumn["kind"], JsonSchema>;

export function schemaOf({ name, label, columns }: ExportTable): JsonSchema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: label,
    description: `One line of data/${name}.ndjson.`,
    type: "object",
    properties: Object.fromEntries(columns.map((column) => [column.property, schemaOfColumn(column)])),
    required: columns.map(({ property }) => property),
    additionalProperties: false,
  };
}

function schemaOfColumn({ kind, nullable, choices, tag }: ExportColumn): JsonSchema {
  const base: JsonSchema = { ...TYPES[kind], ...(choices !== undefined && { enum: choices }) };
  const about = {
    title: CATEGORIES[tag.category],
    description: `Used ${tag.use.map((use) => USES[use]).join(", ")}; goes ${RETENTION[tag.retain].words}.`,
  };
  // Any JSON value may be null already.
  if (!nullable || kind === "json") return { ...about, ...base };
  return { ...about, anyOf: [base, { type: "null" }] };
}
