/**
 * Flows, and runs with their journal, events and artifacts. A run keeps the flow as it was when it was asked for. The
 * journal is written ahead: a step's row is committed before the phone is touched (research/automation.md §5).
 */
import { sql } from "drizzle-orm";
import {
  ARTIFACT_KINDS,
  type FlowPart,
  RUN_STATES,
  RUN_TRIGGERS,
  type RunError,
  type RunEvent,
  STEP_KINDS,
  STEP_STATES,
  type StepHealing,
} from "../../shared/automation-model.ts";
import type { FlowId, PhoneId, RunId, SuiteId, TeamId, UserId } from "../../shared/ids.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, person, personal, reference } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";
import type { WorkspaceTables } from "./workspaces.tables.ts";

const use = ["essential.service.automations"] as const;
const kept = { use, clause: "P1.4", retain: "team" } as const;
const ran = { use, clause: "P1.4", retain: "quarter" } as const;
/** What a run did in detail. */
const detail = { ...ran, retain: "month" } as const;

/** What a leaf or container step leaves for a later replay of the run. */
export type StepResult = Readonly<Record<string, unknown>> & { readonly healing?: StepHealing };

export function automationTables(
  k: Kit,
  { users, teams, fileContents }: ReturnType<typeof userTables> & TeamTables & WorkspaceTables,
) {
  const flows = k.table(
    "flows",
    { owner: "team", subject: { column: "createdBy" }, clock: "updatedAt" },
    {
      id: k.text(reference("team")).$type<FlowId>().primaryKey(),
      teamId: k
        .text(ofTeam("team"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Nulled when the person goes and the flow stays with the team. */
      createdBy: k
        .text(person({ ...kept, erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      name: k.text(personal("user.content.private", { ...kept, rectify: "self" })).notNull(),
      source: k.text(personal("user.content.private", { ...kept, rectify: "self" })).notNull(),
      /** Where it stands among the team's files; null for one that stands apart. */
      path: k.text(personal("user.content.private", { ...kept, rectify: "self" })),
      createdAt: k.instant(personal("user.behavior", kept)).notNull(),
      updatedAt: k.instant(personal("user.behavior", kept)).notNull(),
    },
    (t) => [
      k.index("flows_team").on(t.teamId, t.updatedAt),
      k.uniqueIndex("flows_path").on(t.teamId, t.path),
      k.index("flows_person").on(t.createdBy),
    ],
  );
  const runs = k.table(
    "runs",
    { owner: "team", subject: { column: "createdBy" }, clock: "createdAt" },
    {
      id: k.text(reference("quarter")).$type<RunId>().primaryKey(),
      teamId: k
        .text(ofTeam("quarter"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      flowId: k
        .text(reference("quarter"))
        .$type<FlowId>()
        .references(() => flows.id, { onDelete: "set null" }),
      createdBy: k
        .text(person({ ...ran, erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      name: k.text(personal("user.content.private", ran)).notNull(),
      /** Empty once the details of the run are gone. */
      source: k.text(personal("user.content.private", detail)).notNull(),
      /** Where the flow stood among its files; null at the top. Those files are in `run_files`. */
      path: k.text(personal("user.content.private", ran)),
      /** The files came along with the run, so that nothing of it becomes a file of the team. */
      ownFiles: k.bool(reference("quarter")).notNull().default(false),
      suiteId: k.text(reference("quarter")).$type<SuiteId>(),
      inputs: k.json<Readonly<Record<string, string>>>(personal("user.content.private", detail)).notNull(),
      /** Null: all of the flow. */
      part: k.json<FlowPart>(reference("quarter")),
      /** Not a foreign key: what a run did stays readable after its phone is gone. */
      phoneId: k.text(reference("quarter")).$type<PhoneId>().notNull(),
      state: k.oneOf(RUN_STATES, personal("user.behavior", ran)).notNull(),
      trigger: k.oneOf(RUN_TRIGGERS, personal("user.behavior", ran)).notNull(),
      /** Name of the rule or webhook that asked for it, as it was then. */
      triggerName: k.text(personal("user.content.private", ran)),
      error: k.json<RunError>(personal("user.content.private", ran)),
      idempotencyKey: k.text(operational("quarter")).notNull(),
      requestHash: k.text(operational("quarter")).notNull(),
      /** Order in the team's queue, and so in each phone's. */
      turn: k.int(reference("quarter")).notNull(),
      /** While it waits, any phone of `run_pool` may take it; `phoneId` is then only the one it was meant for. */
      pooled: k.bool(reference("quarter")).notNull().default(false),
      /** Place of its phone among those it was shared out to, counting from 0. */
      shard: k.int(reference("quarter")),
      /** How often another phone took it over. */
      moves: k.int(reference("quarter")).notNull().default(0),
      /** Of runs with the same one, only one at a time is worked on. */
      lane: k.text(operational("quarter")),
      holder: k.text(operational("quarter")),
      /** Grows with every lease of the phone; what an earlier holder writes or does with an older one is refused. */
      fence: k.int(operational("quarter")).notNull(),
      leaseUntil: k.instant(operational("quarter")),
      /** How often it began, restarts after a crash included. */
      starts: k.int(reference("quarter")).notNull(),
      /** Number of the newest event. */
      eventSeq: k.int(operational("quarter")).notNull(),
      cancelAskedAt: k.instant(personal("user.behavior", ran)),
      createdAt: k.instant(personal("user.behavior", ran)).notNull(),
      startedAt: k.instant(personal("user.behavior", ran)),
      finishedAt: k.instant(personal("user.behavior", ran)),
    },
    (t) => [
      k.uniqueIndex("runs_key").on(t.teamId, t.idempotencyKey),
      k.uniqueIndex("runs_lease").on(t.phoneId).where(sql`${t.state} in ('leased', 'running')`),
      k.index("runs_team").on(t.teamId, t.createdAt),
      k.uniqueIndex("runs_lane").on(t.lane).where(sql`${t.state} in ('leased', 'running')`),
      k.index("runs_queue").on(t.phoneId, t.state, t.turn),
      k.index("runs_turn").on(t.teamId, t.turn),
      k.index("runs_fence").on(t.teamId, t.fence),
      k.index("runs_waiting").on(t.state, t.createdAt),
      k.index("runs_created").on(t.createdAt),
      // Those whose details are still there.
      k.index("runs_detailed").on(t.createdAt).where(sql`${t.source} <> ''`),
      k.index("runs_finished").on(t.finishedAt),
      k.index("runs_person").on(t.createdBy),
      k.index("runs_flow").on(t.flowId),
      k.index("runs_suite").on(t.suiteId),
    ],
  );
  const ofRun = (retain: "quarter" | "month") =>
    k
      .text(reference(retain))
      .$type<RunId>()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" });
  const runPool = k.table(
    "run_pool",
    {
      owner: "team",
      subject: { via: "runId", table: "runs", key: "id" },
      clock: "position",
    },
    {
      runId: ofRun("quarter"),
      /** Not a foreign key, as in `runs`. */
      phoneId: k.text(reference("quarter")).$type<PhoneId>().notNull(),
      position: k.int(reference("quarter")).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.runId, t.phoneId] }), k.index("run_pool_phone").on(t.phoneId)],
  );
  const part = { via: "runId", table: "runs", key: "id" } as const;
  const runSteps = k.table(
    "run_steps",
    { owner: "team", subject: part, clock: "startedAt" },
    {
      runId: ofRun("month"),
      seq: k.int(reference("month")).notNull(),
      attempt: k.int(reference("month")).notNull(),
      path: k.text(reference("month")).notNull(),
      /** The file of a subflow's step; null in the run's own flow. */
      file: k.text(personal("user.content.private", detail)),
      line: k.int(reference("month")).notNull(),
      depth: k.int(reference("month")).notNull(),
      command: k.text(reference("month")).notNull(),
      label: k.text(personal("user.content.private", detail)).notNull(),
      kind: k.oneOf(STEP_KINDS, reference("month")).notNull(),
      state: k.oneOf(STEP_STATES, personal("user.behavior", detail)).notNull(),
      /** Of the command as written: a replay that meets another one stops. */
      hash: k.text(operational("month")).notNull(),
      result: k.json<StepResult>(personal("user.content.private", detail)),
      startedAt: k.instant(personal("user.behavior", detail)).notNull(),
      durationMs: k.int(reference("month")),
      message: k.text(personal("user.content.private", detail)),
    },
    (t) => [k.primaryKey({ columns: [t.runId, t.seq] })],
  );
  const runEvents = k.table(
    "run_events",
    { owner: "team", subject: part, clock: "at" },
    {
      runId: ofRun("month"),
      seq: k.int(reference("month")).notNull(),
      data: k.json<RunEvent>(personal("user.content.private", detail)).notNull(),
      at: k.instant(personal("user.behavior", detail)).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.runId, t.seq] })],
  );
  const runArtifacts = k.table(
    "run_artifacts",
    { owner: "team", subject: part, clock: "createdAt" },
    {
      runId: ofRun("month"),
      name: k.text(personal("user.content.private", detail)).notNull(),
      kind: k.oneOf(ARTIFACT_KINDS, reference("month")).notNull(),
      bytes: k.int(reference("month")).notNull(),
      step: k.int(reference("month")),
      /** The file of the team that this picture was compared with or may become. */
      baseline: k.text(personal("user.content.private", detail)),
      /** Name of the encrypted file in the run's folder. */
      file: k.text(operational("month")).notNull(),
      createdAt: k.instant(personal("user.behavior", detail)).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.runId, t.name] })],
  );
  /** The files a run may reach, as they were when it was asked for. */
  const runFiles = k.table(
    "run_files",
    { owner: "team", subject: part, clock: "at" },
    {
      runId: ofRun("month"),
      path: k.text(personal("user.content.private", detail)).notNull(),
      content: k
        .text(reference("month"))
        .notNull()
        .references(() => fileContents.id, { onDelete: "cascade" }),
      at: k.instant(personal("user.behavior", detail)).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.runId, t.path] }), k.index("run_files_content").on(t.content)],
  );
  return { flows, runs, runPool, runSteps, runEvents, runArtifacts, runFiles };
}
