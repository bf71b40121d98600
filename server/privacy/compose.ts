/** Everything about data rights, made here. */
import { PerchError } from "../errors.ts";
import { createDesks, type Desks, type DesksOptions } from "./desks.ts";
import type { Erasures } from "./erasure/erasures.service.ts";
import type { DataExports } from "./export/exports.service.ts";
import { createPrivacyRepo } from "./privacy.repo.ts";
import type { PrivacyRouterServices } from "./privacy.router.ts";
import { createPrivacyService } from "./privacy.service.ts";
import type { RequestParts } from "./requests/compose.ts";

const notYet = async (): Promise<never> => {
  throw new PerchError("unavailable", "This is not built yet.");
};

export function createPrivacyServices(
  options: DesksOptions & {
    readonly asked: Pick<RequestParts, "requests" | "preferences">;
    readonly erasures: Erasures;
  },
): PrivacyRouterServices & Pick<Desks, "processors" | "incidents" | "policy" | "jobs" | "schedules"> {
  const { db, publicUrl, erasures } = options;
  const { requests, preferences } = options.asked;
  const { policy, incidents, processors, processorViews, jobs, schedules } = createDesks(options);
  const exports: DataExports = {
    estimate: notYet,
    list: async () => [],
    start: notYet,
    revoke: notYet,
    download: notYet,
  };
  const privacy = createPrivacyService({
    ...{ requests, preferences, exports, erasures, policy, incidents, publicUrl },
    processors: processorViews,
    repo: createPrivacyRepo(db),
    place: db.engine === "sqlite" ? "On this server, encrypted" : "In the PostgreSQL database",
  });
  return { privacy, requests, preferences, exports, erasures, policy, incidents, processors, jobs, schedules };
}
