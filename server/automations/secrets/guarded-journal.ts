/**
 * The one way from a run to what is kept of it: every text goes through the run's redactor, and what scripts left is
 * sealed, because a run that goes on needs it exactly as it was.
 */

import { seal, unseal } from "../../seal.ts";
import type { StepResult } from "../automations.tables.ts";
import { RunStop } from "../engine/failures.ts";
import type { JournalRepo } from "../journal.repo.ts";
import type { StepRow } from "../runs.repo.ts";
import type { Redactor } from "./redact.ts";

export interface GuardedJournal extends JournalRepo {
  /** Steps of an earlier life, with what scripts left in them opened. @throws RunStop */
  recorded(steps: readonly StepRow[]): readonly StepRow[];
}

export function guardedJournal(journal: JournalRepo, redactor: Redactor, key: Buffer): GuardedJournal {
  const place = (runId: string, seq: number) => `scripts/${runId}/${seq}`;
  const kept = (runId: string, seq: number, { scripts, ...rest }: StepResult): StepResult => ({
    ...redactor.data(rest),
    ...(typeof scripts === "string" && { scripts: seal(key, place(runId, seq), scripts) }),
  });
  // Each by name: a new way to write does not compile before it is thought of here.
  const { again, effect, settle, forget } = journal;
  return {
    again,
    effect,
    settle,
    forget,
    begin: (lease, step) => journal.begin(lease, { ...step, label: redactor.text(step.label) }),
    note: (lease, seq, result) => journal.note(lease, seq, kept(lease.runId, seq, result)),
    finish: (lease, seq, { message, result, ...end }) =>
      journal.finish(lease, seq, {
        ...end,
        message: message && redactor.text(message),
        result: result && kept(lease.runId, seq, result),
      }),
    log: (lease, message, step) => journal.log(lease, redactor.text(message), step),
    artifact: (lease, artifact) => journal.artifact(lease, { ...artifact, name: redactor.text(artifact.name) }),
    recorded: (steps) =>
      steps.map((row) => {
        const { scripts, ...rest } = row.result ?? {};
        if (typeof scripts !== "string") return row;
        const opened = unseal(key, place(row.runId, row.seq), scripts);
        if (opened !== undefined) return { ...row, result: { ...rest, scripts: opened } };
        throw new RunStop("outcome_unknown", "This server cannot read what the run's scripts left. Start it anew.");
      }),
  };
}
