/**
 * Whether Supabase still knows those who are signed in here. Asked for everybody once a day: whoever was deleted or shut
 * out there is signed out here, and an address that was changed and confirmed there becomes that of the profile. While
 * Supabase does not answer nobody is signed out.
 */
import { z } from "zod";
import type { UserId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { JobHandler, Schedule } from "../../jobs/jobs.service.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { TeamsRepo } from "../../teams/teams.repo.ts";
import type { AccountsRepo } from "../accounts.repo.ts";
import type { EmailChange } from "../email-change.service.ts";
import type { IdentitiesRepo } from "../identities.repo.ts";
import { lookupEmail } from "../identity-provider.ts";
import { momentWords } from "../moment-words.ts";
import type { PageLinks } from "../page-links.ts";
import type { Sessions } from "../sessions.service.ts";
import type { GoTrue } from "./gotrue.ts";
import { UNBOUND_JOB } from "./supabase.ts";

const HOUR_MS = 60 * 60_000;
/** With an hour between looks nobody waits longer than a day. */
const CHECK_AFTER_MS = 22 * HOUR_MS;
const CHECK_JOB = "identity.check";
const PAGE = 100;
const AT_ONCE = 4;

export interface IdentityCheck {
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
}

const unbound = z.object({ subject: z.guid() });

export function createIdentityCheck(options: {
  db: Database;
  identities: IdentitiesRepo;
  people: Pick<AccountsRepo, "find">;
  teams: Pick<TeamsRepo, "listOfIn">;
  gotrue: Pick<GoTrue, "find" | "remove">;
  sessions: Pick<Sessions, "endIn" | "endTokensIn" | "announceEnded">;
  followEmail: EmailChange["follow"];
  mail: Mail;
  audit: Audit;
  clock: Clock;
  page: PageLinks;
}): IdentityCheck {
  const { db, identities, people, gotrue, sessions, mail, audit, clock, page } = options;

  /** Everything that lets the person in, in one go; the account stays, for its data is the person's. */
  async function shutOut(userId: UserId, subject: string): Promise<void> {
    const user = await people.find(userId);
    const ended = await db.tx(async (tx) => {
      const ids = [
        ...(await sessions.endIn(tx, userId, "all")),
        ...(await sessions.endTokensIn(tx, { madeBy: userId, since: new Date(0) })),
      ];
      await identities.noteChecked(tx, subject);
      if (ids.length === 0 || user === undefined) return ids;
      const [team] = await options.teams.listOfIn(tx, userId);
      const chain = team?.id ?? "server";
      await audit.record(tx, { chain, actor: "server", action: "account.shut_out", object: userId });
      const what = "Your account was deleted or closed at the sign-in service, so you were signed out everywhere.";
      await mail.queue(tx, {
        ...{ kind: "unusual_use", userId, recipient: user.emailShown },
        data: { what, at: momentWords(new Date(clock.now())), securityLink: page("/support") },
      });
      return ids;
    });
    sessions.announceEnded(ended);
    mail.wake();
  }

  async function check({ userId, subject }: { readonly userId: UserId; readonly subject: string }): Promise<void> {
    const person = await gotrue.find(subject);
    if (person === undefined || person.isBanned) return shutOut(userId, subject);
    const user = await people.find(userId);
    const isOther = user !== undefined && person.email !== "" && lookupEmail(person.email) !== user.email;
    if (isOther && person.isConfirmed) await options.followEmail(userId, person.email);
    await db.tx((tx) => identities.noteChecked(tx, subject));
  }

  return {
    jobs: {
      async [CHECK_JOB](_input, { signal }) {
        const since = new Date(clock.now() - CHECK_AFTER_MS);
        for (;;) {
          const due = await identities.due(since, PAGE);
          for (let from = 0; from < due.length; from += AT_ONCE) {
            if (signal.aborted) return;
            await Promise.all(due.slice(from, from + AT_ONCE).map(check));
          }
          if (due.length < PAGE) return;
        }
      },
      async [UNBOUND_JOB](input) {
        const { subject } = unbound.parse(input);
        if ((await identities.userOf(subject)) === undefined) await gotrue.remove(subject);
      },
    },
    schedules: [{ kind: CHECK_JOB, everyMs: HOUR_MS }],
  };
}
