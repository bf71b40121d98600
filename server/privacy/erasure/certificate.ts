/** What the certificate of an erasure says: what was there, what is left and why, and how it was looked for. No names. */

import { PROMISED_DAYS } from "../retention/budget.ts";
import type { Act } from "./erasure-plan.repo.ts";
import { LAW_WORDS, STORE_WORDS, TABLE_WORDS } from "./erasure-words.ts";
import type { ErasureRow, StepRow } from "./erasures.repo.ts";
import { byLabel } from "./erasures.service.ts";

/** The search of every byte for what was the person's. */
export type Scan =
  | {
      readonly state: "done";
      readonly files: number;
      readonly bytes: number;
      /** How many values were looked for. */
      readonly values: number;
      readonly pages: string;
      /** What other people wrote and keep. */
      readonly rowsOfOthers: number;
    }
  /** The server stopped in between: what to search for was known to its memory alone, and is gone. */
  | { readonly state: "not repeated" };

const DAY_MS = 24 * 3_600_000;

export function statementOf(about: {
  row: Pick<ErasureRow, "id" | "askedAt" | "purgeAt">;
  steps: readonly StepRow[];
  acts: readonly Act[];
  scan: Scan;
  doneAt: Date;
}): Readonly<Record<string, unknown>> {
  const { row, steps, acts, scan, doneAt } = about;
  const counted = (kind: Act["kind"]) =>
    byLabel(
      acts
        .filter((act) => act.kind === kind)
        .map((act) => ({
          label: TABLE_WORDS[act.table.property],
          items: steps.find(({ store }) => store === act.id)?.before ?? 0,
        }))
        .filter(({ items }) => items > 0),
    );
  const outside = steps.filter(({ store }) => !acts.some(({ id }) => id === store));
  const words = Object.entries(STORE_WORDS);
  return {
    kind: "erasure",
    version: 1,
    id: row.id,
    askedAt: row.askedAt.toISOString(),
    begunAt: row.purgeAt.toISOString(),
    doneAt: doneAt.toISOString(),
    erased: byLabel([...counted("delete"), ...counted("forget")]),
    staysWithTeams: counted("cut"),
    kept: acts
      .filter(({ kind }) => kind === "keep")
      .flatMap((act) => {
        const step = steps.find(({ store }) => store === act.id);
        if (!step?.before || step.keptUntil === null) return [];
        const label = TABLE_WORDS[act.table.property];
        const law = LAW_WORDS[act.retain ?? "service"] ?? "";
        return [{ label, items: step.before, until: step.keptUntil.toISOString(), law }];
      }),
    stores: outside.map(({ store, before, after, doneAt: at, keptUntil: until }) => ({
      store: words.find(([id]) => id === store)?.[1] ?? store,
      ...(before !== null && { before }),
      ...(after !== null && { after }),
      ...(until !== null && { retainedUntil: until.toISOString() }),
      doneAt: at?.toISOString(),
    })),
    /** Rows of all tables that are left: looked for again after the last step. */
    left: 0,
    scan,
    backupsGoneBy: new Date(row.askedAt.getTime() + PROMISED_DAYS * DAY_MS).toISOString(),
  };
}
