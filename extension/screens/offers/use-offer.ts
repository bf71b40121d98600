/** Runs an offer, or puts it away, by asking the worker; an answer that does not come is asked for once more. */
import { useState } from "react";
import type { PhoneId, RunId } from "../../../shared/id-values.ts";
import { ask } from "../../messaging/asks.ts";

export interface OfferCalls {
  readonly busy: boolean;
  /** What kept the last try from a run. */
  readonly problem: string | undefined;
  run(offerId: string, yes: "once" | "site" | undefined, phoneId: PhoneId | undefined): Promise<RunId | undefined>;
}

export function useOffer(): OfferCalls {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  return {
    busy,
    problem,
    async run(offerId, yes, phoneId) {
      setBusy(true);
      setProblem(undefined);
      const body = { offerId, ...(yes !== undefined && { yes }), ...(phoneId !== undefined && { phoneId }) };
      // A worker that dies between two steps leaves nothing half done: the same offer is the same run.
      const answer = (await ask("offer_run", body)) ?? (await ask("offer_run", body));
      setBusy(false);
      if (answer?.ok === true) return answer.runId;
      setProblem(answer?.words ?? "Perch did not answer. Try again.");
      return undefined;
    },
  };
}
