/**
 * Webhooks: an outside system starts a flow by a signed call. What a call may decide is when, and the values of the
 * inputs the flow declares; everything else was decided by who made the webhook.
 */
import type { z } from "zod";
import type { FlowDetail } from "../../shared/automations.ts";
import { type FlowId, newId, type PhoneId, type RunId, type WebhookId, webhookId } from "../../shared/ids.ts";
import { idempotencyKey } from "../../shared/phones.ts";
import type { createWebhookInput, Webhook, WebhookWithSecret } from "../../shared/webhooks.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { RunsService } from "../automations/runs.service.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RateLimiter } from "../limits/rate-limiter.ts";
import type { StandingScope, TeamScope } from "../teams/team-scope.ts";
import { newSecret, sameSignature, seal, sign, unseal } from "./signature.ts";
import type { WebhookRow, WebhooksRepo } from "./webhooks.repo.ts";

/** A call as it came in; nothing of it is believed before its signature is. */
export interface WebhookCall {
  readonly id: string;
  /** Unix seconds, as text. */
  readonly timestamp: string;
  /** `sha256=` and 64 hexadecimal digits. */
  readonly signature: string;
  readonly body: Uint8Array;
  readonly idempotencyKey: string | undefined;
}

export interface WebhooksService {
  list(scope: TeamScope): Promise<Webhook[]>;
  create(scope: TeamScope, input: z.output<typeof createWebhookInput>): Promise<WebhookWithSecret>;
  remove(scope: TeamScope, id: WebhookId): Promise<void>;
  /** A new secret; calls signed with the old one are refused from now on. */
  rotate(scope: TeamScope, id: WebhookId): Promise<WebhookWithSecret>;
  receive(call: WebhookCall): Promise<{ readonly runId: RunId }>;
}

const MOST_WEBHOOKS = 100;
const MAX_VALUE = 8_192;
/** How far a call's time may be from the server's, either way. */
const WINDOW_MS = 5 * 60_000;

function noSuchWebhook(): PerchError {
  return new PerchError("not_found", "There is no such webhook in this team.");
}

export function createWebhooksService(options: {
  db: Database;
  repo: WebhooksRepo;
  runs: Pick<RunsService, "start">;
  audit: Audit;
  limiter: RateLimiter;
  clock: Clock;
  /** Seals secrets. */
  key: Buffer;
  standing: StandingScope;
  publicUrl: URL;
  /** @throws PerchError `not_found` when the team has no such flow */
  flow: (scope: TeamScope, id: FlowId) => Promise<FlowDetail>;
  phones: {
    /** @throws PerchError `not_found` when the team has no such phone */
    get(scope: TeamScope, id: PhoneId): Promise<unknown>;
    tagged(scope: TeamScope, tag: string): Promise<readonly PhoneId[]>;
  };
}): WebhooksService {
  const { db, repo, clock, key, phones } = options;
  const record = (tx: Writer, scope: TeamScope, action: AuditAction, id: WebhookId) =>
    options.audit.record(tx, { chain: scope.teamId, actor: scope.userId, action, object: id });

  const view = (row: WebhookRow): Webhook => ({
    id: row.id,
    name: row.name,
    flowId: row.flowId,
    phone: row.phone,
    mayUseSecrets: row.mayUseSecrets,
    url: new URL(`/hooks/${row.id}`, options.publicUrl).href,
    createdAt: row.createdAt.toISOString(),
    ...(row.lastUsedAt !== null && { lastUsedAt: row.lastUsedAt.toISOString() }),
  });

  /** The webhook a call is signed for. Whatever is wrong with it, the answer is the same. */
  async function verified(call: WebhookCall): Promise<WebhookRow> {
    const id = webhookId.safeParse(call.id);
    const row = id.success ? await repo.findAnywhere(id.data) : undefined;
    const signature = /^sha256=([0-9a-f]{64})$/.exec(call.signature)?.[1];
    const isTime = /^\d{1,12}$/.test(call.timestamp);
    const secret = row === undefined ? newSecret() : unseal(key, row.id, row.secret);
    const fits = sameSignature(sign(secret, call.timestamp, call.body), signature ?? "");
    if (row === undefined || !isTime || !fits) {
      throw new PerchError(
        "unauthenticated",
        "There is no such webhook, or X-Perch-Signature is not the one of this time and body.",
      );
    }
    if (Math.abs(clock.now() - Number(call.timestamp) * 1_000) > WINDOW_MS) {
      throw new PerchError(
        "unauthenticated",
        "X-Perch-Timestamp is more than 5 minutes off. Sign with the time of now.",
      );
    }
    return row;
  }

  async function placeOf(scope: TeamScope, { phone }: WebhookRow): Promise<readonly [PhoneId, ...PhoneId[]]> {
    if (typeof phone === "string") return [phone];
    const [home, ...others] = await phones.tagged(scope, phone.tag);
    if (home === undefined) throw new PerchError("not_found", `No phone has the tag ${phone.tag}.`);
    return [home, ...others];
  }

  return {
    list: async (scope) => (await repo.list(scope)).map(view),
    async create(scope, { name, flowId, phone, mayUseSecrets }) {
      await options.flow(scope, flowId);
      if (typeof phone === "string") await phones.get(scope, phone);
      const id = newId("webhook");
      const secret = newSecret();
      const row = await db.tx(async (tx) => {
        if ((await repo.count(tx, scope)) >= MOST_WEBHOOKS) {
          throw new PerchError("limit_reached", `A team keeps at most ${MOST_WEBHOOKS} webhooks. Remove one first.`);
        }
        const inserted = await repo.insert(tx, {
          id,
          teamId: scope.teamId,
          createdBy: scope.userId,
          name,
          flowId,
          phone,
          mayUseSecrets,
          secret: seal(key, id, secret),
          createdAt: new Date(clock.now()),
        });
        await record(tx, scope, "webhook.created", id);
        return inserted;
      });
      return { ...view(row), secret };
    },
    async remove(scope, id) {
      await db.tx(async (tx) => {
        if (!(await repo.delete(tx, scope, id))) throw noSuchWebhook();
        await record(tx, scope, "webhook.removed", id);
      });
    },
    async rotate(scope, id) {
      const secret = newSecret();
      const row = await db.tx(async (tx) => {
        // Who holds the new secret answers for the runs.
        const changed = await repo.change(tx, scope, id, { secret: seal(key, id, secret), createdBy: scope.userId });
        if (changed === undefined) throw noSuchWebhook();
        await record(tx, scope, "webhook.rotated", id);
        return changed;
      });
      return { ...view(row), secret };
    },
    async receive(call) {
      const row = await verified(call);
      await options.limiter.take("webhook", row.id);
      const scope = await options.standing(row.teamId, row.createdBy);
      if (scope === undefined) {
        throw new PerchError("forbidden", "Whoever made this webhook may not run it any more. Give it a new secret.");
      }
      const { inputs: declared } = await options.flow(scope, row.flowId);
      const inputs = inputsFrom(
        call.body,
        declared.map(({ name }) => name),
      );
      const place = await placeOf(scope, row);
      const now = new Date(clock.now());
      return options.runs.start(
        scope,
        {
          flowId: row.flowId,
          phoneId: place[0],
          inputs,
          // No caller's key has a dot, so these are nobody else's.
          idempotencyKey:
            call.idempotencyKey === undefined
              ? `${row.id}.call.${call.signature}`
              : `${row.id}.key.${knownKey(call.idempotencyKey)}`,
        },
        "webhook",
        {
          triggerName: row.name,
          mayUseSecrets: row.mayUseSecrets,
          ...(place.length > 1 && { anyOf: place }),
          async before(tx) {
            if (!(await repo.takeCall(tx, row.id, call.signature, now))) {
              throw new PerchError("conflict", "This call was taken before. To ask again, sign a new one.");
            }
            await repo.change(tx, scope, row.id, { lastUsedAt: now });
            return undefined;
          },
          after: (tx) => record(tx, scope, "webhook.called", row.id),
        },
      );
    },
    // A call may be as far ahead as it may be behind, and must be known until both have passed.
  };
}

function knownKey(text: string): string {
  const parsed = idempotencyKey.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new PerchError("bad_input", "An Idempotency-Key has 8 to 64 letters, digits, - and _.");
}

/** The values of declared inputs; everything else in the body is passed over. */
function inputsFrom(body: Uint8Array, names: readonly string[]): Record<string, string> {
  const fields = objectIn(body);
  const inputs: Record<string, string> = {};
  for (const name of names) {
    if (!Object.hasOwn(fields, name)) continue;
    const value = fields[name];
    if (typeof value !== "string") throw new PerchError("bad_input", `${name} has to be a text, in quotes.`);
    if (value.length > MAX_VALUE) throw new PerchError("bad_input", `${name} has more than 8,192 characters.`);
    inputs[name] = value;
  }
  return inputs;
}

function objectIn(body: Uint8Array): Readonly<Record<string, unknown>> {
  const wrong = new PerchError("bad_input", 'The body has to be a JSON object, such as {"ORDER_ID": "42"}.');
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw wrong;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw wrong;
  return { ...parsed };
}
