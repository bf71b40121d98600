/** The breach desk (Art. 33 and 34 GDPR, clause P7.6). */
import type { UserId } from "../../../shared/ids.ts";
import type { IncidentNotice } from "../../../shared/privacy.ts";

export interface Incidents {
  /** What the person was or is to be told; counts as shown. */
  noticesFor(userId: UserId): Promise<IncidentNotice[]>;
}
