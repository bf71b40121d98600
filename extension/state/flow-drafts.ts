/** Automations being written and not saved. Kept until the browser closes, so that closing the panel loses nothing. */
import * as z from "zod/mini";
import type { FlowId } from "../../shared/id-values.ts";
import { flowId } from "./automation-ids.ts";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

const draftSchema = z.object({
  name: z.string(),
  source: z.string(),
  /** `updatedAt` of the saved automation this began from; absent for a new one. */
  base: z.exactOptional(z.string()),
});
export type FlowDraft = Readonly<z.infer<typeof draftSchema>>;

/** By flow id; a new automation has a key of its own that begins with `new-`. */
export type FlowDrafts = Readonly<Record<string, FlowDraft>>;

export function flowDrafts(): Stored<FlowDrafts> {
  return stored<FlowDrafts>({
    area: "session",
    key: "draft.flows",
    version: 1,
    schema: z.catchall(z.object({}), draftSchema),
    initial: {},
  });
}

export function newDraftKey(): string {
  return `new-${crypto.randomUUID()}`;
}
/** The saved automation a key stands for; undefined for a new one. */
export function flowIdOf(key: string): FlowId | undefined {
  const parsed = flowId.safeParse(key);
  return parsed.success ? parsed.data : undefined;
}

/** The drafts with one put in, or taken out when it is undefined. */
export function withDraft(drafts: FlowDrafts, key: string, draft: FlowDraft | undefined): FlowDrafts {
  const { [key]: _, ...others } = drafts;
  return draft === undefined ? others : { ...others, [key]: draft };
}
