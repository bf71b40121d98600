/** The phones service with real database, events, audit and idempotency, over a driver in memory and a manual clock. */

import { randomBytes } from "node:crypto";
import type { Role } from "../../../shared/access.ts";
import { newId, type PhoneId, type TeamId } from "../../../shared/ids.ts";
import type { PhoneEvent, PhoneReason, PhoneState } from "../../../shared/phones.ts";
import type { RuleEvent } from "../../../shared/rules-api.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { createAudit } from "../../audit/audit.repo.ts";
import type { Metering } from "../../billing/ports.ts";
import { FREE_METERING } from "../../billing/usage/testing/free-metering.ts";
import { type Clock, ManualClock } from "../../clock.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { createEvents } from "../../events/events.repo.ts";
import { createIdempotency } from "../../limits/idempotency.ts";
import { createLimitsRepo } from "../../limits/limits.repo.ts";
import { silentLog } from "../../log.ts";
import { ALONE } from "../../nodes/testing/alone.ts";
import { type TeamScope, teamScope } from "../../teams/team-scope.ts";
import type { PhoneDriver } from "../driver.ts";
import { createDrivers } from "../drivers.ts";
import { NO_COPIES } from "../phone-copies.ts";
import { createPhoneLifecycle } from "../phone-lifecycle.ts";
import { createPhonesRepo } from "../phones.repo.ts";
import { createPhonesService, type PhoneLimits } from "../phones.service.ts";
import { NO_ARCHIVE } from "../profile-archive.ts";
import { FakeDriver } from "./fake-driver.ts";

/** One over restarts, as the key file gives it. */
const AUDIT_KEY = randomBytes(32);
export const IDLE_MS = 30 * 60_000;
export const LONGEST_MS = 12 * 60 * 60_000;
const ROOMY: PhoneLimits = { perTeam: 100, runningPerTeam: 100, runningOnMachine: 100, movingOnMachine: 6 };

export type Told =
  | { readonly type: "ended"; readonly id: PhoneId; readonly state: PhoneState; readonly reason: PhoneReason }
  | { readonly type: "unreachable"; readonly id: PhoneId; readonly words: string }
  | { readonly type: "reachable"; readonly id: PhoneId }
  | { readonly type: "warned"; readonly id: PhoneId; readonly parksAt: Date }
  | { readonly type: "cover warned"; readonly id: PhoneId; readonly parksAt: Date | undefined };

export async function openPhones(limits: Partial<PhoneLimits> = {}) {
  const test = await testSqlite.open();
  return { ...composePhones(test, new ManualClock(), new FakeDriver(), limits), dispose: () => test.dispose() };
}
export type PhonesUnderTest<C extends Clock = Clock> = ReturnType<typeof composePhones<C, FakeDriver>>;

/** As a server does it at start; call it again on the same database and storage to play a restart. */
export function composePhones<C extends Clock = ManualClock, D extends PhoneDriver = FakeDriver>(
  test: TestDatabase,
  clock: C,
  driver: D,
  limits: Partial<PhoneLimits> = {},
  metering: Metering = FREE_METERING,
) {
  const { db } = test;
  const audit = createAudit(db, clock, AUDIT_KEY);
  const events = createEvents(db, clock);
  const repo = createPhonesRepo(db);
  const drivers = createDrivers([driver]);
  const idempotency = createIdempotency({ clock, repo: createLimitsRepo(db) });
  const told: Told[] = [];
  const lifecycle = createPhoneLifecycle({
    db,
    repo,
    drivers,
    events,
    audit,
    clock,
    log: silentLog,
    limits: { idleMs: IDLE_MS, longestSessionMs: LONGEST_MS },
    metering,
    node: ALONE,
    archive: NO_ARCHIVE,
    copies: NO_COPIES,
    listener: () => ({
      ended: (id, state, reason) => told.push({ type: "ended", id, state, reason }),
      unreachable: (id, words) => told.push({ type: "unreachable", id, words }),
      reachable: (id) => told.push({ type: "reachable", id }),
      idleWarning: (id, parksAt) => told.push({ type: "warned", id, parksAt }),
      coverWarning: (id, parksAt) => told.push({ type: "cover warned", id, parksAt }),
    }),
  });
  const phones = createPhonesService({
    db,
    repo,
    drivers,
    lifecycle,
    events,
    audit,
    idempotency,
    gate: { demandLaunch: async () => {}, launched: async () => {} },
    metering,
    clock,
    node: ALONE,
    limits: { ...ROOMY, ...limits },
  });
  return { test, db, clock, driver, repo, lifecycle, phones, events, audit, idempotency, told };
}

/** A person with a team, as a checked scope. */
export async function newTeam({ test, clock }: Pick<PhonesUnderTest, "test" | "clock">, role: Role = "owner") {
  const { teams, teamMembers } = test.db.t;
  const [userId, teamId] = [newId("user"), newId("team")];
  const at = new Date(clock.now());
  await test.db.tx(async (tx) => {
    await addUser(test.db, tx, { id: userId, email: `${userId}@x.example`, createdAt: at });
    await tx.insert(teams).values({ id: teamId, name: "Team", createdAt: at });
    await tx.insert(teamMembers).values({ teamId, userId, role, joinedAt: at });
  });
  const scope = teamScope({ userId, teamId, role }, "phones:view");
  if (scope === undefined) throw new Error("This role sees no phones.");
  return scope;
}

/** Everything published to a team so far, in order. */
export async function publishedTo(
  { phones }: PhonesUnderTest,
  scope: TeamScope,
  events: number,
): Promise<(PhoneEvent | RuleEvent)[]> {
  const stop = new AbortController();
  const found: (PhoneEvent | RuleEvent)[] = [];
  if (events === 0) return found;
  for await (const { data } of await phones.events(scope, 0, stop.signal)) {
    found.push(data);
    if (found.length === events) stop.abort();
  }
  return found;
}

/** Row state and driver state of every phone that is stored anywhere, joined by id. */
export async function consistency({ test, driver }: PhonesUnderTest, teamId: TeamId) {
  const rows = await test.db.read.select().from(test.db.t.phones);
  const mine = rows.filter((row) => row.teamId === teamId);
  const ids = new Set([...mine.map((row) => row.id), ...driver.stored.keys()]);
  return [...ids].map((id) => ({
    id,
    row: mine.find((row) => row.id === id)?.state ?? "none",
    driver: driver.running.has(id) ? "running" : driver.stored.has(id) ? "parked" : "absent",
  }));
}
