/** Recordings on their way to a flow. Each step is a row as soon as it happened: closing anything loses nothing. */
import { sql } from "drizzle-orm";
import type { FlowId, PhoneId, RecordingId, TeamId, UserId } from "../../shared/ids.ts";
import { RECORDING_STATES, type RecordedStep } from "../../shared/recording-model.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { automationTables } from "../automations/automations.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, person, personal, reference } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";

const kept = { use: ["essential.service.automations"], clause: "P1.4", retain: "month" } as const;

export type StepData = Omit<RecordedStep, "seq" | "at">;

export function recordingTables(
  k: Kit,
  {
    users,
    teams,
    flows,
  }: ReturnType<typeof userTables> & TeamTables & Pick<ReturnType<typeof automationTables>, "flows">,
) {
  const recordings = k.table(
    "recordings",
    { owner: "team", subject: { column: "createdBy" }, clock: "updatedAt" },
    {
      id: k.text(reference("month")).$type<RecordingId>().primaryKey(),
      teamId: k
        .text(ofTeam("month"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Only this person's touches are recorded, and only this person sees them until they are a flow. */
      createdBy: k
        .text(person(kept))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      /** Not a foreign key: what was recorded outlives its phone. */
      phoneId: k.text(reference("month")).$type<PhoneId>().notNull(),
      state: k.oneOf(RECORDING_STATES, personal("user.behavior", kept)).notNull(),
      note: k.text(personal("user.behavior", kept)),
      startUrl: k.text(personal("user.content.private", kept)),
      flowId: k
        .text(operational("month"))
        .$type<FlowId>()
        .references(() => flows.id, { onDelete: "set null" }),
      /** Number of the newest event. */
      eventSeq: k.int(operational("month")).notNull(),
      /** Number of the event that brought its state. */
      stateSeq: k.int(operational("month")).notNull(),
      createdAt: k.instant(personal("user.behavior", kept)).notNull(),
      updatedAt: k.instant(personal("user.behavior", kept)).notNull(),
    },
    (t) => [
      k.uniqueIndex("recordings_running").on(t.phoneId).where(sql`${t.state} = 'recording'`),
      k.index("recordings_person").on(t.createdBy, t.updatedAt),
      k.index("recordings_updated").on(t.updatedAt),
      k.index("recordings_team").on(t.teamId),
      k.index("recordings_flow").on(t.flowId),
    ],
  );
  const recordingSteps = k.table(
    "recording_steps",
    {
      owner: "team",
      subject: { via: "recordingId", table: "recordings", key: "id" },
      clock: "at",
    },
    {
      recordingId: k
        .text(operational("month"))
        .$type<RecordingId>()
        .notNull()
        .references(() => recordings.id, { onDelete: "cascade" }),
      seq: k.int(reference("month")).notNull(),
      /** Number of the event of its last change. */
      changed: k.int(operational("month")).notNull(),
      /** Set while it is taken out and may be brought back. */
      removedAt: k.instant(personal("user.behavior", kept)),
      data: k.json<StepData>(personal("user.content.private", kept)).notNull(),
      at: k.instant(personal("user.behavior", kept)).notNull(),
    },
    (t) => [
      k.primaryKey({ columns: [t.recordingId, t.seq] }),
      k.index("recording_steps_changed").on(t.recordingId, t.changed),
    ],
  );
  return { recordings, recordingSteps };
}
