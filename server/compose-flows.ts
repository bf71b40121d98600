/** What does flows: automations, the rules and webhooks that start them, and recordings that become them. */
import { findElements } from "../shared/flows/match.ts";
import { parseFlow } from "../shared/flows/parse.ts";
import type { AccountServices } from "./accounts/compose.ts";
import type { Audit } from "./audit/audit.repo.ts";
import { createAutomations } from "./automations/compose.ts";
import { systemPace } from "./automations/engine/pace.ts";
import { flowScripts } from "./automations/flow-scripts.ts";
import type { RunEndListener } from "./automations/run-states.ts";
import { createScreenLooks } from "./automations/screen-looks.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Database } from "./db/database.ts";
import { PerchError } from "./errors.ts";
import type { Events } from "./events/events.repo.ts";
import { createFeed } from "./events/feed.ts";
import type { Blobs } from "./files/compose.ts";
import type { SignedLinks } from "./files/signed-links.ts";
import { deriveKey } from "./keys.ts";
import type { Idempotency } from "./limits/idempotency.ts";
import type { RateLimiter } from "./limits/rate-limiter.ts";
import type { Log } from "./log.ts";
import type { RunClaims } from "./nodes/run-claims.ts";
import type { Drivers } from "./phones/drivers.ts";
import { noSuchPhone, type PhoneLifecycle } from "./phones/phone-lifecycle.ts";
import type { PhonesRepo } from "./phones/phones.repo.ts";
import type { PhonesService } from "./phones/phones.service.ts";
import { ownerOf, type PhonesNode } from "./phones/phones-node.ts";
import { createRecordingsRepo } from "./recordings/recordings.repo.ts";
import { createRecordings } from "./recordings/recordings.service.ts";
import { createRules } from "./rules/compose.ts";
import { createStandingScope, type TeamScope } from "./teams/team-scope.ts";
import { createWebhooksRepo } from "./webhooks/webhooks.repo.ts";
import { createWebhooksService } from "./webhooks/webhooks.service.ts";

export interface FlowPartsOptions {
  readonly db: Database;
  /** Keys are derived from it. */
  readonly master: Buffer;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  readonly events: Events;
  readonly idempotency: Idempotency;
  readonly limiter: RateLimiter;
  readonly memberships: AccountServices["memberships"];
  readonly drivers: Drivers;
  readonly phones: PhonesService;
  readonly phonesRepo: PhonesRepo;
  readonly lifecycle: PhoneLifecycle;
  /** Of this server; scripts of flows do not reach it. */
  readonly port: number;
  readonly publicUrl: URL;
  readonly claims: RunClaims;
  readonly node: PhonesNode;
  /** On whichever node has room. */
  readonly launch: (
    scope: TeamScope,
    input: Parameters<PhonesService["launch"]>[1],
  ) => ReturnType<PhonesService["launch"]>;
  readonly blobs: Pick<Blobs, "runs">;
  readonly links: SignedLinks;
}

export function createFlowParts(options: FlowPartsOptions) {
  const { db, master, config, clock, log, audit, events, idempotency, limiter, drivers } = options;
  const { phones, phonesRepo, lifecycle, port, publicUrl } = options;
  let onRunEnd: RunEndListener = async () => undefined;
  const tagged = async (scope: TeamScope, tag: string) =>
    (await phonesRepo.list(scope)).filter(({ tags }) => tags.includes(tag)).map(({ id }) => id);
  const automations = createAutomations({
    db,
    audit,
    clock,
    pace: systemPace,
    log,
    shelf: options.blobs.runs,
    signed: options.links,
    key: deriveKey(master, "run artifacts"),
    secretsKey: deriveKey(master, "flow secrets"),
    claims: options.claims,
    phones: {
      ready: phones.readyFor,
      rotate: (id) => lifecycle.rotate(id, "run"),
      used: (id) => lifecycle.used(id),
      onEnded: (tell) => drivers.onEvent((event) => event.type === "ended" && tell(event.phoneId)),
    },
    async phone(scope, id) {
      const row = await phonesRepo.find(scope, id);
      return row && { name: row.name, can: drivers.of(row.driver)?.automation?.can };
    },
    tagged,
    idempotency,
    onEnd: (tx, id, state) => onRunEnd(tx, id, state),
    parse: parseFlow,
    find: findElements,
    openScripts: flowScripts({ allow: config.EGRESS_ALLOW, ownPorts: () => [port] }),
  });
  const standing = createStandingScope(options.memberships);
  const rules = createRules({
    db,
    runs: automations.runs,
    events,
    audit,
    clock,
    log,
    key: deriveKey(master, "rule starts"),
    standing,
    flow: automations.flows.get,
    phones: { get: phones.get, tagged, launch: options.launch },
  });
  onRunEnd = rules.onRunEnd;
  const webhooks = createWebhooksService({
    db,
    repo: createWebhooksRepo(db),
    runs: automations.runs,
    audit,
    limiter,
    clock,
    key: deriveKey(master, "webhooks"),
    standing,
    publicUrl,
    flow: automations.flows.get,
    phones: { get: phones.get, tagged },
  });
  const looks = createScreenLooks({
    async phone(scope, id) {
      if ((await phonesRepo.find(scope, id)) === undefined) throw noSuchPhone();
      const { automation } = lifecycle.runningDriver(id);
      if (automation === undefined)
        throw new PerchError("capability_missing", "Phones of this kind run no automations.");
      return automation;
    },
    find: findElements,
  });
  const recordingsFeed = createFeed(db);
  const recordingsRepo = createRecordingsRepo(db);
  const recordings = createRecordings({
    db,
    repo: recordingsRepo,
    flows: automations.flows,
    feed: recordingsFeed,
    audit,
    clock,
    log,
    node: ownerOf(options.node),
    running: async (scope, id) => (await phones.runningPhone(scope, id)).driver,
  });
  return { automations, rules, webhooks, looks, recordings, recordingsRepo, recordingsFeed };
}
