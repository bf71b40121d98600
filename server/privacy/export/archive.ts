/** Puts an export together: every table of the plan as lines and as a table, schemas, files, receipts, report, contents list. */
import type { Readable } from "node:stream";
import type { Policy } from "../../../shared/policy/policy-v1.ts";
import type { SignedReceipt } from "../../../shared/privacy.ts";
import { PRODUCT_VERSION } from "../../../shared/version.ts";
import type { Person } from "../map/rows-of.repo.ts";
import { createMask } from "../map/third-party.ts";
import type { Processor } from "../processors/processors.ts";
import { createNames, type ExportFiles } from "./export-files.repo.ts";
import type { ExportPlan } from "./export-plan.ts";
import type { RowPages } from "./export-rows.repo.ts";
import { schemaOf } from "./json-schema.ts";
import { FORMAT, FORMAT_VERSION, MANIFEST, type Manifest, type ManifestEntry, REPORT } from "./manifest.ts";
import { reportOf } from "./report.ts";
import { rowText } from "./row-text.ts";
import { createZip } from "./zip-stream.ts";

export interface ArchiveParts {
  readonly plan: ExportPlan;
  readonly pages: RowPages;
  readonly files: ExportFiles;
  readonly receipts: (person: Person) => Promise<readonly { readonly name: string; readonly receipt: SignedReceipt }[]>;
  /** What the provider of sign-in holds where it is not this server; `undefined` for nothing. */
  readonly signInElsewhere?: ((person: Person) => Promise<unknown>) | undefined;
  readonly processors: readonly Processor[];
  readonly policy: Policy;
  readonly place: string;
  readonly publicUrl: URL;
}

export interface ArchiveOptions {
  /** Of the export: what an import knows it by. */
  readonly id: string;
  readonly person: Person;
  readonly madeAt: Date;
  /** Told the rows so far, each row once; throws to stop. */
  readonly onRows: (rows: number) => void;
}

/** `into` takes the zip, and settles when all of it was taken. */
export async function writeArchive(
  parts: ArchiveParts,
  { id, person, madeAt, onRows }: ArchiveOptions,
  into: (zip: Readable) => Promise<void>,
): Promise<Manifest> {
  const { plan, pages } = parts;
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const zip = createZip({ mtime: madeAt, failed });
  const taken = into(zip.output).catch((error: unknown) => {
    reject(error);
    throw error;
  });
  taken.catch(() => {});
  try {
    const entries: ManifestEntry[] = [];
    const missing: string[] = [];
    const mask = createMask(person);
    let total = 0;
    for (const table of plan.tables) {
      for (const format of ["lines", "table"] as const) {
        let rows = 0;
        const counted = (written: number) => {
          rows += written;
          // The same rows come twice; as lines they count.
          if (format === "lines") total += written;
          onRows(total);
        };
        const text = rowText(table, format, { pages, person, mask, mark: madeAt, onRows: counted });
        const facts = await zip.add(`data/${table.name}.${format === "lines" ? "ndjson" : "csv"}`, text);
        entries.push({ ...facts, kind: format, table: table.name, rows });
      }
      const schema = json(schemaOf(table));
      entries.push({ ...(await zip.add(`schema/${table.name}.json`, schema)), kind: "schema", table: table.name });
    }
    for await (const file of parts.files.all(person, (sentence) => missing.push(sentence))) {
      const whole = unlessGone(file.open, () => missing.push(`${file.path} could not be read to its end.`));
      entries.push({ ...(await zip.add(file.path, whole)), kind: "file" });
      onRows(total);
    }
    const elsewhere = await Promise.resolve(parts.signInElsewhere?.(person)).catch(() => {
      missing.push("What the sign-in service holds of you could not be read. Make another copy later.");
    });
    if (elsewhere !== undefined) {
      entries.push({ ...(await zip.add("elsewhere/sign-in.json", json(elsewhere))), kind: "file" });
    }
    const names = createNames();
    for (const { name, receipt } of await parts.receipts(person)) {
      entries.push({ ...(await zip.add(names.free("receipts", `${name}.json`), json(receipt))), kind: "receipt" });
    }
    const facts = { ...parts, person, madeAt, files: entries, missing };
    entries.push({ ...(await zip.add(REPORT, one(await reportOf(facts)))), kind: "report" });
    const manifest: Manifest = {
      format: FORMAT,
      formatVersion: FORMAT_VERSION,
      id,
      madeAt: madeAt.toISOString(),
      product: { name: "Perch", version: PRODUCT_VERSION },
      policy: { version: parts.policy.version },
      person: { id: person.userId, email: person.email },
      rows: total,
      files: entries,
      omissions: [...plan.omissions],
      missing,
      processors: parts.processors.map(({ name, purpose, region }) => ({ name, purpose, region })),
    };
    await zip.add(MANIFEST, json(manifest));
    zip.end();
    await taken;
    return manifest;
  } catch (error) {
    // What takes the zip must not wait for an end that never comes.
    zip.output.destroy(error instanceof Error ? error : new Error(String(error)));
    await taken.catch(() => {});
    throw error;
  }
}

async function* one(text: string): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.from(text);
}

function json(value: unknown): AsyncGenerator<Buffer, void, undefined> {
  return one(`${JSON.stringify(value, null, 2)}\n`);
}

/** A file that goes while it is read, or that its phone does not give, is told of and does not end the export. */
async function* unlessGone(
  open: () => Promise<AsyncIterable<Uint8Array>>,
  gone: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* await open();
  } catch {
    gone();
  }
}
