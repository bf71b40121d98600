/** What a person sees about their data, derived from the data map. */
import type { UserId } from "../../shared/ids.ts";
import type { AccessLogEntry, HeldCategory, PrivacyOverview, ProcessorView } from "../../shared/privacy.ts";
import type { Erasures } from "./erasure/erasures.service.ts";
import type { DataExports } from "./export/exports.service.ts";
import type { Incidents } from "./incidents/incidents.service.ts";
import type { PolicyDesk } from "./policy/policy.service.ts";
import type { PrivacyPreferences } from "./preferences/preferences.service.ts";
import type { PrivacyRepo } from "./privacy.repo.ts";
import type { DataRequests } from "./requests/requests.service.ts";
import type { Inactivity } from "./retention/inactivity.service.ts";
import { CATEGORIES, type Category, RETENTION, USES } from "./tags.ts";

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

  async function held(userId: UserId): Promise<HeldCategory[]> {
    const columns = await repo.held(userId);
    return (Object.keys(CATEGORIES) as Category[]).flatMap((category): HeldCategory[] => {
      const mine = columns.filter((column) => column.category === category);
      if (mine.length === 0) return [];
      const oldest = mine.flatMap((column) => column.oldestAt ?? []).sort((a, b) => a.getTime() - b.getTime())[0];
      const words = (texts: readonly string[]) => [...new Set(texts)].join("; ");
      return [
        {
          category,
          label: CATEGORIES[category],
          purpose: words(mine.flatMap((column) => column.uses.map((use) => USES[use]))),
          items: Math.max(...mine.map((column) => column.items)),
          ...(oldest !== undefined && { oldestAt: oldest.toISOString() }),
          leaves: words(mine.map((column) => RETENTION[column.retain].words)),
          place: options.place,
          clauses: [...new Set(mine.map((column) => column.clause))].sort(),
          rectify: mine.some((column) => column.rectify === "self") ? "self" : "support",
        },
      ];
    });
  }

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
