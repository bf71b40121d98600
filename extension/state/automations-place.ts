/** Where on the Automations screen a person is, so that closing the panel loses neither the text nor the run watched. */
import * as z from "zod/mini";
import { runId } from "./automation-ids.ts";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

const placeSchema = z.union([
  z.object({ view: z.literal("home") }),
  /** `key` as in `flow-drafts.ts`. */
  z.object({ view: z.literal("flow"), key: z.string() }),
  /** `from`: the automation to go back to. */
  z.object({ view: z.literal("run"), runId, from: z.exactOptional(z.string()) }),
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
