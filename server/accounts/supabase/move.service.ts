/**
 * Takes people with a password on this server over to its Supabase project, with the hash they have, so that nobody has to
 * set a new one. An app stays where it was set up, and is asked for as before.
 */
import { randomUUID } from "node:crypto";
import type { UserId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { Jobs } from "../../jobs/jobs.service.ts";
import type { TeamsRepo } from "../../teams/teams.repo.ts";
import type { AccountsRepo } from "../accounts.repo.ts";
import type { IdentitiesRepo } from "../identities.repo.ts";
import type { GoTrue } from "./gotrue.ts";
import { UNBOUND_AFTER_MS, UNBOUND_JOB } from "./supabase.ts";

const PAGE = 100;

export interface Moved {
  readonly moved: number;
  /** Addresses with an account there already, which nothing here proves to be the same person. */
  readonly taken: readonly string[];
  /** Set a new password by mail, which takes them over. */
  readonly withoutPassword: number;
}

export interface Move {
  /** Can be stopped and begun again: who was taken over is left out. */
  all(reason: string): Promise<Moved>;
}

export function createMove(options: {
  db: Database;
  identities: IdentitiesRepo;
  people: Pick<AccountsRepo, "bindIdentity" | "removePassword">;
  teams: Pick<TeamsRepo, "listOfIn">;
  gotrue: Pick<GoTrue, "create">;
  jobs: Pick<Jobs, "enqueue">;
  audit: Audit;
  clock: Clock;
}): Move {
  const { db, identities, people, gotrue, jobs, audit, clock } = options;

  async function take(userId: UserId, email: string, hash: string, reason: string): Promise<boolean> {
    const subject = randomUUID();
    const runAt = new Date(clock.now() + UNBOUND_AFTER_MS);
    await db.tx((tx) => jobs.enqueue(tx, { kind: UNBOUND_JOB, input: { subject }, runAt }));
    if ((await gotrue.create({ id: subject, email, hash })) === "taken") return false;
    await db.tx(async (tx) => {
      await people.bindIdentity(tx, "supabase", subject, userId);
      await people.removePassword(tx, userId);
      const [team] = await options.teams.listOfIn(tx, userId);
      const entry = { chain: team?.id ?? "server", actor: "operator", object: userId, detail: { reason } } as const;
      await audit.record(tx, { ...entry, action: "account.moved" });
    });
    return true;
  }

  return {
    async all(reason) {
      const taken: string[] = [];
      let moved = 0;
      let withoutPassword = 0;
      for (let after = ""; ; ) {
        const page = await identities.notBound(after, PAGE);
        for (const { userId, email, phc } of page) {
          if (phc === null) withoutPassword += 1;
          else if (await take(userId, email, phc, reason)) moved += 1;
          else taken.push(email);
        }
        const last = page.at(-1);
        if (last === undefined || page.length < PAGE) return { moved, taken, withoutPassword };
        after = last.userId;
      }
    },
  };
}
