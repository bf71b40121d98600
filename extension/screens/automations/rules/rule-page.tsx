/** One rule: written here, tried on the tab beside the panel, and saved with the access it needs. */
import { useEffect, useRef, useState } from "react";
import { originsOf } from "../../../../shared/rules/consent.ts";
import type { Problem, Rule, RuleInput } from "../../../../shared/rules/model.ts";
import { regexesOf } from "../../../../shared/rules/rule-parts.ts";
import { Button, IconButton } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { TextField } from "../../../components/field.tsx";
import { Menu } from "../../../components/menu.tsx";
import { Notice, Skeleton } from "../../../components/notice.tsx";
import { PageHead } from "../../../components/page-head.tsx";
import { useToast } from "../../../components/toast.tsx";
import { requestSites } from "../../../platform/permissions.ts";
import { rememberConsent } from "../../../rules/site-consent.ts";
import { FailureNotice } from "../../panel/failure-notice.tsx";
import { useCall } from "../../panel/use-call.ts";
import { ActionCard } from "./action-card.tsx";
import { ConditionsCard, WhereCard } from "./conditions-card.tsx";
import { checkDraft, consentWords, problemAt, siteNames } from "./model/rule-draft.ts";
import { consentNotice } from "./model/rule-words.ts";
import { MoreFields } from "./more-card.tsx";
import { TryCard } from "./try-card.tsx";
import { useRuleDraft } from "./use-rule-draft.ts";
import { records, useRules, useRulesChanged } from "./use-rules.ts";
import { ValuesCard } from "./values-card.tsx";

export interface RulePageProps {
  /** The rule's id; a new one has a draft. */
  readonly ruleKey: string;
  readonly mayControl: boolean;
  readonly onBack: () => void;
  readonly onLog: (key: string) => void;
}

export function RulePage({ ruleKey, mayControl, onBack, onLog }: RulePageProps) {
  const remote = useRules();
  const changed = useRulesChanged(remote.reload);
  const drafts = useRuleDraft(ruleKey);
  const calls = useCall();
  const toast = useToast();
  const [tried, setTried] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const saved = remote.value?.rules.find(({ rule }) => rule.id === ruleKey);
  const rule: RuleInput | undefined = drafts.draft?.rule ?? saved?.rule;
  const expressions = useExpressionProblems(rule);
  const page = useRef<HTMLDivElement>(null);

  if (rule === undefined || remote.value === undefined || drafts.loading) {
    return (
      <div className="screen">
        <PageHead back="All rules" onBack={onBack} title="Rule" />
        {remote.failure !== undefined ? (
          <FailureNotice failure={remote.failure} onRetry={remote.reload} />
        ) : remote.value !== undefined && !drafts.loading ? (
          <Notice>This rule is gone. Someone in your team may have deleted it.</Notice>
        ) : (
          <Skeleton label="Loading the rule" rows={6} />
        )}
      </div>
    );
  }
  const checked = checkDraft(rule);
  const problems: readonly Problem[] = [...checked.problems, ...expressions];
  const shown = tried ? problems : [];
  const parts = { rule, problems: shown, onChange: (change: Partial<RuleInput>) => edit(change) };
  const edit = (change: Partial<RuleInput>) => {
    const base = drafts.draft?.base ?? saved?.updatedAt;
    drafts.put({ rule: { ...rule, ...change }, ...(base !== undefined && { base }) });
  };
  /** The rule, if nothing is wrong with it; else the first mistake comes into view. */
  const sound = (): Rule | undefined => {
    setTried(true);
    if (problems.length === 0) return checked.rule;
    requestAnimationFrame(() => page.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus());
    return undefined;
  };
  const save = async () => {
    const whole = sound();
    if (whole === undefined) return;
    // Asked before anything is awaited, or the browser would not ask.
    const asked = await requestSites(originsOf(whole));
    const result = await calls.run("save", (api) => api.rules.save.mutate({ rule: whole }));
    if (result?.ok !== true) return;
    if (asked.ok) await rememberConsent(records, whole);
    drafts.put(undefined);
    await changed();
    toast({
      text: asked.ok
        ? `${whole.name} is saved.`
        : `${whole.name} is saved, but without access to ${siteNames(whole).join(", ")} it runs here by your click only. Save again to allow it.`,
    });
    onBack();
  };
  const remove = async () => {
    if (saved !== undefined) {
      const result = await calls.run("remove", (api) => api.rules.remove.mutate({ ruleId: saved.rule.id }));
      if (result?.ok !== true) return setDeleting(false);
    }
    drafts.put(undefined);
    await changed();
    onBack();
    toast({ text: `${rule.name.trim() || "The rule"} is deleted.` });
  };
  const notice = saved === undefined ? undefined : consentNotice(saved.consent);
  const nameError = problemAt(shown, "name");
  const overtaken = drafts.draft?.base !== undefined && saved !== undefined && drafts.draft.base !== saved.updatedAt;

  return (
    <div className="flow-page" ref={page}>
      <div className="screen">
        <PageHead
          back="All rules"
          onBack={onBack}
          title={rule.name.trim() || "New rule"}
          detail={
            saved === undefined
              ? "Not saved yet, kept here"
              : drafts.draft === undefined
                ? "Saved"
                : "Changed, kept here"
          }
          actions={
            <Menu
              label="Rule: more"
              items={[
                { id: "log", label: "Why did it (not) run", icon: "activity", onSelect: () => onLog(ruleKey) },
                ...(drafts.draft !== undefined && saved !== undefined
                  ? [
                      {
                        id: "discard",
                        label: "Discard changes",
                        icon: "refresh",
                        onSelect: () => drafts.put(undefined),
                      } as const,
                    ]
                  : []),
                ...(mayControl
                  ? [
                      {
                        id: "delete",
                        label: "Delete…",
                        icon: "trash",
                        danger: true,
                        onSelect: () => setDeleting(true),
                      } as const,
                    ]
                  : []),
              ]}
              trigger={(props) => <IconButton {...props} icon="more" label="More about this rule" tooltip="left" />}
            />
          }
        />
        {!mayControl && <Notice>Your role lets you read rules, not change them. Ask the team's owner.</Notice>}
        {notice !== undefined && (
          <Notice tone="warn" title={notice}>
            {saved?.consent === "changed"
              ? "It is not the rule you allowed in this browser any more. Look at it, then save to allow it as it is now."
              : "This browser has no access to its sites, or you have not allowed this rule here. Save to allow it."}
          </Notice>
        )}
        {overtaken && (
          <Notice tone="warn" title="Someone saved this rule after you began.">
            Saving replaces their version. To see theirs, discard your changes in the ⋯ menu.
          </Notice>
        )}
        <fieldset className="rule-fields" disabled={!mayControl}>
          <TextField
            label="Name"
            value={rule.name}
            maxLength={80}
            {...(nameError !== undefined && { error: nameError })}
            onChange={({ target }) => edit({ name: target.value })}
          />
          <WhereCard {...parts} />
          <ConditionsCard {...parts} />
          <ValuesCard {...parts} />
          <ActionCard {...parts} flows={remote.value.flows} />
          <MoreFields {...parts} />
          <TryCard check={sound} />
        </fieldset>
      </div>
      {mayControl && (
        <div className="rule-bar">
          <p className="secondary">
            {checked.rule === undefined
              ? "Rules are judged in this browser. Only the values named here are sent."
              : consentWords(checked.rule)}
          </p>
          <div className="rule-bar-row">
            {tried && problems.length > 0 && (
              <span className="tone-bad" role="status">
                {problems.length === 1 ? "1 thing to mend" : `${problems.length} things to mend`}
              </span>
            )}
            <Button kind="primary" icon="check" busy={calls.busy("save")} onClick={() => void save()}>
              Save
            </Button>
          </div>
        </div>
      )}
      {deleting && (
        <Dialog
          title={`Delete ${rule.name.trim() || "this rule"}?`}
          onClose={() => setDeleting(false)}
          actions={
            <>
              <Button onClick={() => setDeleting(false)}>Keep it</Button>
              <Button kind="danger" icon="trash" busy={calls.busy("remove")} onClick={() => void remove()}>
                Delete
              </Button>
            </>
          }
        >
          <p>
            {saved === undefined
              ? "It was never saved: what you wrote will be gone."
              : "The rule will be gone for your whole team. Its automation and past runs stay."}
          </p>
        </Dialog>
      )}
    </div>
  );
}

/** What is wrong with the rule's expressions; the engine that tells is loaded when there is one. */
function useExpressionProblems(rule: RuleInput | undefined): readonly Problem[] {
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const expressions =
    rule === undefined
      ? "[]"
      : JSON.stringify(
          regexesOf({ when: rule.when as Rule["when"], extract: (rule.extract ?? []) as Rule["extract"] }),
        );
  useEffect(() => {
    const all = JSON.parse(expressions) as ReturnType<typeof regexesOf>;
    if (all.length === 0) return setProblems([]);
    let left = false;
    void import("../../../../shared/rules/regex.ts").then(({ vetRegex }) => {
      if (left) return;
      setProblems(
        all.flatMap(({ path, source }) => {
          const vetted = vetRegex(source);
          return vetted.ok ? [] : [{ path, message: vetted.message }];
        }),
      );
    });
    return () => {
      left = true;
    };
  }, [expressions]);
  return problems;
}
