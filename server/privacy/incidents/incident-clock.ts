/** The 72 hours of an incident (policy clause P7.6, Art. 33 GDPR). Counted in hours, so no calendar and no clock change matters. */
export const HOUR_MS = 3_600_000;
export const INCIDENT_HOURS = 72;
/** When the operator is reminded, in hours after awareness; the last says that the time is over. */
export const ALARM_HOURS = [24, 48, 60, 70, INCIDENT_HOURS] as const;

export interface ClockedIncident {
  readonly awareAt: Date;
  /** The newest alarm that was given, in hours. */
  readonly alarmedHour: number;
  /** The state is `closed`. */
  readonly closed: boolean;
  /** Whether somebody is not known yet, or waits to be told. */
  readonly unsettled: boolean;
  readonly authorityToldAt: Date | null;
}

export interface IncidentClock {
  readonly dueAt: Date;
  /** Below zero once it is over. */
  readonly hoursLeft: number;
  /** Time is over and somebody was not told. */
  readonly red: boolean;
  /** Time is over and the authority was not told. */
  readonly authorityLate: boolean;
  /** The alarm that is due now, if any; earlier ones that were missed are in it. */
  readonly alarm: (typeof ALARM_HOURS)[number] | undefined;
}

export function incidentClock(incident: ClockedIncident, now: number): IncidentClock {
  const { awareAt, alarmedHour, closed, unsettled, authorityToldAt } = incident;
  const dueAt = new Date(awareAt.getTime() + INCIDENT_HOURS * HOUR_MS);
  const isOver = now >= dueAt.getTime();
  const waitsForSomething = !closed && (unsettled || authorityToldAt === null);
  const passed = ALARM_HOURS.findLast((hours) => now >= awareAt.getTime() + hours * HOUR_MS);
  return {
    dueAt,
    hoursLeft: (dueAt.getTime() - now) / HOUR_MS,
    red: isOver && unsettled,
    authorityLate: isOver && !closed && authorityToldAt === null,
    alarm: waitsForSomething && passed !== undefined && passed > alarmedHour ? passed : undefined,
  };
}
