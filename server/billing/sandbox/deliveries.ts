/** Sends what happened to the webhook endpoint: at least once, signed as Stripe signs, tried again for three days. */
import type { Clock } from "../../clock.ts";
import { errorFields, type Log } from "../../log.ts";
import type { Faults } from "./faults.ts";
import { signature } from "./sdk.ts";
import type { Delivery, RequestMark, View } from "./view.ts";

/** Gives one event to the endpoint and resolves with the status it answered. */
export type Deliver = (rawBody: string, headers: Readonly<Record<string, string>>) => Promise<number>;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Waits between tries; after the last one the event counts as lost. */
export const RETRIES = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 24 * HOUR] as const;

export interface Deliveries {
  /** One round of what is due; resolves with how many were sent. */
  send(nowMs: number): Promise<number>;
  again(eventId: string, dueAt: number): Promise<void>;
}

export function createDeliveries(options: {
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly deliver: Deliver;
  readonly faults: Faults;
  readonly log: Log;
  alone<T>(mark: RequestMark, work: (view: View) => Promise<T>): Promise<T>;
  /** The endpoint took it. */
  delivered(view: View, eventId: string): Promise<void>;
}): Deliveries {
  const { faults, alone } = options;
  const nobody = { id: null, idempotencyKey: null };

  async function sendOne(payload: string): Promise<boolean> {
    try {
      const status = await options.deliver(payload, headersOf(options, payload));
      return status >= 200 && status < 300;
    } catch (error) {
      options.log.warn("A webhook of the billing sandbox was not taken", errorFields(error));
      return false;
    }
  }

  /** One round at a time, or what is due would be sent by each. */
  let last: Promise<unknown> = Promise.resolve();
  return {
    send(nowMs) {
      const mine = last.then(() => round(nowMs));
      last = mine.catch(() => undefined);
      return mine;
    },
    async again(eventId, dueAt) {
      await alone(nobody, async (view) => {
        const event = await view.need("event", eventId);
        await view.put({ ...event, pending_webhooks: 1 });
        await view.putInner("delivery", view.id("dlv"), { event: eventId, attempt: 0, dueAt } satisfies Delivery);
      });
    },
  };

  async function round(nowMs: number): Promise<number> {
    const waiting = await alone(nobody, async (view) => {
      const due = (await view.listInner<Delivery>("delivery")).filter(
        ({ object }) => object.dueAt + faults.settings.delayWebhooksMs <= nowMs,
      );
      return Promise.all(due.map(async (one) => ({ ...one, event: await view.get("event", one.object.event) })));
    });
    const ordered = faults.settings.reorderWebhooks ? faults.shuffled(waiting) : waiting;
    for (const { id, object, event } of ordered) {
      const lost = event === undefined || faults.chance(faults.settings.dropWebhooks);
      const taken = lost || (await sendOne(JSON.stringify(event, null, 2)));
      if (!lost && taken && faults.chance(faults.settings.duplicateWebhooks))
        await sendOne(JSON.stringify(event, null, 2));
      const wait = RETRIES[object.attempt];
      await alone(nobody, async (view) => {
        const now = await view.get("event", object.event);
        if (!taken && wait !== undefined) {
          return view.putInner("delivery", id, { ...object, attempt: object.attempt + 1, dueAt: nowMs + wait });
        }
        await view.remove("delivery", id);
        if (now !== undefined) await view.put({ ...now, pending_webhooks: 0 });
        await options.delivered(view, object.event);
      });
    }
    return ordered.length;
  }
}

function headersOf({ clock, secrets }: { clock: Clock; secrets: readonly string[] }, payload: string) {
  return {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Stripe/1.0 (billing sandbox)",
    "stripe-signature": signature(payload, secrets, Math.floor(clock.now() / SECOND)),
  };
}
