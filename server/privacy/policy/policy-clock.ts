/** When a version of the policy takes effect: never sooner than 14 days after the last notice (clause P8.2). */
export const NOTICE_MS = 14 * 24 * 3_600_000;

export interface VersionDates {
  /** The day the version itself names (ISO 8601 date). */
  readonly ownDate: string;
  readonly announcedAt: Date;
}

/** The soonest it can be, told in the announcement. */
export function plannedStart({ ownDate, announcedAt }: VersionDates): Date {
  return new Date(Math.max(Date.parse(`${ownDate}T00:00:00Z`), announcedAt.getTime() + NOTICE_MS));
}

/** `lastNoticeAt`: when the last of the notices was delivered. */
export function startOf(dates: VersionDates, lastNoticeAt: Date): Date {
  return new Date(Math.max(plannedStart(dates).getTime(), lastNoticeAt.getTime() + NOTICE_MS));
}

export interface PersonalNotice {
  readonly mailedAt: Date | null;
  readonly mailFailedAt: Date | null;
  readonly shownAt: Date | null;
  readonly objectedAt: Date | null;
}

/**
 * From when the version counts for one person: `undefined` while it is not known. Whom no mail reaches has 14 days from
 * when they first see the notice; for who objected it never begins.
 */
export function startFor(notice: PersonalNotice | undefined, start: Date): Date | undefined {
  if (notice === undefined) return start;
  const { mailedAt, mailFailedAt, shownAt, objectedAt } = notice;
  if (objectedAt !== null) return undefined;
  if (mailFailedAt === null || mailedAt !== null) return start;
  if (shownAt === null) return undefined;
  return new Date(Math.max(start.getTime(), shownAt.getTime() + NOTICE_MS));
}
