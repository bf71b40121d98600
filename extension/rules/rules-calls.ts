/** The server's `rules.*` as the extension calls them. */

import type { PhoneId, RuleId } from "../../shared/id-values.ts";
import type { RuleInput, StartWay } from "../../shared/rules/model.ts";
import type { RuleList, RuleStart, SavedRule } from "../../shared/rules-api.ts";
import type { Api } from "../api/client.ts";

interface RulesCalls {
  readonly list: { query(): Promise<RuleList> };
  readonly save: { mutate(input: { rule: RuleInput }): Promise<SavedRule> };
  readonly remove: { mutate(input: { ruleId: RuleId }): Promise<unknown> };
  readonly resume: { mutate(input: { ruleId: RuleId }): Promise<unknown> };
  readonly start: {
    mutate(input: {
      ruleId: RuleId;
      way: StartWay;
      values: Record<string, string>;
      dedupeKey: string;
      phoneId?: PhoneId;
      cause?: RuleId[];
    }): Promise<RuleStart>;
  };
}

/** Until the server's router has them, its type does not; what it answers is `shared/rules-api.ts`. */
export function rulesOf(api: Api): RulesCalls {
  return (api as unknown as { readonly rules: RulesCalls }).rules;
}
