/** Versions of the privacy policy: announcement, notices, objection, and the moment one comes into force. */
import type { UserId } from "../../../shared/ids.ts";
import type { Policy } from "../../../shared/policy/policy-v1.ts";
import type { PolicyNotice } from "../../../shared/privacy.ts";
import type { Actor } from "../../teams/team-scope.ts";

export interface PolicyDesk {
  /** The version in force now. */
  current(): Promise<Policy>;
  /** What was announced to the person and is not in force yet; counts as shown. */
  notice(userId: UserId): Promise<PolicyNotice | undefined>;
  acknowledge(actor: Actor, version: number): Promise<void>;
  /** Says what one who does not agree can do: leave before it applies, with what was paid ahead given back. */
  object(actor: Actor, version: number): Promise<void>;
  /** Whether what needs this version may be used already. */
  inForce(version: number): Promise<boolean>;
}
