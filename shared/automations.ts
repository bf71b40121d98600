/** Flows and runs as both sides see them: everything of `automation-model.ts`, and the schemas of what goes into `flows.*` and `runs.*`. */
import * as z from "zod/mini";
import { flowId, phoneId, runId } from "./ids.ts";
import { idempotencyKey, phoneTag } from "./phones.ts";

export * from "./automation-model.ts";

/** Largest flow, in characters; the parser has its own cap in bytes. */
export const MAX_FLOW_SOURCE = 256 * 1024;
export const MAX_INPUTS = 64;

export const flowSource = z
  .string()
  .check(z.maxLength(MAX_FLOW_SOURCE, "A flow has at most 262,144 characters. Split it and use runFlow."));
export const flowName = z
  .string()
  .check(z.trim(), z.minLength(1, "Give the flow a name."), z.maxLength(100, "A name has at most 100 characters."));

/** Relative, with `/` between folders, and without a way out. */
export function isFilePath(path: string): boolean {
  if (path.includes("\0") || path.includes("\\")) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Values of a run, by name. Bound as text, never read as code. */
export const runInputs = z
  .record(
    z.string().check(z.regex(/^[A-Za-z_]\w{0,63}$/, "An input's name has letters, digits and _, like ORDER_ID.")),
    z.string().check(z.maxLength(8192, "An input's value has at most 8,192 characters.")),
  )
  .check(z.refine((values) => Object.keys(values).length <= MAX_INPUTS, "A run takes at most 64 inputs."));

export const validateInput = z.strictObject({ source: flowSource });
export const saveFlowInput = z.strictObject({ flowId: z.optional(flowId), name: flowName, source: flowSource });
export const flowRef = z.strictObject({ flowId });
/** A file a flow names, such as `flows/sign-in.yaml`, below the folder the flow stands in or beside it. */
export const flowFile = z.strictObject({
  path: z
    .string()
    .check(
      z.maxLength(200, "A path has at most 200 characters."),
      z.refine(isFilePath, "A path has folders and a name with / between them, and no .. in it."),
    ),
  base64: z.base64("A file is sent as base64."),
});

/** Of a flow's outermost steps, counting from 0: which one to begin with and which one is the last. Hooks stay out. */
export const flowPart = z
  .strictObject({ from: z.int().check(z.gte(0)), to: z.int().check(z.gte(0)) })
  .check(z.refine(({ from, to }) => from <= to, "The last step comes before the first."));

export const startRunInput = z
  .strictObject({
    flowId: z.optional(flowId),
    source: z.optional(flowSource),
    /** Beside `source` only: the files it names, with `path` as the flow writes it. */
    files: z.optional(z.array(flowFile).check(z.maxLength(200, "A flow brings at most 200 files along."))),
    part: z.optional(flowPart),
    phoneId,
    inputs: z.optional(runInputs),
    idempotencyKey,
  })
  .check(
    z.refine(
      (input) => (input.flowId === undefined) !== (input.source === undefined),
      "Give either flowId, for a saved flow, or source, for a flow as text.",
    ),
  );
/** Runs of saved flows, or of one flow as text, on several phones. */
export const startAllInput = z
  .strictObject({
    flowIds: z.optional(z.array(flowId).check(z.minLength(1, "Name a flow."), z.maxLength(100, "At most 100 flows."))),
    source: z.optional(flowSource),
    phones: z.union(
      [
        z.strictObject({ tag: phoneTag }),
        z.strictObject({
          ids: z.array(phoneId).check(z.minLength(1, "Name a phone."), z.maxLength(100, "At most 100 phones.")),
        }),
      ],
      "Say which phones: by tag, or by ids.",
    ),
    /** `each`: every flow on every phone. `any`: every flow once, on whichever phone is free first. */
    share: z.enum(["each", "any"], "Runs are shared out as each or any."),
    inputs: z.optional(runInputs),
    idempotencyKey,
  })
  .check(
    z.refine(
      (input) => (input.flowIds === undefined) !== (input.source === undefined),
      "Give either flowIds, for saved flows, or source, for a flow as text.",
    ),
  );
export const runRef = z.strictObject({ runId });
export const listRunsInput = z.optional(
  z.strictObject({
    flowId: z.optional(flowId),
    phoneId: z.optional(phoneId),
    /** The oldest run already known; what was asked for before it follows. */
    before: z.optional(runId),
    limit: z.optional(z.int().check(z.gte(1), z.lte(200))),
  }),
);
/** How an interrupted run goes on: after the step with the unknown outcome, counting it as done, or doing it again. */
export const resumeRunInput = z.strictObject({ runId, from: z.enum(["after", "again"]) });
export const runEventsInput = z.strictObject({
  runId,
  lastEventId: z.nullish(z.string().check(z.regex(/^\d{1,15}$/))),
});
