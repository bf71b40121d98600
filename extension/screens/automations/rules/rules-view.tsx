/** The part of Automations that is about rules: list, one rule, one site, the log. */
import type { RunId } from "../../../../shared/id-values.ts";
import type { AutomationsPlace } from "../../../state/automations-place.ts";
import { LogPage } from "./log-page.tsx";
import { RulePage } from "./rule-page.tsx";
import { RulesPage } from "./rules-page.tsx";
import { SitePage } from "./site-page.tsx";
import "../../offers/offer-sheet.css";
import "./rules.css";

export type RulesPlace = Extract<AutomationsPlace, { view: "rules" | "rule" | "rule-log" | "site" }>;

export function isRulesPlace(place: AutomationsPlace): place is RulesPlace {
  return place.view === "rules" || place.view === "rule" || place.view === "rule-log" || place.view === "site";
}

export interface RulesViewProps {
  readonly at: RulesPlace;
  readonly mayControl: boolean;
  readonly go: (place: AutomationsPlace) => void;
}

export function RulesView({ at, mayControl, go }: RulesViewProps) {
  const rules = () => go({ view: "rules" });
  const rule = (key: string) => go({ view: "rule", key });
  switch (at.view) {
    case "rules":
      return (
        <RulesPage
          mayControl={mayControl}
          onBack={() => go({ view: "home" })}
          onRule={rule}
          onLog={() => go({ view: "rule-log" })}
          onSite={(host) => go({ view: "site", host })}
          onRun={(runId: RunId) => go({ view: "run", runId })}
        />
      );
    case "rule":
      return (
        <RulePage
          key={at.key}
          ruleKey={at.key}
          mayControl={mayControl}
          onBack={rules}
          onLog={(key) => go({ view: "rule-log", key })}
        />
      );
    case "rule-log": {
      const { key } = at;
      return <LogPage ruleKey={key} onBack={() => (key === undefined ? rules() : rule(key))} />;
    }
    case "site":
      return <SitePage host={at.host} onBack={rules} onRule={rule} />;
  }
}
