/** Puts flows and runs together: repos, journal, recovery, runner, services. */
import type { ParsedFlow } from "../../shared/flows/model.ts";
import type { PhoneId, RunId } from "../../shared/ids.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import { createFeed } from "../events/feed.ts";
import type { SignedLinks } from "../files/signed-links.ts";
import type { Idempotency } from "../limits/idempotency.ts";
import { errorFields, type Log } from "../log.ts";
import type { RunClaims } from "../nodes/run-claims.ts";
import type { AutomationCapabilities } from "../phones/automation-port.ts";
import type { Sweep } from "../privacy/retention/sweeps.repo.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { FindElements, Pace } from "./engine/ports.ts";
import { createFlowsRepo } from "./flows.repo.ts";
import { createFlowsService, type FlowsService } from "./flows.service.ts";
import { createHealingService, type HealingService } from "./healing.service.ts";
import { createJournalRepo } from "./journal.repo.ts";
import { type ArtifactStore, createArtifactStore, type RunShelf } from "./run-artifacts.ts";
import { reachedFiles } from "./run-files.ts";
import type { RunPhones } from "./run-phone.ts";
import { createRecovery } from "./run-recovery.ts";
import type { RunEndListener } from "./run-states.ts";
import { createRunner, HEARTBEAT_MS, type Runner, type RunnerOptions } from "./runner.ts";
import { createRunsRepo, RUN_WAITS } from "./runs.repo.ts";
import { cancelOf, createRunsService, type RunsService } from "./runs.service.ts";
import { createRunSecrets } from "./secrets/run-secrets.ts";
import { createSecretsRepo } from "./secrets/secrets.repo.ts";
import { createSecretsService, type SecretsService } from "./secrets/secrets.service.ts";
import { createSuitesService, type SuitesService } from "./suites.service.ts";
import { suiteStopped } from "./suites.ts";
import { createWorkspacesRepo } from "./workspaces.repo.ts";
import { createWorkspacesService, type WorkspacesService } from "./workspaces.service.ts";

export interface Automations {
  readonly flows: FlowsService & HealingService;
  readonly runs: RunsService;
  readonly secrets: SecretsService;
  readonly workspaces: WorkspacesService;
  readonly suites: SuitesService;
  readonly runner: Runner;
  /** Which phone a run is on, whoever's it is. */
  /** Which phone a run is on, and which process worked on it last. */
  whereIs(id: RunId): Promise<{ readonly phoneId: PhoneId | null; readonly holder: string | null } | undefined>;
  /** A file a run kept. @throws PerchError `not_found` */
  readonly readArtifact: ArtifactStore["read"];
  /** The same by its key in the storage. */
  readonly readArtifactAt: ArtifactStore["readAt"];
  /** Settles what the last server left behind, then works; call it when phones are back. */
  start(): Promise<void>;
  /** Lets go of contents that no file and no run needs. */
  readonly contents: Sweep;
  /** Removes files of runs that are gone, with a sweep or with their team, or whose details are. */
  removeOrphans(): Promise<void>;
  close(): Promise<void>;
}

export interface AutomationOptions {
  readonly db: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly pace: Pace;
  readonly log: Log;
  /** Where files of runs are kept. */
  readonly shelf: RunShelf;
  readonly signed: Pick<SignedLinks, "make">;
  readonly key: Buffer;
  /** 32 bytes; seals secrets of flows. */
  readonly secretsKey: Buffer;
  readonly claims: RunClaims;
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
  const workspacesRepo = createWorkspacesRepo(db);
  const journal = createJournalRepo({ db, runs: runsRepo, clock, wake });
  const artifacts = createArtifactStore(options);
  const secretsRepo = createSecretsRepo(db);
  const runSecrets = createRunSecrets({ repo: secretsRepo, key: options.secretsKey });
  const secrets = createSecretsService({
    db,
    repo: secretsRepo,
    audit,
    clock,
    key: options.secretsKey,
    names: (source) => parse(source).flow?.header.secrets ?? [],
    flow: (scope, id) => flowsRepo.find(scope, id),
    reads: (scope, flow) => reachedFiles(scope, flow, { flows: flowsRepo, workspaces: workspacesRepo, parse }),
  });
  const recovery = createRecovery({ db, runs: runsRepo, journal, parse, clock, wake, onEnd: options.onEnd });
  const runner = createRunner({
    db,
    runs: runsRepo,
    journal,
    recovery,
    artifacts,
    workspaces: workspacesRepo,
    suiteStopped: suiteStopped(workspacesRepo),
    secrets: runSecrets,
    key: options.key,
    phones: options.phones,
    onEnd: options.onEnd,
    parse,
    find: options.find,
    openScripts: options.openScripts,
    clock,
    pace: options.pace,
    log,
    claims: options.claims,
    wake,
  });
  const stopListening = db.onAnnounced((topic) => {
    const asked = cancelOf(topic);
    if (asked !== undefined) runner.cancel(asked.id, asked.askedAt);
    if (topic === RUN_WAITS) runner.wake();
  });
  let beating: NodeJS.Timeout | undefined;

  const runs = createRunsService({
    db,
    repo: runsRepo,
    flows: flowsRepo,
    workspaces: workspacesRepo,
    journal,
    runner,
    artifacts,
    signed: options.signed,
    feed,
    audit,
    clock,
    parse,
    secrets: runSecrets,
    phone: options.phone,
    tagged: options.tagged,
    idempotency: options.idempotency,
  });

  async function removeOrphans(): Promise<void> {
    const there = await options.shelf.kept(new Date(clock.now()));
    const known = await runsRepo.known(there.map(({ id }) => id));
    await options.shelf.remove(there.filter(({ id }) => !known.has(id)));
  }

  return {
    flows: {
      ...createFlowsService({ db, repo: flowsRepo, workspaces: workspacesRepo, audit, clock, parse, secrets }),
      ...createHealingService({ db, flows: flowsRepo, runs: runsRepo, audit, clock, secrets }),
    },
    secrets,
    runs,
    workspaces: createWorkspacesService({
      db,
      repo: workspacesRepo,
      flows: flowsRepo,
      runs: runsRepo,
      artifacts,
      audit,
      clock,
      parse,
    }),
    suites: createSuitesService({ db, repo: workspacesRepo, flows: flowsRepo, runs, parse }),
    runner,
    whereIs: (id) => runsRepo.findAnywhere(id),
    readArtifact: artifacts.read,
    readArtifactAt: artifacts.readAt,
    async start() {
      await runner.start();
      beating = setInterval(() => {
        runner.tick().catch((error: unknown) => log.error("Looking after runs failed", errorFields(error)));
      }, HEARTBEAT_MS);
      await removeOrphans().catch((error: unknown) => log.warn("Files of runs were not swept yet", errorFields(error)));
    },
    contents: { name: "contents of files", batch: (_now, limit) => workspacesRepo.releaseSome(limit) },
    removeOrphans,
    async close() {
      clearInterval(beating);
      stopListening();
      await runner.close();
      feed.close();
    },
  };
}
