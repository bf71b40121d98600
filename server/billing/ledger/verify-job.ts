/**
 * The nightly look at the books: what is kept as a sum is compared with what it is the sum of, and what was rated with what
 * ran. What differs is written down for the operator and never put right by itself.
 */
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import { durationWords, moneyWords } from "../../../shared/billing/words.ts";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import type { JobHandler, Schedule } from "../../jobs/jobs.service.ts";
import type { Ledger } from "../ports.ts";
import type { Finding, VerifyRepo } from "./verify.repo.ts";

const DAY_MS = 86_400_000;
/** Longer than the night before, so that one missed night is made good. */
const LOOKED_AT_MS = 3 * DAY_MS;
/** What ended just now may still be settled. */
const SETTLED_AFTER_MS = 10 * 60_000;

export const LEDGER_CHECK = { kind: "billing.ledger_check", everyMs: DAY_MS } as const satisfies Schedule;

export function createLedgerCheck(options: {
  db: Database;
  repo: VerifyRepo;
  ledger: Pick<Ledger, "verify">;
  clock: Clock;
}): JobHandler {
  const { db, repo, ledger, clock } = options;

  async function findings(since: Date, until: Date): Promise<{ found: Finding[]; looked: number }> {
    const balances = (await ledger.verify(db.read)).map(
      ({ grantId, teamId, cached, counted }): Finding => ({
        ...{ kind: "balance_differs", teamId, objectId: grantId },
        words: `What is left is kept as ${cached}, its entries make ${counted} (milliseconds, or minor units of a balance).`,
      }),
    );
    const days = (await repo.differingDays(db.read, since)).map(
      ({ teamId, phoneId, day, ms, amount, countedMs, countedAmount }): Finding => ({
        ...{ kind: "day_differs", teamId, objectId: `${phoneId}:${day}` },
        words:
          `On ${day} ${durationWords(ms)} and ${moneyWords(amount, CURRENCY)} are counted, ` +
          `entries make ${durationWords(countedMs)} and ${moneyWords(countedAmount, CURRENCY)}.`,
      }),
    );
    const closed = await repo.closedIntervals(db.read, since, until);
    const times = closed
      .filter(({ ms, ratedMs }) => ms !== ratedMs)
      .map(
        ({ id, teamId, ms, ratedMs }): Finding => ({
          ...{ kind: "time_differs", teamId, objectId: id },
          words: `It was ${ms} ms long, ${ratedMs} ms of it were rated.`,
        }),
      );
    const overlaps = (await repo.overlapping(db.read, since)).map(
      ({ id, teamId }): Finding => ({
        ...{ kind: "intervals_overlap", teamId, objectId: id },
        words: "It began before an earlier interval of its phone had ended.",
      }),
    );
    return { found: [...balances, ...days, ...times, ...overlaps], looked: closed.length };
  }

  return async (_input, { finish, log }) => {
    const startedAt = new Date(clock.now());
    const since = new Date(startedAt.getTime() - LOOKED_AT_MS);
    const { found, looked } = await findings(since, new Date(startedAt.getTime() - SETTLED_AFTER_MS));
    await finish(async (tx) => {
      const run = await repo.startRun(tx, startedAt);
      await repo.endRun(tx, run, found, looked, new Date(clock.now()));
    });
    if (found.length === 0) log.info("The ledger adds up", { count: looked });
    else log.error("The ledger does not add up", { count: found.length });
  };
}
