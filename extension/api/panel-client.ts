/** The client of the panel, the one page that checks flows. */
import { createTRPCClient, type TRPCLink } from "@trpc/client";
import type { AppRouter } from "./app-router.ts";
import { type Api, type ApiOptions, callFetch, callLink } from "./client.ts";

/** Queries that take a flow's text, longer than an address may be and with no place in one, and calls that carry files. */
const LARGE: ReadonlySet<string> = new Set([
  "flows.validate",
  "flows.matches",
  "workspaces.preview",
  "workspaces.import",
  "workspaces.saveFile",
]);

/** What is large goes by POST, alone. All else as ever. `heard` gets each answer as it arrives, to look at its head. */
export function createPanelApi(options: ApiOptions, heard: (response: Response) => void = () => {}): Api {
  const calls = callLink(options, {
    fetch: async (input, init) => {
      const response = await callFetch(input, init);
      heard(response);
      return response;
    },
  });
  const texts = callLink(options, { methodOverride: "POST", maxItems: 1, maxURLLength: Number.POSITIVE_INFINITY });
  const byPath: TRPCLink<AppRouter> = (runtime) => {
    const links = { calls: calls(runtime), texts: texts(runtime) };
    return (call) => links[LARGE.has(call.op.path) ? "texts" : "calls"](call);
  };
  return createTRPCClient<AppRouter>({ links: [byPath] });
}
