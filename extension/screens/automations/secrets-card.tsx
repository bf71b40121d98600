/** The secrets one automation asks for, and whether it gets them. They are given to its steps as they are saved now. */
import { useEffect, useState } from "react";
import type { FlowDetail } from "../../../shared/automation-model.ts";
import type { SecretSummary } from "../../../shared/secret-model.ts";
import { Button } from "../../components/button.tsx";
import { Icon, type IconName } from "../../components/icon.tsx";
import { Card } from "../../components/surface.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { SetSecretDialog } from "./secret-dialogs.tsx";
import { type SecretsOfTeam, useSecrets } from "./use-secrets.ts";
import "./secrets.css";

export interface SecretsCardProps {
  readonly flow: FlowDetail;
  /** There is text that is not saved yet. */
  readonly changed: boolean;
  readonly mayControl: boolean;
  /** Shows the page with all of them. */
  readonly onSecrets: () => void;
}

export function SecretsCard({ flow, changed, mayControl, onSecrets }: SecretsCardProps) {
  const team = useSecrets();
  const [setting, setSetting] = useState<string>();
  const { value, failure, reload } = team.secrets;
  // A saved text may have taken a permission back.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version is what makes it read again
  useEffect(reload, [reload, flow.updatedAt]);
  const known = setting === undefined ? undefined : value?.find(({ name }) => name === setting);
  const asks = value?.some((secret) => flow.secrets.includes(secret.name) && stateOf(secret, flow) !== "allowed");
  return (
    <Card
      title="Secrets"
      action={
        <Button kind="quiet" size="small" onClick={onSecrets}>
          All secrets
        </Button>
      }
    >
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value !== undefined && (
        <ul className="list" aria-label="Secrets this automation uses">
          {[...new Set(flow.secrets)].map((name) => (
            <SecretLine
              key={name}
              name={name}
              secret={value.find((one) => one.name === name)}
              flow={flow}
              team={team}
              changed={changed}
              mayControl={mayControl}
              onSet={() => setSetting(name)}
            />
          ))}
        </ul>
      )}
      {changed && asks === true && mayControl && (
        <p className="secondary">Save first: a secret is allowed for the steps as they are saved.</p>
      )}
      {setting !== undefined && (
        <SetSecretDialog
          name={setting}
          known={known}
          allowed={flow.name}
          taken={[]}
          busy={team.busy("set") || (known !== undefined && team.busy(`grant ${known.id}`))}
          onClose={() => setSetting(undefined)}
          onSet={async (name, text) => {
            const secret = await team.set(name, text);
            if (secret === undefined) return;
            await team.grant(secret.id, flow.id, flow.updatedAt);
            setSetting(undefined);
          }}
        />
      )}
    </Card>
  );
}

type SecretState = "not_set" | "not_allowed" | "changed" | "allowed";

function stateOf(secret: SecretSummary | undefined, { id }: FlowDetail): SecretState {
  if (secret === undefined) return "not_set";
  const grant = secret.grants.find(({ flowId }) => flowId === id);
  return grant === undefined ? "not_allowed" : grant.current ? "allowed" : "changed";
}

const LOOK: Readonly<Record<SecretState, { readonly words: string; readonly icon: IconName; readonly tone: string }>> =
  {
    not_set: { words: "Not set yet", icon: "warning", tone: "warn" },
    not_allowed: { words: "Not allowed for this automation yet", icon: "warning", tone: "warn" },
    changed: {
      words: "Someone changed the steps since it was allowed. Read them first.",
      icon: "warning",
      tone: "warn",
    },
    allowed: { words: "Allowed", icon: "check", tone: "good" },
  };

interface SecretLineProps {
  readonly name: string;
  readonly secret: SecretSummary | undefined;
  readonly flow: FlowDetail;
  readonly team: SecretsOfTeam;
  readonly changed: boolean;
  readonly mayControl: boolean;
  readonly onSet: () => void;
}

function SecretLine({ name, secret, flow, team, changed, mayControl, onSet }: SecretLineProps) {
  const state = stateOf(secret, flow);
  const { words, icon, tone } = LOOK[state];
  const mayAllow = secret === undefined || secret.mayPassOn;
  return (
    <li className="secret-line">
      <div className="list-text">
        <span className="secret-name">{name}</span>
        <span className={`run-state tone-${tone}`}>
          <Icon name={icon} />
          {words}
        </span>
        {state !== "allowed" && !mayAllow && (
          <span className="secondary">Ask the person who set it, or an owner or admin, to allow it.</span>
        )}
      </div>
      {mayControl && <SecretAction {...{ name, secret, state, flow, team, changed, mayAllow, onSet }} />}
    </li>
  );
}

interface SecretActionProps extends Omit<SecretLineProps, "mayControl"> {
  readonly state: SecretState;
  readonly mayAllow: boolean;
}

function SecretAction({ name, secret, state, flow, team, changed, mayAllow, onSet }: SecretActionProps) {
  if (secret === undefined) {
    return (
      <Button size="small" icon="key" disabled={changed} aria-label={`Set ${name}`} onClick={onSet}>
        Set
      </Button>
    );
  }
  if (state === "allowed") {
    return (
      <Button
        kind="quiet"
        size="small"
        aria-label={`Take back ${name}`}
        busy={team.busy(`revoke ${secret.id} ${flow.id}`)}
        onClick={() => void team.revoke(secret.id, flow.id)}
      >
        Take back
      </Button>
    );
  }
  if (!mayAllow) return null;
  return (
    <Button
      size="small"
      disabled={changed}
      aria-label={state === "changed" ? `Allow again: ${name}` : `Allow ${name}`}
      busy={team.busy(`grant ${secret.id}`)}
      onClick={() => void team.grant(secret.id, flow.id, flow.updatedAt)}
    >
      {state === "changed" ? "Allow again" : "Allow"}
    </Button>
  );
}
