/** Everything about data rights, made here. */

import { POLICY } from "../../shared/policy/policy-v1.ts";
import type { Database } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Erasures } from "./erasure/erasures.service.ts";
import type { DataExports } from "./export/exports.service.ts";
import { createHeldRepo } from "./held/held.repo.ts";
import type { Incidents } from "./incidents/incidents.service.ts";
import type { PolicyDesk } from "./policy/policy.service.ts";
import { createPrivacyRepo } from "./privacy.repo.ts";
import type { PrivacyRouterServices } from "./privacy.router.ts";
import { createPrivacyService } from "./privacy.service.ts";
import { type Processor, processorsOf } from "./processors/processors.ts";
import type { RequestParts } from "./requests/compose.ts";

const notYet = async (): Promise<never> => {
  throw new PerchError("unavailable", "This is not built yet.");
};

export function createPrivacyServices(options: {
  db: Database;
  config: Parameters<typeof processorsOf>[0];
  publicUrl: URL;
  asked: Pick<RequestParts, "requests" | "preferences">;
  exports: DataExports;
}): PrivacyRouterServices & { readonly processors: readonly Processor[] } {
  const { db, publicUrl, exports } = options;
  const { requests, preferences } = options.asked;
  const processors = processorsOf(options.config);
  const erasures: Erasures = { preview: notYet, ask: notYet, undo: notYet, current: async () => undefined };
  const policy: PolicyDesk = {
    current: async () => POLICY,
    notice: async () => undefined,
    acknowledge: notYet,
    object: notYet,
    inForce: async (version) => version <= POLICY.version,
  };
  const incidents: Incidents = { noticesFor: async () => [] };
  const privacy = createPrivacyService({
    ...{ requests, preferences, exports, erasures, policy, incidents, processors, publicUrl },
    repo: createPrivacyRepo(db),
    place: placeOf(db),
    held: createHeldRepo(db),
  });
  return { privacy, requests, preferences, exports, erasures, policy, processors };
}

/** Where the database lives, in words. */
export function placeOf({ engine }: Pick<Database, "engine">): string {
  return engine === "sqlite" ? "On this server, encrypted" : "In the PostgreSQL database";
}
