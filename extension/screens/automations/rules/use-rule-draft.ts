/** The draft of one rule, kept as it is written. */
import { useEffect, useState } from "react";
import { type RuleDraft, type RuleDrafts, ruleDrafts, withRuleDraft } from "./rule-drafts.ts";

const store = ruleDrafts();

export interface RuleDraftState {
  readonly loading: boolean;
  readonly draft: RuleDraft | undefined;
  /** Undefined takes it away. */
  readonly put: (draft: RuleDraft | undefined) => void;
}

export function useRuleDraft(key: string): RuleDraftState {
  const [drafts, setDrafts] = useState<RuleDrafts>();
  useEffect(() => {
    void store.get().then(setDrafts);
  }, []);
  return {
    loading: drafts === undefined,
    draft: drafts?.[key],
    put(draft) {
      setDrafts((all) => withRuleDraft(all ?? {}, key, draft));
      void store.update((all) => withRuleDraft(all, key, draft));
    },
  };
}

export async function putRuleDraft(draft: RuleDraft): Promise<void> {
  await store.update((all) => withRuleDraft(all, draft.rule.id, draft));
}

/** Drafts of rules that were never saved. */
export function useNewRuleDrafts(saved: readonly string[]): readonly RuleDraft[] {
  const [drafts, setDrafts] = useState<RuleDrafts>({});
  useEffect(() => {
    void store.get().then(setDrafts);
    return store.watch(setDrafts);
  }, []);
  return Object.values(drafts).filter(({ rule }) => !saved.includes(rule.id));
}
