/** `manifest.json`, the contents list of an export: what is in it, how much, its hashes, and what is left out and why. */
import * as z from "zod";

export const FORMAT = "perch-export";
/** Grows when an older Perch could no longer read what a newer one writes. */
export const FORMAT_VERSION = 1;
export const MANIFEST = "manifest.json";
export const REPORT = "README.html";

const ENTRY_KINDS = ["report", "lines", "table", "schema", "file", "receipt"] as const;

/** Unknown fields are let through: a later minor change may add some. */
export const manifestSchema = z.object({
  format: z.literal(FORMAT),
  formatVersion: z.int().min(1),
  /** Of the export. */
  id: z.string().min(1).max(100),
  madeAt: z.iso.datetime(),
  product: z.object({ name: z.string().max(100), version: z.string().max(50) }),
  policy: z.object({ version: z.int() }),
  /** Who it is about. */
  person: z.object({ id: z.string().max(100), email: z.string().max(320) }),
  rows: z.int().min(0),
  files: z
    .array(
      z.object({
        path: z.string().min(1).max(1_000),
        kind: z.enum(ENTRY_KINDS),
        bytes: z.int().min(0),
        /** Hexadecimal. */
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        /** Of the table, in the files that hold its rows. */
        rows: z.int().min(0).optional(),
        table: z.string().max(100).optional(),
      }),
    )
    .max(500_000),
  omissions: z.array(z.object({ table: z.string(), column: z.string(), reason: z.string() })).max(10_000),
  /** What could not be read when the export was made, in sentences. */
  missing: z.array(z.string()).max(10_000),
  processors: z.array(z.object({ name: z.string(), purpose: z.string(), region: z.string() })).max(100),
});
export type Manifest = z.output<typeof manifestSchema>;
export type ManifestEntry = Manifest["files"][number];
