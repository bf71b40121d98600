/** Who else is told how long phones ran: nobody, or a meter of Stripe's. For reports alone; bills come from our ledger. */
import type Stripe from "stripe";
import type { TeamId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import type { JobHandler, Schedule } from "../../jobs/jobs.service.ts";
import { slotOf } from "../../jobs/jobs.service.ts";

const HOUR_MS = 3_600_000;
export const SINK_JOB = "billing.usage_sink";
const SINK = { kind: SINK_JOB, everyMs: HOUR_MS };

/** What a team used within one hour (UTC), in all: sent again it replaces what was sent before. */
export interface HourOfUse {
  readonly teamId: TeamId;
  readonly customerId: string;
  readonly hour: Date;
  readonly ms: number;
}
export interface UsageSink {
  report(hour: HourOfUse): Promise<void>;
}

/**
 * A meter with `event_time_window` hour, where the newest event of an hour holds. Whole minutes, as meters take integers; the
 * identifier says how much, so that another amount is another event.
 */
export function stripeMeter(stripe: Stripe, eventName: string): UsageSink {
  return {
    async report({ teamId, customerId, hour, ms }) {
      const minutes = Math.floor(ms / 60_000);
      const at = Math.floor(hour.getTime() / 1_000);
      const identifier = `${teamId}:${at}:${minutes}`;
      await stripe.billing.meterEvents.create(
        {
          event_name: eventName,
          payload: { stripe_customer_id: customerId, value: String(minutes) },
          ...{ identifier, timestamp: at },
        },
        { idempotencyKey: `meter:${identifier}` },
      );
    },
  };
}

/** Every hour the last two, one team after another: a meter takes one call a customer at a time. */
export function createSinkJobs(options: {
  sink: UsageSink;
  hoursOfUse: (hour: Date) => Promise<readonly HourOfUse[]>;
  clock: Clock;
}): { readonly jobs: Readonly<Record<string, JobHandler>>; readonly schedules: readonly Schedule[] } {
  const { sink, hoursOfUse, clock } = options;
  return {
    jobs: {
      async [SINK_JOB](_input, { signal }) {
        const current = slotOf(SINK, clock.now());
        for (const hour of [current - 2 * HOUR_MS, current - HOUR_MS]) {
          for (const one of await hoursOfUse(new Date(hour))) {
            if (signal.aborted) return;
            await sink.report(one);
          }
        }
      },
    },
    schedules: [SINK],
  };
}
