/** What owners and billing people are told when phones were parked because nothing paid for them. */

import type { TeamId } from "../../../shared/ids.ts";
import { momentWords } from "../../accounts/moment-words.ts";
import type { PageLinks } from "../../accounts/page-links.ts";
import type { Writer } from "../../db/database.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { BudgetsRepo } from "../budgets/budgets.repo.ts";

/** More names are not listed in one mail. */
const NAMED = 10;

export type ParkedLetter = (tx: Writer, teamId: TeamId, names: readonly string[], at: Date) => Promise<void>;

export function createParkedLetter(options: {
  people: Pick<BudgetsRepo, "teamName" | "moneyReaders">;
  mail: Pick<Mail, "queue">;
  page: PageLinks;
}): ParkedLetter {
  const { people, mail, page } = options;
  return async (tx, teamId, names, at) => {
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
    const data = {
      teamName: await people.teamName(tx, teamId),
      phones: `${names.slice(0, NAMED).join(", ")}${more}`,
      at: momentWords(at),
      link: page("/billing"),
    };
    for (const { userId, email } of await people.moneyReaders(tx, teamId)) {
      await mail.queue(tx, { kind: "parked_for_balance", userId, recipient: email, data });
    }
  };
}
