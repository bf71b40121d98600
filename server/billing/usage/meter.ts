/**
 * The heartbeat of a node: every few seconds one statement says which phones still ran. What that shows to be due goes into
 * the ledger, and what nothing pays for any more is parked.
 */
import { createHash } from "node:crypto";
import type { NodeId, PhoneId, TeamId } from "../../../shared/ids.ts";
import type { Audit } from "../../audit/audit.repo.ts";
import type { Clock, Monotonic } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { errorFields, type Log } from "../../log.ts";
import type { PhoneLifecycle } from "../../phones/phone-lifecycle.ts";
import type { BudgetsRepo } from "../budgets/budgets.repo.ts";
import { judge, type Verdict } from "./judge.ts";
import type { ParkedLetter } from "./letters.ts";
import type { Settlement } from "./settlement.ts";
import { BEATS_MISSED, type TimeGuard } from "./time-guard.ts";
import type { Beater, DueTeam, IntervalRow, UsageRepo } from "./usage.repo.ts";
import type { IntervalEnd } from "./usage.tables.ts";

const LONGEST_MS = 24 * 3_600_000;
/** A team with enough to pay with is looked at so often; one that nears its end, at every beat. */
const CALM_MS = 60_000;
const SERVER = "server";

export type MeteredPhones = Pick<PhoneLifecycle, "park" | "warnOfCover">;

export interface Meter {
  /** Ends what earlier processes left open. Done before phones are recovered. */
  recover(): Promise<void>;
  /** One heartbeat, and all that is due after it. */
  beat(): Promise<void>;
  /** `recover`, and a heartbeat every so often. */
  start(): Promise<void>;
  /** Since the last heartbeat; undefined before the first. */
  lagMs(): number | undefined;
  /** Ends the beating; what is on goes to its end. */
  stop(): Promise<void>;
}

export function createMeter(options: {
  db: Database;
  repo: UsageRepo;
  settlement: Settlement;
  guard: TimeGuard;
  clock: Clock;
  monotonic: Monotonic;
  by: Beater;
  beatMs: number;
  /** Phones of this process that live. */
  alive: () => ReadonlySet<PhoneId>;
  /** Nodes that live, without this one. */
  others: () => readonly NodeId[];
  phones: MeteredPhones;
  budgets: Pick<BudgetsRepo, "ofTeam">;
  tellParked: ParkedLetter;
  audit: Audit;
  /** After mail was queued. */
  mailQueued: () => void;
  log: Log;
}): Meter {
  const { db, repo, settlement, guard, clock, monotonic, by, beatMs, phones, audit, log } = options;
  const looks = new Map<TeamId, { readonly seen: string; readonly againAt: number }>();
  const warned = new Map<TeamId, ReadonlySet<PhoneId>>();
  let beats = 0;
  let beatenAt: number | undefined;
  let marking: Promise<void> | undefined;
  let ticking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** Ends intervals where they were last seen and goes on with new ones from `from`. */
  async function renew(
    tx: Writer,
    rows: readonly IntervalRow[],
    end: IntervalEnd,
    alive: ReadonlySet<PhoneId>,
    from: (row: IntervalRow) => number,
  ): Promise<void> {
    await repo.closeAsSeen(
      tx,
      rows.map(({ id }) => id),
      end,
    );
    const next = rows
      .filter(({ phoneId }) => alive.has(phoneId))
      .map((row) => ({ ...startOf(row), at: new Date(Math.max(from(row), row.lastSeenAt.getTime())) }));
    await repo.open(tx, by, next);
  }

  /** Everything but the beat itself: what grew too long, what nobody sees any more, what nobody counts. */
  async function lookAfter(tx: Writer, now: number, alive: ReadonlySet<PhoneId>): Promise<void> {
    const long = await repo.openHere(tx, by, new Date(now - LONGEST_MS));
    const grown = long.filter((row) => row.lastSeenAt.getTime() - row.startedAt.getTime() >= LONGEST_MS);
    if (grown.length > 0) await renew(tx, grown, "split", alive, (row) => row.lastSeenAt.getTime());
    await repo.closeUnseen(tx, new Date(now - BEATS_MISSED * beatMs), options.others());
    const starts = await repo.uncounted(tx, alive, options.others());
    for (const start of starts) {
      const end = await repo.lastEndOf(tx, start.phoneId);
      await repo.open(tx, by, [{ ...start, at: new Date(Math.max(now, end?.getTime() ?? 0)) }]);
    }
    await repo.releaseStale(tx);
  }

  async function mark(): Promise<void> {
    const isTurn = beats % BEATS_MISSED === 0;
    beats += 1;
    await db.tx(async (tx) => {
      // One moment: who lives now, is seen now.
      const [now, alive, doubt] = [clock.now(), options.alive(), guard.doubt()];
      if (doubt === undefined) await repo.beat(tx, by, new Date(now), alive);
      else await renew(tx, await repo.openHere(tx, by), doubt, alive, () => now);
      if (isTurn || doubt !== undefined) await lookAfter(tx, now, alive);
    });
    beatenAt = monotonic.now();
    guard.beaten();
  }

  function isDue({ teamId, ...team }: DueTeam): boolean {
    const look = looks.get(teamId);
    return look === undefined || look.seen !== seenOf(team) || monotonic.now() >= look.againAt;
  }

  async function lookAt(team: DueTeam): Promise<void> {
    const { teamId, ...rest } = team;
    const verdict = await db.tx(async (tx) => {
      const weighed = await settlement.weigh(tx, teamId, clock.now());
      const budgets = weighed.rated.funds.unbilled ? [] : await options.budgets.ofTeam(tx, teamId);
      const found = judge(weighed, budgets, { graceMs: 2 * beatMs, calmMs: CALM_MS });
      if (found.post || found.park.length > 0) await settlement.post(tx, weighed);
      return found;
    });
    looks.set(teamId, { seen: seenOf(rest), againAt: monotonic.now() + (verdict.near ? 0 : CALM_MS) });
    await tellOfEnd(teamId, verdict);
    if (verdict.park.length > 0) await parkAll(teamId, verdict.park);
  }

  /** Each phone once, and once more when something pays for it again. */
  async function tellOfEnd(teamId: TeamId, { warn, goOn }: Verdict): Promise<void> {
    const told = warned.get(teamId) ?? new Set<PhoneId>();
    for (const { phoneId, at } of warn) {
      if (!told.has(phoneId)) await phones.warnOfCover({ id: phoneId, teamId }, new Date(at));
    }
    for (const phoneId of goOn) {
      if (told.has(phoneId)) await phones.warnOfCover({ id: phoneId, teamId }, undefined);
    }
    if (warn.length === 0) warned.delete(teamId);
    else warned.set(teamId, new Set(warn.map(({ phoneId }) => phoneId)));
  }

  async function parkAll(teamId: TeamId, park: Verdict["park"]): Promise<void> {
    const parked = await Promise.all(
      park.map(async ({ phoneId, reason }) => {
        try {
          const { name, reason: parkedFor } = await phones.park(phoneId, reason, SERVER);
          return parkedFor === reason ? { name, reason } : undefined;
        } catch (error) {
          log.error("A phone that nothing pays for was not parked", { phoneId, ...errorFields(error) });
          return undefined;
        }
      }),
    );
    const done = parked.filter((phone) => phone !== undefined);
    if (done.length === 0) return;
    await db.tx(async (tx) => {
      for (const reason of new Set(done.map((phone) => phone.reason))) {
        const names = done.filter((phone) => phone.reason === reason).map(({ name }) => name);
        const detail = { reason, count: names.length };
        await audit.record(tx, { chain: teamId, actor: SERVER, action: "billing.phones_parked", detail });
        if (reason === "balance") await options.tellParked(tx, teamId, names, new Date(clock.now()));
      }
    });
    options.mailQueued();
  }

  async function tick(): Promise<void> {
    const teams = await repo.dueTeams(db.read);
    const due = new Set(teams.map(({ teamId }) => teamId));
    for (const teamId of looks.keys()) {
      if (due.has(teamId)) continue;
      looks.delete(teamId);
      warned.delete(teamId);
    }
    for (const team of teams.filter(({ teamId }) => looksAfter(teamId, by.node, options.others())).filter(isDue)) {
      try {
        await lookAt(team);
      } catch (error) {
        log.error("A team's phone time was not settled", { teamId: team.teamId, ...errorFields(error) });
      }
    }
  }

  async function recover(): Promise<void> {
    await db.tx(async (tx) => {
      await repo.closeOthers(tx, by, db.engine === "sqlite" ? "all" : "machine");
      await repo.releaseStale(tx);
    });
    guard.beaten();
  }
  /** Phones that take their time to park keep no beat from coming. */
  async function beat(): Promise<void> {
    marking ??= mark().finally(() => {
      marking = undefined;
    });
    await marking;
    ticking ??= tick().finally(() => {
      ticking = undefined;
    });
    await ticking;
  }

  return {
    recover,
    beat,
    async start() {
      await recover();
      timer = setInterval(() => {
        beat().catch((error: unknown) => log.error("Phone time was not counted", errorFields(error)));
      }, beatMs);
    },
    lagMs: () => (beatenAt === undefined ? undefined : monotonic.now() - beatenAt),
    async stop() {
      clearInterval(timer);
      await Promise.allSettled([marking, ticking]);
    },
  };
}

/**
 * Of several nodes one looks after a team: the one that comes first in an order of the team's own (rendezvous hashing), so
 * that few teams change hands when a node comes or goes. Two that disagree for a moment do no harm: what is rated is rated.
 */
export function looksAfter(teamId: TeamId, node: string, others: readonly string[]): boolean {
  const weight = (one: string) => createHash("sha256").update(`${teamId}\0${one}`).digest("hex");
  const mine = weight(node);
  return others.every((other) => weight(other) < mine);
}

function seenOf({ intervals, closed, latest }: Omit<DueTeam, "teamId">): string {
  return `${intervals} ${closed} ${latest?.getTime()}`;
}

function startOf({ teamId, phoneId, startedBy }: IntervalRow) {
  return { teamId, phoneId, startedBy };
}
