/** Secrets of flows: everything of `secret-model.ts`, and the schemas of what goes into `secrets.*`. */
import * as z from "zod/mini";
import { flowId, secretId } from "./ids.ts";
import { secretNameProblem, secretValueProblem } from "./secret-model.ts";

export * from "./secret-model.ts";

const without = (problem: (text: string) => string | undefined) =>
  z.string().check(
    z.superRefine((text, context) => {
      const message = problem(text);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    }),
  );

export const setSecretInput = z.strictObject({
  name: without(secretNameProblem),
  value: without(secretValueProblem),
});
export const secretRef = z.strictObject({ secretId });
/** `seen`: `updatedAt` of the flow the person looked at; when it was changed since, nothing is granted. */
export const grantSecretInput = z.strictObject({ secretId, flowId, seen: z.optional(z.iso.datetime()) });
export const revokeSecretInput = z.strictObject({ secretId, flowId });
