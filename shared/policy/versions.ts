/** Every version of the privacy policy that was ever published, the oldest first. A new one is added, none is edited. */
import { POLICY, type Policy } from "./policy-v1.ts";

export interface PolicyVersion extends Policy {
  /**
   * Changes what is collected, why, by whom it is processed or how long it is kept: announced to everybody, and in force
   * no sooner than 14 days after the last notice. What is not material is in force on its own date.
   */
  readonly material: boolean;
  /** What changes, in a sentence or two. */
  readonly summary: string;
}

export const POLICY_VERSIONS: readonly PolicyVersion[] = [{ ...POLICY, material: true, summary: "The first version." }];
