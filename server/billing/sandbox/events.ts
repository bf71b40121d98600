/** What happened, to be read again: for what webhooks missed. */
import type { Routes } from "./calls.ts";
import { page, within } from "./lists.ts";
import * as p from "./params.ts";

export const events: Routes = {
  "GET /v1/events/:id": async ({ view, path }) => view.need("event", path("id")),
  "GET /v1/events": async ({ view, params }) => {
    const given = p.read(
      p.object({
        ...p.paging,
        created: p.created.optional(),
        type: p.text.optional(),
        types: p.list(p.text).max(20).optional(),
        delivery_success: p.bool.optional(),
      }),
      params,
    );
    const matches = (type: string, wanted: string) =>
      wanted.endsWith("*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
    const all = (await view.list("event")).filter(
      ({ type, created, pending_webhooks }) =>
        (given.type === undefined || matches(type, given.type)) &&
        (given.types === undefined || given.types.some((wanted) => matches(type, wanted))) &&
        (given.delivery_success === undefined || (pending_webhooks === 0) === given.delivery_success) &&
        within(created, given.created),
    );
    return page(all, "/v1/events", given);
  },
};
