/** A call's work, measured by router and kind, and traced by its name. */
import { PerchError } from "../errors.ts";
import type { Tracing } from "../tracing/tracing.ts";
import type { CallResult, CallType, Meters } from "./meters.ts";

interface Outcome {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly cause?: unknown };
}
export type ObserveCall = <T extends Outcome>(
  call: { readonly path: string; readonly type: CallType },
  work: () => Promise<T>,
) => Promise<T>;

export function createObserveCall(options: { readonly meters: Meters; readonly tracing: Tracing }): ObserveCall {
  const { meters, tracing } = options;
  return ({ path, type }, work) =>
    tracing.span(path, "internal", { "rpc.system": "trpc", "rpc.method": path }, async (span) => {
      const since = performance.now();
      const outcome = await work();
      const result = resultOf(outcome);
      meters.called(path.split(".")[0] ?? path, type, result, (performance.now() - since) / 1000);
      span.set({ "perch.result": result });
      if (result === "failed") span.failed();
      return outcome;
    });
}

function resultOf({ ok, error }: Outcome): CallResult {
  if (ok) return "ok";
  const isOurs = error?.code === "INTERNAL_SERVER_ERROR" && !(error.cause instanceof PerchError);
  return isOurs ? "failed" : "refused";
}
