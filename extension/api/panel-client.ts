/** The client of the panel, the one page that checks flows. */
import { createTRPCClient, type TRPCLink } from "@trpc/client";
import type { AppRouter } from "./app-router.ts";
import { type Api, type ApiOptions, callLink } from "./client.ts";

/** Calls that carry files are larger than others may be. */
const LARGE: ReadonlySet<string> = new Set(["workspaces.preview", "workspaces.import", "workspaces.saveFile"]);

/**
 * A flow to check is longer than an address may be, and has no place in one: it goes by POST, alone. So do files. All
 * else as ever.
 */
export function createPanelApi(options: ApiOptions): Api {
  const calls = callLink(options);
  const checks = callLink(options, { methodOverride: "POST", maxItems: 1, maxURLLength: Number.POSITIVE_INFINITY });
  const byPath: TRPCLink<AppRouter> = (runtime) => {
    const links = { calls: calls(runtime), checks: checks(runtime) };
    return (call) => links[call.op.path === "flows.validate" || LARGE.has(call.op.path) ? "checks" : "calls"](call);
  };
  return createTRPCClient<AppRouter>({ links: [byPath] });
}
