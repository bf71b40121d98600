/** Puts flows and runs together: repos, journal, recovery, runner, services. */
import { join } from "node:path";
import type { ParsedFlow } from "../../shared/flows/model.ts";
import type { PhoneId, RunId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { createFeed } from "../events/feed.ts";
import type { Idempotency } from "../limits/idempotency.ts";
import { errorFields, type Log } from "../log.ts";
import type { AutomationCapabilities } from "../phones/automation-port.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FindElements, Pace } from "./engine/ports.ts";
import { createFlowsRepo } from "./flows.repo.ts";
import { createFlowsService, type FlowsService } from "./flows.service.ts";
import { createJournalRepo } from "./journal.repo.ts";
import { createArtifactStore } from "./run-artifacts.ts";
import type { RunPhones } from "./run-phone.ts";
import { createRecovery } from "./run-recovery.ts";
import type { RunEndListener } from "./run-states.ts";
import { createRunner, HEARTBEAT_MS, type Runner, type RunnerOptions } from "./runner.ts";
import { createRunsRepo } from "./runs.repo.ts";
import { cancelTopic, createRunsService, type RunsService } from "./runs.service.ts";

export interface Automations {
  readonly flows: FlowsService;
  readonly runs: RunsService;
  readonly runner: Runner;
  /** Settles what the last server left behind, then works; call it when phones are back. */
  start(): Promise<void>;
  /** Forgets runs asked for before the moment; `removeOrphans` then removes their files. */
  sweep(tx: Writer, before: Date): Promise<unknown>;
  /** Removes files of runs that are gone, with a sweep or with their team. */
  removeOrphans(): Promise<void>;
  close(): Promise<void>;
}

export interface AutomationOptions {
  readonly db: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly log: Log;
  readonly folder: string;
  readonly key: Buffer;
  readonly holder: string;
  readonly phones: RunPhones;
  /** The phone's name and abilities; undefined when the team has no such phone. */
  readonly phone: (
    scope: TeamScope,
    id: PhoneId,
  ) => Promise<{ readonly name: string; readonly can: AutomationCapabilities | undefined } | undefined>;
  /** Phones of the team that carry a tag, the oldest first. */
  readonly tagged: (scope: TeamScope, tag: string) => Promise<readonly PhoneId[]>;
  readonly idempotency: Idempotency;
  /** Told in the transaction that ends a run. */
  readonly onEnd: RunEndListener;
  readonly parse: (source: string) => ParsedFlow;
  readonly find: FindElements;
  readonly openScripts: RunnerOptions["openScripts"];
}

export function createAutomations(options: AutomationOptions): Automations {
  const { db, audit, clock, log, parse } = options;
  const feed = createFeed(db);
  const wake = (id: RunId) => feed.wake(id);
  const runsRepo = createRunsRepo(db);
  const flowsRepo = createFlowsRepo(db);
  const journal = createJournalRepo({ db, runs: runsRepo, clock, wake });
  const artifacts = createArtifactStore({ folder: join(options.folder, "runs"), key: options.key });
  const recovery = createRecovery({ db, runs: runsRepo, journal, parse, clock, wake, onEnd: options.onEnd });
  const runner = createRunner({
    db,
    runs: runsRepo,
    journal,
    recovery,
    artifacts,
    phones: options.phones,
    onEnd: options.onEnd,
    parse,
    find: options.find,
    openScripts: options.openScripts,
    clock,
    pace: options.pace,
    log,
    holder: options.holder,
    singleNode: db.engine === "sqlite",
    wake,
  });
  const prefix = cancelTopic("" as RunId);
  const stopListening = db.onAnnounced((topic) => {
    if (topic.startsWith(prefix)) runner.cancel(topic.slice(prefix.length) as RunId);
  });
  let beating: NodeJS.Timeout | undefined;

  async function removeOrphans(): Promise<void> {
    const there = await artifacts.runs();
    const known = await runsRepo.known(there);
    await artifacts.remove(there.filter((id) => !known.has(id)));
  }

  return {
    flows: createFlowsService({ db, repo: flowsRepo, audit, clock, parse }),
    runs: createRunsService({
      db,
      repo: runsRepo,
      flows: flowsRepo,
      journal,
      runner,
      artifacts,
      feed,
      audit,
      clock,
      parse,
      phone: options.phone,
      tagged: options.tagged,
      idempotency: options.idempotency,
    }),
    runner,
    async start() {
      await runner.start();
      beating = setInterval(() => {
        runner.tick().catch((error: unknown) => log.error("Looking after runs failed", errorFields(error)));
      }, HEARTBEAT_MS);
      await removeOrphans();
    },
    sweep: (tx, before) => runsRepo.sweep(tx, before),
    removeOrphans,
    async close() {
      clearInterval(beating);
      stopListening();
      await runner.close();
      feed.close();
    },
  };
}
