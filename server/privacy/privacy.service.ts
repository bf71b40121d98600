/** What a person sees about their data, derived from the data map. */
import type { UserId } from "../../shared/ids.ts";
import type { AccessLogEntry, HeldCategory, PrivacyOverview, ProcessorView } from "../../shared/privacy.ts";
import type { Erasures } from "./erasure/erasures.service.ts";
import type { DataExports } from "./export/exports.service.ts";
import type { HeldRepo } from "./held/held.repo.ts";
import { heldCategories } from "./held/held.ts";
import type { Incidents } from "./incidents/incidents.service.ts";
import type { PolicyDesk } from "./policy/policy.service.ts";
import type { PrivacyPreferences } from "./preferences/preferences.service.ts";
import type { PrivacyRepo } from "./privacy.repo.ts";
import type { DataRequests } from "./requests/requests.service.ts";
import type { Inactivity } from "./retention/inactivity.service.ts";

export interface PrivacyService {
  overview(userId: UserId): Promise<PrivacyOverview>;
  /** What there is about the person, by category. */
  held(userId: UserId): Promise<HeldCategory[]>;
  /** The newest first; of the last 90 days. */
  accessLog(userId: UserId): Promise<AccessLogEntry[]>;
  processors(): Promise<ProcessorView[]>;
}

const OVER = new Set(["revoked", "expired"]);

export function createPrivacyService(options: {
  repo: PrivacyRepo;
  held: HeldRepo;
  /** With the last contact of each, so asked for each time. */
  processors: () => readonly ProcessorView[];
  publicUrl: URL;
  /** Where the database lives, in words. */
  place: string;
  requests: Pick<DataRequests, "list">;
  preferences: Pick<PrivacyPreferences, "of">;
  exports: Pick<DataExports, "list">;
  erasures: Pick<Erasures, "current">;
  policy: Pick<PolicyDesk, "current" | "notice">;
  incidents: Incidents;
  inactivity: Pick<Inactivity, "deletionAt">;
}): PrivacyService {
  const { repo, requests, preferences, exports, erasures, policy, incidents } = options;
  const at = (path: string) => new URL(path, options.publicUrl).href;
  const processors = async () => [...options.processors()];

  const held = (userId: UserId) =>
    heldCategories(options.held, userId, { database: options.place, processors: options.processors() });

  return {
    async overview(userId) {
      const [categories, current, nextPolicy, chosen, made, deletion, notices, looks, asked, quietUntil] =
        await Promise.all([
          held(userId),
          policy.current(),
          policy.notice(userId),
          preferences.of(userId),
          exports.list(userId),
          erasures.current(userId),
          incidents.noticesFor(userId),
          repo.staffLooks(userId),
          requests.list(userId),
          options.inactivity.deletionAt(userId),
        ]);
      const newest = made.find(({ state }) => !OVER.has(state));
      return {
        categories,
        processors: await processors(),
        policy: { version: current.version, effectiveAt: current.effectiveAt, url: at("/privacy") },
        ...(nextPolicy !== undefined && { nextPolicy }),
        preferences: chosen,
        ...(newest !== undefined && { export: newest }),
        ...(deletion !== undefined && { deletion }),
        ...(quietUntil !== undefined && { inactiveDeletionAt: quietUntil.toISOString() }),
        incidents: notices,
        staffLooks: looks.length,
        openRequests: asked.filter(({ state }) => state === "open" || state === "in_progress").length,
        supportUrl: at("/support"),
        trustUrl: at("/trust"),
      };
    },
    held,
    accessLog: (userId) => repo.staffLooks(userId),
    processors,
  };
}
