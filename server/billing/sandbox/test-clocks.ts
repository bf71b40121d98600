/** Test clocks: a customer with one lives in its time. */
import type { Routes } from "./calls.ts";
import { invalid } from "./errors.ts";
import { page } from "./lists.ts";
import type { Obj } from "./objects.ts";
import * as p from "./params.ts";
import { gone } from "./view.ts";

const DAY = 24 * 3_600;

export const testClocks: Routes = {
  "POST /v1/test_helpers/test_clocks": async ({ view, params }) => {
    const given = p.read(p.object({ frozen_time: p.int, name: p.text.optional() }), params);
    const clock: Obj<"test_helpers.test_clock"> = {
      id: view.id("test_helpers.test_clock"),
      object: "test_helpers.test_clock",
      created: view.now,
      deletes_after: view.now + 30 * DAY,
      frozen_time: given.frozen_time,
      livemode: false,
      name: given.name ?? null,
      status: "ready",
      status_details: {},
    };
    await view.save(clock, "test_helpers.test_clock.created");
    return clock;
  },
  "GET /v1/test_helpers/test_clocks/:id": async ({ view, path }) => view.need("test_helpers.test_clock", path("id")),
  "GET /v1/test_helpers/test_clocks": async ({ view, params }) =>
    page(
      await view.list("test_helpers.test_clock"),
      "/v1/test_helpers/test_clocks",
      p.read(p.object(p.paging), params),
    ),
  "DELETE /v1/test_helpers/test_clocks/:id": async ({ view, path }) => {
    const clock = await view.need("test_helpers.test_clock", path("id"));
    for (const customer of await view.list("customer")) {
      if (customer.test_clock !== clock.id) continue;
      for (const subscription of await view.list("subscription", customer.id))
        await view.remove("subscription", subscription.id);
      for (const invoice of await view.list("invoice", customer.id)) await view.remove("invoice", invoice.id);
      await view.remove("customer", customer.id);
    }
    await view.remove("test_helpers.test_clock", clock.id);
    await view.emit("test_helpers.test_clock.deleted", clock);
    return gone("test_helpers.test_clock", clock.id);
  },
  "POST /v1/test_helpers/test_clocks/:id/advance": async ({ view, path, params }) => {
    const given = p.read(p.object({ frozen_time: p.int }), params);
    const clock = await view.need("test_helpers.test_clock", path("id"));
    if (clock.status !== "ready") throw invalid("The test clock is advancing already.");
    if (given.frozen_time <= clock.frozen_time) {
      throw invalid("The frozen time must be after the test clock's current frozen time.", "frozen_time");
    }
    const advancing: Obj<"test_helpers.test_clock"> = {
      ...clock,
      status: "advancing",
      status_details: { advancing: { target_frozen_time: given.frozen_time } },
    };
    await view.save(advancing, "test_helpers.test_clock.advancing");
    return advancing;
  },
};
