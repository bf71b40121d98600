/** What a person sees about their data, derived from the data map. */
import type { UserId } from "../../shared/ids.ts";
import { POLICY } from "../../shared/policy/policy-v1.ts";
import type { HeldCategory, PrivacyOverview } from "../../shared/privacy.ts";
import type { PrivacyRepo } from "./privacy.repo.ts";
import type { Processor } from "./processors.ts";
import { CATEGORIES, type Category, RETENTION, USES } from "./tags.ts";

export interface PrivacyService {
  overview(userId: UserId): Promise<PrivacyOverview>;
}

export function createPrivacyService(options: {
  repo: PrivacyRepo;
  processors: readonly Processor[];
  publicUrl: URL;
  /** Where the database lives, in words. */
  place: string;
}): PrivacyService {
  const at = (path: string) => new URL(path, options.publicUrl).href;
  return {
    async overview(userId) {
      const columns = await options.repo.held(userId);
      const categories = (Object.keys(CATEGORIES) as Category[]).flatMap((category): HeldCategory[] => {
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
          },
        ];
      });
      return {
        categories,
        processors: options.processors.map(({ id, name, purpose }) => ({ id, name, purpose })),
        policy: { version: POLICY.version, effectiveAt: POLICY.effectiveAt, url: at("/privacy") },
        supportUrl: at("/support"),
      };
    },
  };
}
