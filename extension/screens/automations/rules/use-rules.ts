/** The team's rules and how they stand in this browser. */
import { useCallback, useEffect, useState } from "react";
import type { FlowSummary } from "../../../../shared/automation-model.ts";
import type { SavedRule } from "../../../../shared/rules-api.ts";
import type { Api } from "../../../api/client.ts";
import { ask } from "../../../messaging/asks.ts";
import { onSitesChanged } from "../../../platform/permissions.ts";
import { indexedDbRecords } from "../../../rules/rule-records.ts";
import { type ConsentState, consentState } from "../../../rules/site-consent.ts";
import { type Remote, useRemote } from "../../panel/use-remote.ts";

/** Of this browser; all parts of the extension share them. */
export const records = indexedDbRecords();

export interface RuleView extends SavedRule {
  readonly consent: ConsentState;
}

export interface RulesRead {
  readonly rules: readonly RuleView[];
  readonly flows: readonly FlowSummary[];
}

async function read(api: Api): Promise<RulesRead> {
  const [list, flows] = await Promise.all([api.rules.list.query(), api.flows.list.query()]);
  const rules = await Promise.all(
    list.rules.map(async (saved) => ({ ...saved, consent: await consentState(records, saved.rule) })),
  );
  return { rules, flows };
}

export function useRules(): Remote<RulesRead> {
  const remote = useRemote(read);
  const { reload } = remote;
  const [changes, setChanges] = useState(0);
  useEffect(() => onSitesChanged(() => setChanges((count) => count + 1)), []);
  useEffect(() => {
    if (changes > 0) reload();
  }, [changes, reload]);
  return remote;
}

/** To be called after a rule or what was agreed to changed: reads anew, and has the worker do the same. */
export function useRulesChanged(reload: () => void): () => Promise<void> {
  return useCallback(async () => {
    await ask("rules_changed", {});
    reload();
  }, [reload]);
}

export function flowNameOf(flows: readonly FlowSummary[], { rule }: SavedRule): string {
  return flows.find(({ id }) => id === rule.action.flowId)?.name ?? "an automation that is gone";
}
