/** "Test on this tab": what the rule as it is written would do on the page beside the panel. Starts nothing. */
import { useState } from "react";
import { startsOf } from "../../../../shared/rules/consent.ts";
import { type Evaluation, inputsOf } from "../../../../shared/rules/evaluate.ts";
import type { Rule } from "../../../../shared/rules/model.ts";
import { needsOf } from "../../../../shared/rules/page-facts.ts";
import { Button } from "../../../components/button.tsx";
import { Notice } from "../../../components/notice.tsx";
import { Card } from "../../../components/surface.tsx";
import { activeTab } from "../../../platform/tabs.ts";
import { evaluator } from "../../../rules/evaluate-rule.ts";
import { evaluateHere } from "../../../rules/expressions-here.ts";
import { readPage } from "../../../rules/read-page.ts";
import { ChecksList } from "./checks-list.tsx";

type Tried =
  | { readonly ok: true; readonly host: string; readonly rule: Rule; readonly evaluation: Evaluation }
  | { readonly ok: false; readonly words: string };

/** `check` gives the rule, or undefined and shows what is wrong. */
export function TryCard({ check }: { readonly check: () => Rule | undefined }) {
  const [tried, setTried] = useState<Tried>();
  const [busy, setBusy] = useState(false);
  const test = async () => {
    const rule = check();
    if (rule === undefined) return setTried({ ok: false, words: "First mend what is marked above." });
    setBusy(true);
    setTried(await tryOnTab(rule));
    setBusy(false);
  };
  return (
    <Card
      title="Try it"
      action={
        <Button size="small" icon="eye" busy={busy} onClick={() => void test()}>
          Test on this tab
        </Button>
      }
    >
      <div role="status">
        {tried === undefined && <p className="secondary">Shows what it would do here, and starts nothing.</p>}
        {tried?.ok === false && <Notice tone="warn">{tried.words}</Notice>}
        {tried?.ok === true && <Outcome {...tried} />}
      </div>
    </Card>
  );
}

function Outcome({ host, rule, evaluation }: Extract<Tried, { ok: true }>) {
  const inputs = Object.entries(inputsOf(rule, evaluation.values));
  return (
    <>
      <p>
        <strong>{evaluation.fits ? `It fits ${host}.` : `It does not fit ${host}.`}</strong>{" "}
        {!evaluation.fits && evaluation.reason}
      </p>
      <ChecksList checks={evaluation.checks} />
      <h3>The automation would get</h3>
      {inputs.length === 0 ? (
        <p className="secondary">Nothing.</p>
      ) : (
        <dl className="offer-values">
          {inputs.map(([name, value]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>
                <bdi>{value}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}

async function tryOnTab(rule: Rule): Promise<Tried> {
  const tab = await activeTab();
  const hidden = {
    ok: false,
    words:
      "Perch may not see this tab. Click Perch's button in the browser's toolbar while the page is open, then test again; or save the rule and allow its site.",
  } as const;
  if (tab?.id === undefined || tab.url === undefined) return hidden;
  const needs = needsOf([rule]);
  const page = needs === undefined ? undefined : await readPage({ tabId: tab.id, documentId: undefined }, needs);
  if (needs !== undefined && page === undefined) return hidden;
  const [start = "click"] = startsOf(rule);
  const facts = { start, at: Date.now(), url: tab.url, visits: [], ...(page !== undefined && { page }) };
  const evaluation = await evaluator(evaluateHere)(rule, facts);
  return { ok: true, host: URL.canParse(tab.url) ? new URL(tab.url).host : "this page", rule, evaluation };
}
