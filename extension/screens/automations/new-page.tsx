/** Ways to begin an automation: empty, from a template, and what else makes one. */
import { Icon, type IconName } from "../../components/icon.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Card } from "../../components/surface.tsx";
import { EMPTY_FLOW, type FlowTemplate, TEMPLATES } from "./model/templates.ts";

/** A way other than writing it. */
export interface NewWay {
  readonly id: string;
  readonly label: string;
  /** What happens then, in one line. */
  readonly detail: string;
  readonly icon: IconName;
  readonly onSelect: () => void;
}

export interface NewPageProps {
  readonly ways: readonly NewWay[];
  readonly onStart: (template: FlowTemplate) => void;
  readonly onBack: () => void;
}

export function NewPage({ ways, onStart, onBack }: NewPageProps) {
  return (
    <div className="screen">
      <PageHead back="All automations" onBack={onBack} title="New automation" />
      <Card>
        <Choices
          label="Ways to begin"
          choices={[
            {
              id: EMPTY_FLOW.id,
              label: "Write it",
              detail: EMPTY_FLOW.about,
              icon: "edit",
              onSelect: () => onStart(EMPTY_FLOW),
            },
            ...ways,
          ]}
        />
      </Card>
      <Card title="Or start from one of these">
        <Templates onStart={onStart} />
      </Card>
    </div>
  );
}

export function Templates({ onStart }: { readonly onStart: (template: FlowTemplate) => void }) {
  return (
    <Choices
      label="Templates"
      choices={TEMPLATES.map((template) => ({
        id: template.id,
        label: template.name,
        detail: template.about,
        icon: template.icon,
        onSelect: () => onStart(template),
      }))}
    />
  );
}

export function Choices({ label, choices }: { readonly label: string; readonly choices: readonly NewWay[] }) {
  return (
    <ul className="list" aria-label={label}>
      {choices.map(({ id, label: words, detail, icon, onSelect }) => (
        <li key={id} className="automation-row">
          <button type="button" className="row-button row-button-icon" onClick={onSelect}>
            <Icon name={icon} size={20} />
            <span className="list-text">
              <span className="list-title">{words}</span>
              <span className="secondary">{detail}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
