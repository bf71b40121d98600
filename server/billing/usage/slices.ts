/**
 * Times of one team's phones, put in order to be rated: up to a moment that nobody can come before any more, in slices
 * within which the same phones ran, so that it does not matter when it is done.
 */
import { type Funds, type Rated, type RatedPiece, rate } from "../../../shared/billing/rating.ts";

export interface RanTime {
  readonly id: string;
  readonly phoneId: string;
  readonly startedAt: Date;
  readonly lastSeenAt: Date;
  readonly endedAt: Date | null;
  readonly ratedAt: Date;
}

/** Up to where everything is known: what is open was seen until then, what comes later comes after it. */
export function frontierOf(rows: readonly RanTime[]): number {
  const open = rows.filter(({ endedAt }) => endedAt === null).map(({ lastSeenAt }) => lastSeenAt.getTime());
  if (open.length > 0) return Math.min(...open);
  return Math.max(0, ...rows.map(endOf));
}

/** The earliest moment before `to` that is not rated; `to` when there is none. */
export function unratedFrom(rows: readonly RanTime[], to: number): number {
  const starts = rows.filter((row) => endOf(row) > row.ratedAt.getTime()).map(({ ratedAt }) => ratedAt.getTime());
  return Math.min(to, ...starts);
}

/** Rates what is not rated between two moments. */
export function rateRows(rows: readonly RanTime[], from: number, to: number, funds: Funds): Rated {
  const times = rows
    .map((row) => ({ row, from: Math.max(from, row.ratedAt.getTime()), to: Math.min(to, endOf(row)) }))
    .filter((time) => time.to > time.from);
  const edges = [...new Set(times.flatMap((time) => [time.from, time.to]))].sort((a, b) => a - b);
  const joined = new Map<string, RatedPiece[]>();
  let left = funds;
  let uncoveredAt = Number.POSITIVE_INFINITY;
  for (const [index, start] of edges.entries()) {
    const end = edges[index + 1];
    if (end === undefined) break;
    const running = times.filter((time) => time.from <= start && time.to >= end).map(({ row }) => runningOf(row));
    if (running.length === 0) continue;
    const rated = rate(running, start, end, left);
    left = rated.funds;
    uncoveredAt = Math.min(uncoveredAt, rated.uncoveredAt ?? uncoveredAt);
    for (const piece of rated.pieces) join(joined, piece);
  }
  const pieces = [...joined.values()].flat();
  return { pieces, funds: left, ...(uncoveredAt < to && { uncoveredAt }) };
}

export function runningOf({ id, phoneId, startedAt }: Pick<RanTime, "id" | "phoneId" | "startedAt">) {
  return { intervalId: id, phoneId, startedAt: startedAt.getTime() };
}

function endOf({ endedAt, lastSeenAt }: RanTime): number {
  return (endedAt ?? lastSeenAt).getTime();
}

/** Goes on with the interval's last piece where nothing but the time differs. */
function join(joined: Map<string, RatedPiece[]>, piece: RatedPiece): void {
  const pieces = joined.get(piece.intervalId) ?? [];
  joined.set(piece.intervalId, pieces);
  const last = pieces.at(-1);
  const goesOn =
    last?.to === piece.from && last.cover === piece.cover && last.grantId === piece.grantId && last.day === piece.day;
  if (last !== undefined && goesOn) {
    pieces[pieces.length - 1] = { ...last, to: piece.to, amount: last.amount + piece.amount };
  } else pieces.push(piece);
}
