/** Parks a phone for the operator: work that any process may leave, and the running server does. */
import { z } from "zod";
import type { PhoneId } from "../../shared/ids.ts";
import { phoneId as phoneIdSchema } from "../../shared/ids.ts";
import type { JobHandler } from "../jobs/jobs.service.ts";

/** Input: `{ phoneId }`. */
export const STOP_PHONE_JOB = "operator.stop_phone";
const stopInput = z.object({ phoneId: phoneIdSchema });

/** Done by the running server, whoever asked: it alone reaches the phones. */
export function operatorJobs(
  park: (id: PhoneId, reason: "asked", actor: string) => Promise<unknown>,
): Readonly<Record<string, JobHandler>> {
  return {
    async [STOP_PHONE_JOB](given) {
      const { phoneId } = stopInput.parse(given);
      await park(phoneId, "asked", "operator");
    },
  };
}
