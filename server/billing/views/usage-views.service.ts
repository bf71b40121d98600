/** What people read of their team's usage: by day, by line, and why each piece was charged. Days are those of the team's time zone. */

import type { UsageDays, UsageExplanation, UsageLine } from "../../../shared/billing/billing.ts";
import { CURRENCY, PAY_AS_YOU_GO } from "../../../shared/billing/catalogue.ts";
import { COVER_NAMES } from "../../../shared/billing/cover-words.ts";
import { localDay, startOfDay } from "../../../shared/billing/local-days.ts";
import { COVERS, type Cover, type RatedPiece } from "../../../shared/billing/rating.ts";
import { minorDigits } from "../../../shared/billing/words.ts";
import type { TeamId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import { PerchError } from "../../errors.ts";
import { csvLine } from "../../privacy/export/csv.ts";
import type { UsageViews } from "../usage.router.ts";
import { explainedPieces } from "./explained-pieces.ts";
import { BY_HAND, flowShares, UNSAVED } from "./flow-shares.ts";
import type { OpenTime, Unsettled } from "./open-time.ts";
import type { IntervalPlace, IntervalRow, UsageViewsRepo } from "./usage-views.repo.ts";
import { endedWords, lineWords, whyWords } from "./usage-words.ts";
import { type DayRange, rangeOf } from "./zone-days.ts";

const PAGE = 50;
const GONE_PHONE = "Removed phone";
const GONE_MEMBER = "Former member";

export function createUsageViews(options: {
  repo: UsageViewsRepo;
  openTime: OpenTime;
  timeZoneOf: (teamId: TeamId) => Promise<string>;
  clock: Clock;
}): UsageViews {
  const { repo, openTime, clock } = options;
  const currency = CURRENCY;

  const rangeFor = async (teamId: TeamId, asked: { from?: string | undefined; to?: string | undefined }) =>
    rangeOf(asked, await options.timeZoneOf(teamId), clock.now());
  const isIn =
    ({ from, to }: DayRange) =>
    ({ day }: { readonly day: string }) =>
      from <= day && day <= to;
  const momentsOf = ({ from, to, timeZone }: DayRange) => ({
    begin: startOfDay(from, timeZone),
    end: localDay(startOfDay(to, timeZone), timeZone).to,
  });
  const lengthOf = ({ from, to }: RatedPiece) => to - from;
  const shown = (money: boolean, amount: number) => (money ? { amount } : {});

  /** Lines of intervals with what covered them on the days of the range; of what is open, as it stands. */
  async function linesOf(
    teamId: TeamId,
    range: DayRange,
    rows: readonly IntervalRow[],
    money: boolean,
    onlyThese: boolean,
  ): Promise<(UsageLine & { readonly covers: ReadonlyMap<Cover, { ms: number; amount: number }> })[]> {
    const ids = onlyThese ? rows.map(({ id }) => id) : undefined;
    const [covers, open, phones, members] = await Promise.all([
      ...([repo.coversOf(teamId, range, ids), openTime.of(teamId)] as const),
      ...([repo.phoneNames(teamId), repo.memberNames(teamId)] as const),
    ]);
    const pieces = open.pieces.filter(isIn(range)).map((piece) => ({ ...piece, ms: lengthOf(piece) }));
    const byInterval = Map.groupBy([...covers, ...pieces], ({ intervalId }) => intervalId);
    const { begin, end } = momentsOf(range);
    return rows.map((row) => {
      const sums = new Map<Cover, { ms: number; amount: number }>();
      for (const { cover, ms, amount } of byInterval.get(row.id) ?? []) {
        const before = sums.get(cover) ?? { ms: 0, amount: 0 };
        sums.set(cover, { ms: before.ms + ms, amount: before.amount + amount });
      }
      const values = [...sums.values()];
      const ms = values.reduce((all, one) => all + one.ms, 0);
      const amount = values.reduce((all, one) => all + one.amount, 0);
      const from = Math.max(begin, row.startedAt.getTime());
      const to = Math.max(from, Math.min(end, (row.endedAt ?? row.lastSeenAt).getTime()));
      const inOrder = COVERS.filter((cover) => (sums.get(cover)?.ms ?? 0) !== 0);
      const facts = { from, to, ms, covers: inOrder, currency, timeZone: range.timeZone };
      return {
        ...{ intervalId: row.id, phoneId: row.phoneId, phone: phones.get(row.phoneId) ?? GONE_PHONE },
        member: (row.startedBy === null ? undefined : members.get(row.startedBy)) ?? GONE_MEMBER,
        ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString(), running: row.endedAt === null, ms },
        words: lineWords({ ...facts, amount: money ? amount : undefined }),
        ...shown(money, amount),
        covers: sums,
      };
    });
  }

  async function byFlow(teamId: TeamId, range: DayRange, open: Unsettled) {
    const { begin, end } = momentsOf(range);
    const runs = await repo.runsDuring(teamId, new Date(begin), new Date(end));
    const phoneIds = new Set(runs.map(({ phoneId }) => phoneId));
    const [all, entries] = await Promise.all([
      repo.byPhone(teamId, range),
      phoneIds.size === 0 ? [] : repo.ofPhones(teamId, range, [...phoneIds]),
    ]);
    // Of phones on which nothing ran all is by hand; nothing else of them has to be looked at.
    const byHand = all
      .filter(({ of }) => ![...phoneIds].some((id) => id === of))
      .map((one) => ({ ...one, of: BY_HAND }));
    const running = new Map(open.running.map(({ id, phoneId }) => [id, phoneId] as const));
    const pieces = open.pieces.filter(isIn(range)).flatMap((piece) => {
      const phoneId = [...running].find(([id]) => id === piece.intervalId)?.[1];
      return phoneId === undefined ? [] : [{ ...piece, phoneId, ms: lengthOf(piece) }];
    });
    return [...byHand, ...flowShares([...entries, ...pieces], runs)];
  }

  return {
    async summary({ teamId }, asked, money) {
      const range = await rangeFor(teamId, asked);
      const [totals, open] = await Promise.all([repo.totals(teamId, range), openTime.of(teamId)]);
      const sums = new Map(totals.map((one) => [one.cover, { ms: one.ms, amount: one.amount }]));
      for (const piece of open.pieces.filter(isIn(range))) {
        const before = sums.get(piece.cover) ?? { ms: 0, amount: 0 };
        sums.set(piece.cover, { ms: before.ms + lengthOf(piece), amount: before.amount + piece.amount });
      }
      const all = [...sums.values()];
      return {
        ...{ from: range.from, to: range.to, currency },
        phoneMs: all.reduce((total, { ms }) => total + ms, 0),
        byCover: COVERS.flatMap((cover) => {
          const one = sums.get(cover);
          if (one === undefined || (one.ms === 0 && one.amount === 0)) return [];
          return [{ cover, name: COVER_NAMES[cover], ms: one.ms, ...shown(money, one.amount) }];
        }),
        ...shown(
          money,
          all.reduce((total, { amount }) => total + amount, 0),
        ),
      };
    },

    async days({ teamId }, { by, ...asked }, money): Promise<UsageDays> {
      const range = await rangeFor(teamId, asked);
      const open = await openTime.of(teamId);
      const startedBy = new Map<string, string | null>(open.running.map((one) => [one.id, one.startedBy]));
      const live = open.pieces.filter(isIn(range)).map((piece) => ({
        ...{ of: by === "member" ? (startedBy.get(piece.intervalId) ?? null) : piece.phoneId, day: piece.day },
        ...{ ms: lengthOf(piece), amount: piece.amount },
      }));
      const [sums, names, gone] =
        by === "flow"
          ? [await byFlow(teamId, range, open), await repo.flowNames(teamId), "Removed flow"]
          : by === "member"
            ? [[...(await repo.byMember(teamId, range)), ...live], await repo.memberNames(teamId), GONE_MEMBER]
            : [[...(await repo.byPhone(teamId, range)), ...live], await repo.phoneNames(teamId), GONE_PHONE];
      const nameOf = (id: string) =>
        id === BY_HAND ? "By hand" : id === UNSAVED ? "Flows that are not saved" : (names.get(id) ?? gone);
      const series = [...Map.groupBy(sums, ({ of }) => of ?? "gone")].map(([id, rows]) => {
        const days = [...Map.groupBy(rows, ({ day }) => day)].map(([day, some]) => {
          const amount = some.reduce((total, one) => total + one.amount, 0);
          return { day, ms: some.reduce((total, one) => total + one.ms, 0), amount };
        });
        days.sort((a, b) => (a.day < b.day ? -1 : 1));
        return {
          ...{ id, name: nameOf(id), ms: days.reduce((total, one) => total + one.ms, 0) },
          ...shown(
            money,
            days.reduce((total, one) => total + one.amount, 0),
          ),
          days: days.map(({ day, ms, amount }) => ({ day, ms, ...shown(money, amount) })),
        };
      });
      series.sort((a, b) => b.ms - a.ms || (a.id < b.id ? -1 : 1));
      return { timeZone: range.timeZone, currency, series };
    },

    async lines({ teamId }, { phoneId, cursor, ...asked }, money) {
      const range = await rangeFor(teamId, asked);
      const { begin, end } = momentsOf(range);
      const which = { phoneId, before: placeOf(cursor), limit: PAGE + 1 };
      const rows = await repo.intervals(teamId, new Date(begin), new Date(end), which);
      const page = rows.slice(0, PAGE);
      const lines = await linesOf(teamId, range, page, money, true);
      const last = page.at(-1);
      return {
        lines: lines.map(({ covers: _, ...line }) => line),
        ...(rows.length > PAGE && last !== undefined && { next: `${last.startedAt.getTime()}.${last.id}` }),
      };
    },

    async explain({ teamId }, { intervalId }, money): Promise<UsageExplanation> {
      const row = await repo.interval(teamId, intervalId);
      if (row === undefined) throw new PerchError("not_found", "There is no such line. Lines are kept for 90 days.");
      const timeZone = await options.timeZoneOf(teamId);
      const [entries, open, grants] = await Promise.all([
        ...([repo.entriesOf(teamId, intervalId), openTime.of(teamId), repo.grants(teamId)] as const),
      ]);
      const live = open.pieces.filter((piece) => piece.intervalId === intervalId);
      const days = [...entries.map(({ day }) => day), ...live.map(({ day }) => day)].sort();
      const [first, last] = [days[0], days.at(-1)];
      const range =
        first === undefined || last === undefined
          ? rangeOf({}, timeZone, clock.now())
          : { from: first, to: last, timeZone };
      const [line] = await linesOf(teamId, range, [row], money, true);
      if (line === undefined) throw new Error("A row without a line.");
      const { covers: _, ...shownLine } = line;
      const pieces = explainedPieces(entries, live);
      const rules = { ...PAY_AS_YOU_GO, currency, timeZone };
      return {
        line: shownLine,
        ended: endedWords(row.endReason),
        pieces: await Promise.all(
          pieces.map(async (piece) => {
            const isCharged = piece.cover === "wallet" || piece.cover === "overage";
            const chargedBefore =
              money && isCharged
                ? (await repo.chargedBefore(teamId, row.phoneId, piece.day, new Date(piece.from))) + piece.openBefore
                : undefined;
            const grant = grants.find(({ id }) => id === piece.grantId);
            return {
              ...{ from: new Date(piece.from).toISOString(), to: new Date(piece.to).toISOString(), ms: piece.ms },
              ...{ cover: piece.cover, name: COVER_NAMES[piece.cover] },
              why: whyWords({ ...piece, grant, chargedBefore }, rules),
              ...shown(money, piece.amount),
            };
          }),
        ),
        corrections: entries.flatMap(({ source, createdAt, ms, amount, reason }) =>
          source === "reversal"
            ? [{ at: createdAt.toISOString(), ms, reason: reason ?? "Corrected.", ...shown(money, amount) }]
            : [],
        ),
      };
    },

    async csv({ teamId }, asked, money) {
      const range = await rangeFor(teamId, asked);
      const { begin, end } = momentsOf(range);
      const rows = await repo.intervals(teamId, new Date(begin), new Date(end), {});
      const lines = (await linesOf(teamId, range, rows, money, false)).reverse();
      const head = ["From (UTC)", "To (UTC)", "Phone", "Member", "Covered by", "Time (ms)"];
      const body = lines.flatMap(({ from, to, phone, member, covers }) =>
        COVERS.flatMap((cover) => {
          const one = covers.get(cover);
          if (one === undefined || (one.ms === 0 && one.amount === 0)) return [];
          const cost = money ? [decimalText(one.amount, currency)] : [];
          return [csvLine([from, to, phone, member, COVER_NAMES[cover], one.ms, ...cost])];
        }),
      );
      return {
        name: `usage-${range.from}-${range.to}.csv`,
        csv: [csvLine([...head, ...(money ? [`Amount (${currency.toUpperCase()})`] : [])]), ...body].join(""),
      };
    },
  };
}

/** `0.12`, exact, whatever the currency. */
function decimalText(amount: number, currency: string): string {
  const digits = minorDigits(currency);
  const units = String(Math.abs(amount)).padStart(digits + 1, "0");
  const [whole, rest] = [units.slice(0, units.length - digits), units.slice(units.length - digits)];
  return `${amount < 0 ? "-" : ""}${whole}${rest === "" ? "" : `.${rest}`}`;
}

function placeOf(cursor: string | undefined): IntervalPlace | undefined {
  if (cursor === undefined) return undefined;
  const [, at, id] = /^(\d{1,15})\.(.{1,64})$/.exec(cursor) ?? [];
  if (at === undefined || id === undefined) throw new PerchError("bad_input", "This cursor is not one of this list.");
  return { at: new Date(Number(at)), id };
}
