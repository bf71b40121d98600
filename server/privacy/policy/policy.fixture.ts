/** A second version of the policy, for tests. */
import { POLICY_VERSIONS, type PolicyVersion } from "../../../shared/policy/versions.ts";

/** `effectiveAt`: the day it names itself. */
export function withSecondVersion(effectiveAt: string): readonly PolicyVersion[] {
  const [first] = POLICY_VERSIONS;
  if (first === undefined) throw new Error("There is no version of the policy.");
  const clauses = first.clauses.map((clause) =>
    clause.id === "P4.4"
      ? { ...clause, text: "Activity logs are anonymised once they are older than 60 days." }
      : clause,
  );
  const summary = "Activity logs are anonymised after 60 days.";
  return [first, { version: 2, effectiveAt, clauses, material: true, summary }];
}
