/** Everything about data rights, made here. */
import type { Database } from "../db/database.ts";
import { createDesks, type Desks, type DesksOptions } from "./desks.ts";
import type { Erasures } from "./erasure/erasures.service.ts";
import type { DataExports } from "./export/exports.service.ts";
import { createHeldRepo } from "./held/held.repo.ts";
import { createPrivacyRepo } from "./privacy.repo.ts";
import type { PrivacyRouterServices } from "./privacy.router.ts";
import { createPrivacyService } from "./privacy.service.ts";
import type { RequestParts } from "./requests/compose.ts";
import type { Inactivity } from "./retention/inactivity.service.ts";

export function createPrivacyServices(
  options: DesksOptions & {
    readonly asked: Pick<RequestParts, "requests" | "preferences">;
    readonly exports: DataExports;
    readonly erasures: Erasures;
    readonly inactivity: Pick<Inactivity, "deletionAt">;
  },
): PrivacyRouterServices & Desks {
  const { db, publicUrl, exports, erasures } = options;
  const { requests, preferences } = options.asked;
  const desks = createDesks(options);
  const { policy, incidents, processorViews } = desks;
  const privacy = createPrivacyService({
    ...{ requests, preferences, exports, erasures, policy, incidents, publicUrl },
    processors: processorViews,
    inactivity: options.inactivity,
    repo: createPrivacyRepo(db),
    held: createHeldRepo(db),
    place: placeOf(db),
  });
  return { ...desks, privacy, requests, preferences, exports, erasures };
}

/** Where the database lives, in words. */
export function placeOf({ engine }: Pick<Database, "engine">): string {
  return engine === "sqlite" ? "On this server, encrypted" : "In the PostgreSQL database";
}
