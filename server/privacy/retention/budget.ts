/** The 30 days of the policy (clause P4.2) as a sum: whatever takes part in it has its share, and no more. */
import { PerchError } from "../../errors.ts";

/** What the policy promises. */
export const PROMISED_DAYS = 30;
/** In which a person may take back that their account goes. */
export const GRACE_DAYS = 7;
/** For the purge itself, with everything that has to be tried again. */
export const PURGE_DAYS = 2;
/** The longest a backup or a processor keeps what was deleted. */
export const LONGEST_COPY_DAYS = 14;
/** For a server that is off meanwhile. */
export const SLACK_DAYS = 7;

/** @throws PerchError with what to change, when what was deleted would be somewhere for longer than promised. */
export function assertBudget(kept: {
  /** How long backups are kept. */
  readonly backupDays: number;
  readonly processors: readonly { readonly name: string; readonly retentionDays: number }[];
}): void {
  const copies = [
    {
      who: "BACKUP_DAYS",
      days: kept.backupDays,
      remedy: `Set BACKUP_DAYS to ${LONGEST_COPY_DAYS} or fewer, and remove older backups`,
    },
    ...kept.processors.map(({ name, retentionDays }) => ({
      who: name,
      days: retentionDays,
      remedy: `Have it keep deleted data for ${LONGEST_COPY_DAYS} days at most, or use another one`,
    })),
  ];
  for (const { who, days, remedy } of copies) {
    const sum = GRACE_DAYS + PURGE_DAYS + days + SLACK_DAYS;
    if (sum <= PROMISED_DAYS) continue;
    throw new PerchError(
      "bad_input",
      `${who} keeps deleted data for ${days} days, so it would be gone after ${sum} days, and the privacy policy promises ${PROMISED_DAYS}. ${remedy}.`,
    );
  }
}
