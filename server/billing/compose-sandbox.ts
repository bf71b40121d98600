/** Puts the billing sandbox together: in this process, in Stripe's place, with what the operator may tell it to do. */
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Database } from "../db/database.ts";
import type { Refusals } from "../http/refusals.ts";
import type { JobHandler } from "../jobs/jobs.service.ts";
import { deriveKey } from "../keys.ts";
import { errorFields, type Log } from "../log.ts";
import { createSandboxRepo } from "./sandbox/sandbox.repo.ts";
import { type BillingSandbox, createBillingSandbox, SANDBOX_KEY } from "./sandbox/sandbox.ts";
import { syncCatalogue } from "./stripe/catalogue-sync.ts";
import { openStripe, type SandboxDoor, type StripeAccess } from "./stripe/stripe-client.ts";
import { deliverTo, type StripeWebhook } from "./stripe/webhook.ts";

/** What an admin command leaves for the running server. */
export const SANDBOX_JOB = "billing.sandbox";
const chance = z.number().min(0).max(1);
export const sandboxOrder = z.discriminatedUnion("order", [
  z.strictObject({ order: z.literal("clock"), moveMs: z.int().min(1) }),
  z.strictObject({
    order: z.literal("faults"),
    faults: z
      .strictObject({
        ...{ failCalls: chance, loseAnswers: chance, duplicateWebhooks: chance, dropWebhooks: chance },
        ...{ reorderWebhooks: z.boolean(), delayWebhooksMs: z.int().min(0).max(3_600_000) },
      })
      .partial(),
  }),
]);
export type SandboxOrder = z.output<typeof sandboxOrder>;

/** What the sandbox signs its webhooks with: of this server, the same in every process. */
export function sandboxSecretOf(master: Buffer): string {
  return `whsec_${deriveKey(master, "billing sandbox").toString("hex")}`;
}

/** What the server's jobs get between two steps of a moved clock. */
const SETTLE_MS = 500;
/** How often it looks whether something is due: renewals, retries, deliveries. */
const TICK_MS = 1_000;

export interface SandboxParts {
  readonly sandbox: BillingSandbox;
  readonly access: StripeAccess;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  /** Makes what the catalogue sells, then lets time pass. Once the webhook can take what that tells. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createSandboxParts(options: {
  db: Database;
  clock: Clock;
  log: Log;
  publicUrl: URL;
  refusals: Refusals;
  /** What its webhooks are signed with. */
  secret: string;
  /** There once it is asked for: the webhook is made of the same client. */
  webhook: () => Pick<StripeWebhook, "receive">;
}): SandboxParts {
  const { db, clock, log, publicUrl, refusals, secret } = options;
  const sandbox = createBillingSandbox({
    ...{ store: createSandboxRepo(db), clock, publicUrl, webhookSecret: secret, log, refusals },
    deliver: (body, headers) => deliverTo(options.webhook())(body, headers),
    // Retries of webhooks take no time when the clock is moved; what they wait for does.
    settled: () => pause(SETTLE_MS),
  });
  const door: SandboxDoor = { key: SANDBOX_KEY, fetch: sandbox.fetch };
  const access = openStripe({ billingMode: "sandbox", STRIPE_SECRET_KEY: undefined, STRIPE_API_BASE: undefined }, door);
  if (access === undefined) throw new Error("The sandbox has no client.");
  let timer: NodeJS.Timeout | undefined;
  let ticking: Promise<void> | undefined;
  const tick = () => {
    ticking ??= sandbox
      .tick()
      .catch((error: unknown) => log.error("The billing sandbox stumbled", errorFields(error)))
      .finally(() => {
        ticking = undefined;
      });
  };
  return {
    ...{ sandbox, access },
    jobs: {
      async [SANDBOX_JOB](input) {
        const told = sandboxOrder.parse(input);
        if (told.order === "clock") await sandbox.controls.moveClock(told.moveMs);
        else if (Object.keys(told.faults).length === 0) sandbox.controls.faults.clear();
        else sandbox.controls.faults.set(definedOf(told.faults));
      },
    },
    async start() {
      await syncCatalogue(access.stripe);
      timer = setInterval(tick, TICK_MS);
    },
    async stop() {
      clearInterval(timer);
      await ticking;
    },
  };
}

type Faults = Extract<SandboxOrder, { order: "faults" }>["faults"];
function definedOf(faults: Faults): { -readonly [K in keyof Faults]?: NonNullable<Faults[K]> } {
  return Object.fromEntries(Object.entries(faults).filter(([, value]) => value !== undefined));
}
