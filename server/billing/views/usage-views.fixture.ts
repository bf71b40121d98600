/** A team whose phones ran, as it stands in the tables: for tests of what is read of it. */
import { CURRENCY } from "../../../shared/billing/catalogue.ts";
import { localDay } from "../../../shared/billing/local-days.ts";
import { NOTHING } from "../../../shared/billing/rating.fixture.ts";
import type { Cover, Funds, RatedPiece } from "../../../shared/billing/rating.ts";
import { newId, type PhoneId, type TeamId, type UsageIntervalId, type UserId } from "../../../shared/ids.ts";
import { addUser } from "../../accounts/testing/people.ts";
import type { Database, Writer } from "../../db/database.ts";
import { dataMap, tableNamed } from "../../privacy/map/data-map.ts";
import { anyRow } from "../../privacy/testing/any-row.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import type { IntervalEnd } from "../usage/usage.tables.ts";
import type { Unsettled } from "./open-time.ts";

export const NO_OPEN_TIME: Unsettled = { at: 0, running: [], pieces: [], funds: NOTHING };

export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly cover: Cover;
  readonly amount?: number;
  readonly grantId?: string;
}
export interface UsedTeam {
  readonly scope: TeamScope;
  readonly teamId: TeamId;
  readonly userId: UserId;
  phone(name: string): Promise<PhoneId>;
  /** An interval from its first piece to its last, with an entry for each. */
  ran(
    phoneId: PhoneId,
    pieces: readonly Piece[],
    about?: { by?: UserId | null; end?: IntervalEnd | null },
  ): Promise<UsageIntervalId>;
  ranFlow(phoneId: PhoneId, from: number, to: number | null, name?: string): Promise<string>;
  /** Takes every entry of an interval back. */
  takenBack(id: UsageIntervalId, at: number, reason: string): Promise<void>;
}

/** `zone`: whose days entries count on. */
export async function usedTeam(db: Database, zone = "UTC"): Promise<UsedTeam> {
  const [teamId, userId] = [newId("team"), newId("user")];
  const at = new Date("2026-01-01T00:00:00Z");
  const map = dataMap(db.t);
  const insert = (tx: Writer, property: string, given: Record<string, unknown>) => {
    const table = tableNamed(map, property);
    return tx.insert(table.table).values(anyRow(table, given));
  };
  await db.tx(async (tx) => {
    await addUser(db, tx, { id: userId, email: `${userId.toLowerCase()}@x.example`, fullName: "Anna", createdAt: at });
    await tx.insert(db.t.teams).values({ id: teamId, name: "Team", createdAt: at });
    await tx.insert(db.t.teamMembers).values({ teamId, userId, role: "owner", joinedAt: at });
  });
  const dayOf = (moment: number) => localDay(moment, zone).day;
  return {
    ...{ teamId, userId, scope: { teamId, userId } as TeamScope },
    async phone(name) {
      const id = newId("phone");
      await db.tx((tx) =>
        insert(tx, "phones", { id, teamId, createdBy: userId, name, state: "running", removedAt: null }),
      );
      return id;
    },
    async ran(phoneId, pieces, { by = userId, end = "parked" } = {}) {
      const id = newId("usageInterval");
      const [first, last] = [pieces[0]?.from ?? 0, pieces.at(-1)?.to ?? 0];
      const endedAt = end === null ? null : new Date(last);
      await db.tx(async (tx) => {
        await tx.insert(db.t.usageIntervals).values({
          ...{ id, teamId, phoneId, startedBy: by, startedAt: new Date(first), lastSeenAt: new Date(last), endedAt },
          ...{ endReason: end, ratedAt: new Date(last), node: "n", boot: "b" },
        });
        for (const { from, to, cover, amount = 0, grantId = null } of pieces) {
          await tx.insert(db.t.ledgerEntries).values({
            ...{ id: newId("ledgerEntry"), teamId, cover, source: "usage", sourceId: `${id}:${from}` },
            ...{ grantId: grantId as never, ms: to - from, amount, delta: 0, currency: CURRENCY, intervalId: id },
            ...{ phoneId, fromAt: new Date(from), toAt: new Date(to), day: dayOf(from), createdAt: new Date(to) },
          });
        }
      });
      return id;
    },
    async ranFlow(phoneId, from, to, name) {
      const flowId = newId("flow");
      const [startedAt, finishedAt] = [new Date(from), to === null ? null : new Date(to)];
      const state = to === null ? "running" : "passed";
      await db.tx(async (tx) => {
        if (name !== undefined) await insert(tx, "flows", { id: flowId, teamId, createdBy: userId, name });
        const shown = name === undefined ? null : flowId;
        const about = { id: newId("run"), teamId, flowId: shown, createdBy: userId, phoneId, state };
        await insert(tx, "runs", { ...about, startedAt, finishedAt, createdAt: startedAt, path: null, suiteId: null });
      });
      return flowId;
    },
    async takenBack(id, moment, reason) {
      const { ledgerEntries } = db.t;
      await db.tx(async (tx) => {
        const rows = await tx.select().from(ledgerEntries);
        for (const row of rows.filter(({ intervalId }) => intervalId === id)) {
          await tx.insert(ledgerEntries).values({
            ...{ ...row, id: newId("ledgerEntry"), source: "reversal", sourceId: row.id, reversesId: row.id },
            ...{ ms: -row.ms, amount: -row.amount, delta: -row.delta, reason, createdAt: new Date(moment) },
          });
        }
      });
    },
  };
}

/** What an open interval ran that is in no entry yet. */
export function openPiece(
  intervalId: UsageIntervalId,
  phoneId: PhoneId,
  { from, to, cover, amount = 0 }: Piece,
  zone = "UTC",
): RatedPiece {
  return { intervalId, phoneId, from, to, cover, amount, day: localDay(from, zone).day };
}

export function unsettled(
  id: UsageIntervalId,
  team: Pick<UsedTeam, "userId">,
  startedAt: number,
  pieces: readonly RatedPiece[],
  funds: Funds = NOTHING,
): Unsettled {
  const phoneId = (pieces[0]?.phoneId ?? "") as PhoneId;
  return { at: pieces.at(-1)?.to ?? 0, running: [{ id, phoneId, startedBy: team.userId, startedAt }], pieces, funds };
}
