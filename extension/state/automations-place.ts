/** Where on the Automations screen a person is, so that closing the panel loses neither the text nor the run watched. */
import * as z from "zod/mini";
import { flowId, recordingId, runId } from "./automation-ids.ts";
import { phoneId } from "./ids.ts";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

const runsFilter = z.object({
  flowId: z.exactOptional(flowId),
  phoneId: z.exactOptional(phoneId),
  /** How they went. */
  group: z.exactOptional(z.enum(["going", "passed", "failed", "cancelled"])),
});
/** Which runs are listed; without anything all of them. */
export type RunsFilter = Readonly<z.infer<typeof runsFilter>>;

const placeSchema = z.union([
  z.object({ view: z.literal("home") }),
  z.object({ view: z.literal("new") }),
  z.object({ view: z.literal("import") }),
  z.object({ view: z.literal("file"), path: z.string() }),
  z.object({ view: z.literal("secrets") }),
  z.object({ view: z.literal("runs"), filter: runsFilter }),
  /** `key` as in `flow-drafts.ts`. */
  z.object({ view: z.literal("flow"), key: z.string() }),
  z.object({ view: z.literal("recording"), recordingId }),
  /** Where to go back to: the automation, or the list of runs. */
  z.object({
    view: z.literal("run"),
    runId,
    from: z.exactOptional(z.string()),
    list: z.exactOptional(runsFilter),
  }),
  z.object({ view: z.literal("rules") }),
  /** `key`: a rule's id. */
  z.object({ view: z.literal("rule"), key: z.string() }),
  z.object({ view: z.literal("rule-log"), key: z.exactOptional(z.string()) }),
  z.object({ view: z.literal("site"), host: z.string() }),
]);
export type AutomationsPlace = Readonly<z.infer<typeof placeSchema>>;

export const HOME: AutomationsPlace = { view: "home" };

/** Kept until the browser closes. */
export function automationsPlace(): Stored<AutomationsPlace> {
  return stored<AutomationsPlace>({
    area: "session",
    key: "automations.place",
    version: 1,
    schema: placeSchema,
    initial: HOME,
  });
}
