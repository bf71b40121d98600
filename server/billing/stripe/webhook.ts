/**
 * What Stripe sends: checked against the secrets, written down by its id, answered at once. A job reads the object it is
 * about. One event is answered only after work: a cycle's draft invoice, which Stripe holds back until we have added what was
 * used beyond the plan.
 */
import type Stripe from "stripe";
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { HTTP_STATUS, PerchError } from "../../errors.ts";
import type { Jobs } from "../../jobs/jobs.service.ts";
import { errorFields, type Log } from "../../log.ts";
import type { StripeEventsRepo } from "./stripe-events.repo.ts";
import { type Topic, topicOf } from "./stripe-topics.ts";

export const STRIPE_WEBHOOK_PATH = "/webhooks/stripe";
/** Stripe's largest events are some 100 KB. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** Older signatures are refused: a delivery that was recorded cannot be sent again later. */
const TOLERANCE_S = 300;

export const MIRROR_JOB = "stripe.mirror";
/** The input of a mirror job. */
export interface MirrorJob {
  readonly topic: Topic;
  readonly id: string;
  readonly eventId?: string | undefined;
}

export interface StripeDelivery {
  /** As it came, before any parser. */
  readonly body: Uint8Array;
  /** `Stripe-Signature`. */
  readonly signature: string | undefined;
}

export interface StripeWebhook {
  /** Resolves once the event is kept. @throws PerchError `bad_input` for what Stripe did not sign, or long ago */
  receive(delivery: StripeDelivery): Promise<void>;
  /** Takes an event that was missed, from a list Stripe gave us. False when it was not. */
  take(event: KnownEvent): Promise<boolean>;
}

export interface KnownEvent {
  readonly id: string;
  readonly type: string;
  readonly objectId: string;
  readonly livemode: boolean;
  readonly apiVersion: string | null;
  readonly createdAt: Date;
}

const id = z.string().regex(/^[A-Za-z]\w{1,254}$/);
const snapshot = z.object({
  object: z.literal("event"),
  id,
  type: z.string().max(200),
  livemode: z.boolean(),
  created: z.int(),
  api_version: z.string().max(100).nullable(),
  data: z.object({ object: z.object({ id: id.optional() }) }),
});
const thin = z.object({
  object: z.literal("v2.core.event"),
  id,
  type: z.string().max(200),
  livemode: z.boolean(),
  created: z.iso.datetime({ offset: true }),
  related_object: z.object({ id }).nullish(),
});
const delivered = z.discriminatedUnion("object", [snapshot, thin]);

export function createStripeWebhook(options: {
  readonly stripe: Pick<Stripe, "webhooks">;
  /** All are good: while one is rotated, Stripe signs with both. */
  readonly secrets: readonly string[];
  /** Whether money moves: events of the other mode are refused. */
  readonly livemode: boolean;
  readonly db: Database;
  readonly repo: StripeEventsRepo;
  readonly jobs: Pick<Jobs, "enqueue" | "wake">;
  readonly clock: Clock;
  readonly log: Log;
  /** Adds what was used beyond the plan to a cycle's draft invoice; throws while the period is not settled. */
  readonly addOverage: (invoiceId: string) => Promise<void>;
}): StripeWebhook {
  const { stripe, secrets, db, repo, jobs, clock, log } = options;

  function demandSignature(text: string, header: string | undefined): void {
    const { signature } = stripe.webhooks;
    for (const secret of secrets) {
      try {
        if (signature?.verifyHeader(text, header ?? "", secret, TOLERANCE_S, undefined, clock.now()) === true) return;
      } catch {
        // The next secret may be the one.
      }
    }
    throw refusal("This was not signed by Stripe for this server, or more than 5 minutes ago.");
  }

  async function take(event: KnownEvent, via: "webhook" | "reconcile"): Promise<boolean> {
    const topic = topicOf(event.type);
    if (topic === undefined) return false;
    const isNew = await db.tx(async (tx) => {
      const inserted = await repo.insert(tx, {
        ...{ ...event, type: event.type.replace(/^v1\./, ""), via },
        ...{ receivedAt: new Date(clock.now()), processedAt: null },
      });
      if (!inserted) return false;
      const input: MirrorJob = { topic, id: event.objectId, eventId: event.id };
      await jobs.enqueue(tx, { kind: MIRROR_JOB, input, lockKey: `stripe:${event.objectId}` });
      return true;
    });
    if (isNew) jobs.wake();
    return isNew;
  }

  return {
    async receive({ body, signature }) {
      if (body.length > MAX_EVENT_BYTES) throw refusal("This is larger than an event of Stripe.");
      const text = utf8(body);
      demandSignature(text, signature);
      const event = eventIn(text);
      if (event === undefined) return;
      if (event.livemode !== options.livemode) {
        log.warn("Stripe sent an event of the other mode: test and live have endpoints of their own", {
          kind: event.type,
        });
        throw refusal("This server is not in the mode of this event.");
      }
      await take(event, "webhook");
      if (event.type.replace(/^v1\./, "") !== "invoice.created") return;
      try {
        await options.addOverage(event.objectId);
      } catch (error) {
        log.info("A draft invoice waits for its period to be settled", errorFields(error));
        throw new PerchError("unavailable", "The period of this invoice is not settled yet.", { cause: error });
      }
    },
    take: (event) => take(event, "reconcile"),
  };
}

/** The way of deliveries that come from within: what the same route would answer. */
export function deliverTo(webhook: Pick<StripeWebhook, "receive">) {
  return async (rawBody: string, headers: Readonly<Record<string, string>>): Promise<number> => {
    try {
      await webhook.receive({ body: new TextEncoder().encode(rawBody), signature: headers["stripe-signature"] });
      return 200;
    } catch (error) {
      return error instanceof PerchError ? HTTP_STATUS[error.code] : 500;
    }
  };
}

/** Nothing of what came is repeated: neither to the sender nor in the log. */
function refusal(words: string): PerchError {
  return new PerchError("bad_input", words);
}

function utf8(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw refusal("This is not text.");
  }
}

/** `undefined` for an event about nothing that has an id, such as an invoice that is only foreseen. */
function eventIn(text: string): KnownEvent | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refusal("This is not JSON.");
  }
  const parsed = delivered.safeParse(json);
  if (!parsed.success) throw refusal("This is no event of Stripe.");
  const event = parsed.data;
  const objectId = event.object === "event" ? event.data.object.id : event.related_object?.id;
  if (objectId === undefined) return undefined;
  return {
    ...{ id: event.id, type: event.type, objectId, livemode: event.livemode },
    apiVersion: event.object === "event" ? event.api_version : null,
    createdAt: new Date(event.object === "event" ? event.created * 1_000 : event.created),
  };
}
