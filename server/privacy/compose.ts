/** Everything about data rights, made here. */

import { PerchError } from "../errors.ts";
import { createDesks, type Desks, type DesksOptions } from "./desks.ts";
import type { Erasures } from "./erasure/erasures.service.ts";
import type { DataExports } from "./export/exports.service.ts";
import type { PrivacyPreferences } from "./preferences/preferences.service.ts";
import { createPrivacyRepo } from "./privacy.repo.ts";
import type { PrivacyRouterServices } from "./privacy.router.ts";
import { createPrivacyService } from "./privacy.service.ts";
import type { DataRequests } from "./requests/requests.service.ts";

const notYet = async (): Promise<never> => {
  throw new PerchError("unavailable", "This is not built yet.");
};

export function createPrivacyServices(options: DesksOptions): PrivacyRouterServices & Desks {
  const { db, publicUrl } = options;
  const desks = createDesks(options);
  const requests: DataRequests = { list: async () => [], make: notYet, revoke: notYet };
  const preferences: PrivacyPreferences = {
    of: async () => ({ restricted: false, metrics: true }),
    change: notYet,
    rectify: notYet,
    statements: async () => [],
    dispute: notYet,
    removeStatement: notYet,
  };
  const exports: DataExports = {
    estimate: notYet,
    list: async () => [],
    start: notYet,
    revoke: notYet,
    download: notYet,
  };
  const erasures: Erasures = { preview: notYet, ask: notYet, undo: notYet, current: async () => undefined };
  const { policy, incidents, processorViews } = desks;
  const privacy = createPrivacyService({
    ...{ requests, preferences, exports, erasures, policy, incidents, publicUrl },
    processors: processorViews,
    repo: createPrivacyRepo(db),
    place: db.engine === "sqlite" ? "On this server, encrypted" : "In the PostgreSQL database",
  });
  return { ...desks, privacy, requests, preferences, exports, erasures };
}
