import type { Failure } from "../../api/errors.ts";

/** What the server found wrong with what was written, for beside the field; undefined for any other failure. */
export function refusalSentence(failure: Failure): string | undefined {
  if (failure.kind !== "refused") return undefined;
  const { code, message, fields } = failure.error;
  if (code !== "bad_input" && code !== "conflict" && code !== "forbidden" && code !== "limit_reached") return undefined;
  return Object.values(fields ?? {})[0] ?? message;
}
