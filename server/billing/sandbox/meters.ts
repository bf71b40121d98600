/** Meters and their events, summed exactly: values are whole numbers. Events before the last of an hour or day are replaced. */
import { createHash } from "node:crypto";
import type { Routes } from "./calls.ts";
import { invalid } from "./errors.ts";
import { page } from "./lists.ts";
import type { Obj } from "./objects.ts";
import * as p from "./params.ts";
import type { View } from "./view.ts";

const DAY = 24 * 3_600;
const WINDOW = { hour: 3_600, day: DAY } as const;

interface MeterEvent {
  readonly meter: string;
  readonly customer: string;
  readonly value: number;
  readonly timestamp: number;
}

export const meters: Routes = {
  "POST /v1/billing/meters": async ({ view, params }) => {
    const given = p.read(
      p.object({
        display_name: p.text,
        event_name: p.text,
        default_aggregation: p.object({ formula: p.oneOf("sum", "count", "last") }),
        customer_mapping: p.object({ type: p.oneOf("by_id"), event_payload_key: p.text }).optional(),
        value_settings: p.object({ event_payload_key: p.text }).optional(),
        event_time_window: p.oneOf("hour", "day").optional(),
      }),
      params,
    );
    const known = (await view.list("billing.meter")).find(
      (one) => one.event_name === given.event_name && one.status === "active",
    );
    if (known !== undefined)
      throw invalid(`An active meter with the event name ${given.event_name} already exists.`, "event_name");
    const meter: Obj<"billing.meter"> = {
      id: view.id("billing.meter"),
      object: "billing.meter",
      created: view.now,
      customer_mapping: given.customer_mapping ?? { type: "by_id", event_payload_key: "stripe_customer_id" },
      default_aggregation: given.default_aggregation,
      display_name: given.display_name,
      event_name: given.event_name,
      event_time_window: given.event_time_window ?? null,
      livemode: false,
      status: "active",
      status_transitions: { deactivated_at: null },
      updated: view.now,
      value_settings: given.value_settings ?? { event_payload_key: "value" },
    };
    await view.save(meter, "billing.meter.created");
    return meter;
  },
  "GET /v1/billing/meters/:id": async ({ view, path }) => view.need("billing.meter", path("id")),
  "GET /v1/billing/meters": async ({ view, params }) => {
    const given = p.read(p.object({ ...p.paging, status: p.oneOf("active", "inactive").optional() }), params);
    const all = (await view.list("billing.meter")).filter(
      ({ status }) => given.status === undefined || status === given.status,
    );
    return page(all, "/v1/billing/meters", given);
  },
  "POST /v1/billing/meters/:id/deactivate": async ({ view, path, params }) => {
    p.read(p.object({}), params);
    const meter = await view.need("billing.meter", path("id"));
    const off: Obj<"billing.meter"> = {
      ...meter,
      status: "inactive",
      status_transitions: { deactivated_at: view.now },
    };
    await view.save(off, "billing.meter.deactivated");
    return off;
  },
  "POST /v1/billing/meter_events": async ({ view, params }) => {
    const given = p.read(
      p.object({
        event_name: p.text,
        payload: p.payload,
        identifier: p.text.max(100).optional(),
        timestamp: p.int.optional(),
      }),
      params,
    );
    const meter = (await view.list("billing.meter")).find(
      (one) => one.event_name === given.event_name && one.status === "active",
    );
    if (meter === undefined)
      throw invalid(`No active meter found for event name: ${given.event_name}`, "event_name", "resource_missing");
    const customer = given.payload[meter.customer_mapping.event_payload_key];
    const text = given.payload[meter.value_settings.event_payload_key];
    if (customer === undefined)
      throw invalid(`The payload lacks ${meter.customer_mapping.event_payload_key}.`, "payload");
    await view.need("customer", customer, "payload");
    if (meter.default_aggregation.formula !== "count" && !/^-?\d{1,15}$/.test(text ?? "")) {
      throw invalid(`The value must be a whole number, and was ${text ?? "missing"}.`, "payload");
    }
    const timestamp =
      given.timestamp === undefined ? await view.timeOf(customer) : await view.translated(given.timestamp, customer);
    const now = await view.timeOf(customer);
    if (timestamp < now - 35 * DAY || timestamp > now + 300) {
      throw invalid(
        "The timestamp must be within the past 35 calendar days or up to 5 minutes in the future.",
        "timestamp",
      );
    }
    const window =
      meter.event_time_window === null ? undefined : WINDOW[meter.event_time_window === "day" ? "day" : "hour"];
    const identifier = given.identifier ?? view.id("req");
    // A newer event of the same hour or day takes the place of the one before.
    const name = window === undefined ? identifier : `${meter.id}|${customer}|${Math.floor(timestamp / window)}`;
    const id = `mev_${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
    if (window === undefined && (await view.inner("meter_event", id)) !== undefined) {
      throw invalid(`An event already exists with identifier ${identifier}.`, "identifier", "resource_already_exists");
    }
    const event: MeterEvent = { meter: meter.id, customer, value: Number(text ?? 0), timestamp };
    await view.putInner("meter_event", id, event, customer);
    return {
      object: "billing.meter_event",
      created: view.now,
      event_name: given.event_name,
      identifier,
      livemode: false,
      payload: given.payload,
      timestamp,
    };
  },
  "GET /v1/billing/meters/:id/event_summaries": async ({ view, path, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        customer: p.text,
        start_time: p.int,
        end_time: p.int,
        value_grouping_window: p.oneOf("hour", "day").optional(),
      }),
      params,
    );
    const meter = await view.need("billing.meter", path("id"));
    const step =
      given.value_grouping_window === undefined
        ? given.end_time - given.start_time
        : WINDOW[given.value_grouping_window];
    const summaries: {
      id: string;
      object: string;
      aggregated_value: number;
      end_time: number;
      livemode: false;
      meter: string;
      start_time: number;
    }[] = [];
    for (let start = given.start_time; start < given.end_time; start += step) {
      const period = { start, end: Math.min(start + step, given.end_time) };
      const aggregated_value = await meteredQuantity(view, meter.id, given.customer, period);
      if (aggregated_value === 0 && given.value_grouping_window !== undefined) continue;
      const shared = { object: "billing.meter_event_summary", livemode: false, meter: meter.id } as const;
      summaries.push({ id: `mtrusg_${start}`, ...shared, aggregated_value, start_time: start, end_time: period.end });
    }
    return page(summaries, `/v1/billing/meters/${meter.id}/event_summaries`, given);
  },
};

export async function meteredQuantity(
  view: View,
  meter: string,
  customer: string,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<number> {
  const { default_aggregation } = await view.need("billing.meter", meter);
  const events = (await view.listInner<MeterEvent>("meter_event"))
    .map(({ object }) => object)
    .filter((one) => one.meter === meter && one.customer === customer && one.timestamp >= start && one.timestamp < end)
    .sort((a, b) => a.timestamp - b.timestamp);
  if (default_aggregation.formula === "count") return events.length;
  if (default_aggregation.formula === "last") return events.at(-1)?.value ?? 0;
  return events.reduce((sum, { value }) => sum + value, 0);
}
