/** The pieces of one interval as they are explained: settled every few seconds, told as one where one rule covered them. */
import type { Cover, RatedPiece } from "../../../shared/billing/rating.ts";
import type { IntervalEntry } from "./usage-views.repo.ts";

export interface ExplainedPiece {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
  readonly cover: Cover;
  readonly grantId: string | undefined;
  readonly day: string;
  readonly amount: number;
  /** What open time charged before it on its day, which is in no entry yet. */
  readonly openBefore: number;
}

export function explainedPieces(
  entries: readonly IntervalEntry[],
  open: readonly RatedPiece[],
): readonly ExplainedPiece[] {
  const settled = entries.flatMap(({ source, from, to, ms, cover, grantId, day, amount }) =>
    source !== "usage" || from === null || to === null
      ? []
      : [
          {
            from: from.getTime(),
            to: to.getTime(),
            ms,
            cover,
            grantId: grantId ?? undefined,
            day,
            amount,
            openBefore: 0,
          },
        ],
  );
  const charged = new Map<string, number>();
  const live = open.map(({ from, to, cover, grantId, day, amount }) => {
    const openBefore = charged.get(day) ?? 0;
    charged.set(day, openBefore + amount);
    return { from, to, ms: to - from, cover, grantId, day, amount, openBefore };
  });
  const joined: ExplainedPiece[] = [];
  for (const piece of [...settled, ...live].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    const goesOn =
      last?.to === piece.from && last.cover === piece.cover && last.grantId === piece.grantId && last.day === piece.day;
    if (last === undefined || !goesOn) joined.push(piece);
    else
      joined[joined.length - 1] = {
        ...last,
        ...{ to: piece.to, ms: last.ms + piece.ms, amount: last.amount + piece.amount },
      };
  }
  return joined;
}
