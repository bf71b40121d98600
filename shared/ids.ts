/** Identifiers as both sides check them: everything of `id-values.ts`, and the schemas. */
import * as z from "zod/mini";
import { type Branded, type IdKind, idPattern } from "./id-values.ts";

export * from "./id-values.ts";

/**
 * A zod schema for one id kind: `<prefix>_<22 base64url characters>`.
 * The cast is safe: the pattern is what the brand stands for.
 */
export function idSchema<K extends IdKind>(kind: K): z.ZodMiniType<Branded<string, K>, string> {
  return z.string().check(z.regex(idPattern(kind), `This is not a ${kind} id.`)) as unknown as z.ZodMiniType<
    Branded<string, K>,
    string
  >;
}

export const userId = idSchema("user");
export const teamId = idSchema("team");
export const phoneId = idSchema("phone");
export const sessionId = idSchema("session");
export const apiTokenId = idSchema("apiToken");
export const flowId = idSchema("flow");
export const runId = idSchema("run");
export const ruleId = idSchema("rule");
export const secretId = idSchema("secret");
export const recordingId = idSchema("recording");
export const webhookId = idSchema("webhook");
export const suiteId = idSchema("suite");
export const invitationId = idSchema("invitation");
export const passkeyId = idSchema("passkey");
export const decisionId = idSchema("decision");
export const dataRequestId = idSchema("dataRequest");
export const dataExportId = idSchema("dataExport");
export const erasureId = idSchema("erasure");
export const statementId = idSchema("statement");
export const incidentId = idSchema("incident");
export const usageIntervalId = idSchema("usageInterval");
export const budgetId = idSchema("budget");
export const checkoutId = idSchema("checkout");
export const uploadId = idSchema("upload");
export const nodeId = idSchema("node");
