/** Requests about one's data: arrival, due date, proof that it is theirs, answer, receipt. */
import type { z } from "zod";
import type { DataRequestId, UserId } from "../../../shared/ids.ts";
import type { makeRequestInput, RequestView } from "../../../shared/privacy.ts";
import type { Actor } from "../../teams/team-scope.ts";

export interface DataRequests {
  /** The newest first. */
  list(userId: UserId): Promise<RequestView[]>;
  make(actor: Actor, input: z.output<typeof makeRequestInput>): Promise<RequestView>;
  revoke(actor: Actor, id: DataRequestId): Promise<void>;
}
