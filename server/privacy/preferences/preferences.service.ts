/** What a person corrects, disputes and chooses about the use of their data. */
import type { z } from "zod";
import type { StatementId, UserId } from "../../../shared/ids.ts";
import type {
  disputeInput,
  Preferences,
  preferencesInput,
  rectifyInput,
  StatementView,
} from "../../../shared/privacy.ts";
import type { Actor } from "../../teams/team-scope.ts";

export interface PrivacyPreferences {
  of(userId: UserId): Promise<Preferences>;
  change(actor: Actor, input: z.output<typeof preferencesInput>): Promise<Preferences>;
  /** Corrects a field, and tells whoever else holds it. */
  rectify(actor: Actor, input: z.output<typeof rectifyInput>): Promise<void>;
  statements(userId: UserId): Promise<StatementView[]>;
  dispute(actor: Actor, input: z.output<typeof disputeInput>): Promise<StatementView>;
  removeStatement(actor: Actor, id: StatementId): Promise<void>;
}
