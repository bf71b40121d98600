/** The team's secrets: names, when they were set, which automations may use them. Values are never shown. */
import { useState } from "react";
import type { SecretGrant, SecretSummary } from "../../../shared/secret-model.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu } from "../../components/menu.tsx";
import { EmptyState, Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { timeAgo } from "../phone/model/run-time.ts";
import { RemoveSecretDialog, SetSecretDialog } from "./secret-dialogs.tsx";
import { useSecrets } from "./use-secrets.ts";
import "./secrets.css";

export interface SecretsPageProps {
  readonly mayControl: boolean;
  readonly onBack: () => void;
  readonly onFlow: (key: string) => void;
}

type Open =
  | { readonly what: "add" }
  | { readonly what: "replace" | "remove"; readonly secret: SecretSummary }
  | undefined;

export function SecretsPage({ mayControl, onBack, onFlow }: SecretsPageProps) {
  const { secrets, busy, set, remove, revoke } = useSecrets();
  const [open, setOpen] = useState<Open>();
  const now = useNow(true);
  const toast = useToast();
  const { value, failure, reload } = secrets;
  const close = () => setOpen(undefined);
  const add = (
    <Button kind="primary" icon="plus" onClick={() => setOpen({ what: "add" })}>
      New
    </Button>
  );
  return (
    <div className="screen">
      <PageHead
        back="All automations"
        onBack={onBack}
        title="Secrets"
        detail="Kept encrypted"
        actions={mayControl && value !== undefined && value.length > 0 && add}
      />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {!mayControl && <Notice>Your role lets you see the names of secrets. Ask the team's owner to change it.</Notice>}
      {value === undefined && failure === undefined && <Skeleton label="Loading secrets" rows={3} />}
      {value?.length === 0 && <NoSecrets mayControl={mayControl} onAdd={() => setOpen({ what: "add" })} />}
      {value?.map((secret) => (
        <SecretCard
          key={secret.id}
          secret={secret}
          now={now}
          mayControl={mayControl}
          busy={(grant) => busy(`revoke ${secret.id} ${grant.flowId}`)}
          onReplace={() => setOpen({ what: "replace", secret })}
          onRemove={() => setOpen({ what: "remove", secret })}
          onFlow={onFlow}
          onRevoke={(grant) => void revoke(secret.id, grant.flowId)}
        />
      ))}
      {(open?.what === "add" || open?.what === "replace") && (
        <SetSecretDialog
          name={open.what === "replace" ? open.secret.name : undefined}
          known={open.what === "replace" ? open.secret : undefined}
          taken={open.what === "add" ? (value ?? []).map(({ name }) => name) : []}
          busy={busy("set")}
          onClose={close}
          onSet={async (name, text) => {
            if ((await set(name, text)) === undefined) return;
            close();
            toast({ text: open.what === "add" ? `${name} is set.` : `${name} has its new value.` });
          }}
        />
      )}
      {open?.what === "remove" && (
        <RemoveSecretDialog
          secret={open.secret}
          busy={busy("remove")}
          onClose={close}
          onRemove={async () => {
            if (!(await remove(open.secret.id))) return;
            close();
            toast({ text: `${open.secret.name} is removed.` });
          }}
        />
      )}
    </div>
  );
}

function NoSecrets({ mayControl, onAdd }: { readonly mayControl: boolean; readonly onAdd: () => void }) {
  return (
    <EmptyState
      icon="key"
      title="Keep passwords out of your steps"
      action={
        mayControl && (
          <Button kind="primary" icon="plus" onClick={onAdd}>
            New secret
          </Button>
        )
      }
    >
      <p>
        Write <code>secrets: [SHOP_PASSWORD]</code> in an automation's header and <code>${"{SHOP_PASSWORD}"}</code> in
        its steps. The value is kept here: encrypted, never shown again, hidden in reports and pictures.
      </p>
    </EmptyState>
  );
}

interface SecretCardProps {
  readonly secret: SecretSummary;
  /** Unix milliseconds. */
  readonly now: number;
  readonly mayControl: boolean;
  readonly busy: (grant: SecretGrant) => boolean;
  readonly onReplace: () => void;
  readonly onRemove: () => void;
  readonly onFlow: (key: string) => void;
  readonly onRevoke: (grant: SecretGrant) => void;
}

function SecretCard(props: SecretCardProps) {
  const { secret, now, mayControl, busy, onReplace, onRemove, onFlow, onRevoke } = props;
  const { name, mine, mayPassOn, changedAt, grants } = secret;
  return (
    <Card>
      <header className="secret-head">
        <Icon name="key" />
        <div className="list-text">
          <h2 className="secret-name">{name}</h2>
          <p className="secondary tabular">
            {mine ? "Set by you" : "Set by someone in your team"} {timeAgo(changedAt, now)}
          </p>
        </div>
        {mayControl && mayPassOn && (
          <Menu
            label={`${name}: more`}
            items={[
              { id: "replace", label: "Replace the value…", icon: "edit", onSelect: onReplace },
              "separator",
              { id: "remove", label: "Remove…", icon: "trash", danger: true, onSelect: onRemove },
            ]}
            trigger={(trigger) => <IconButton {...trigger} icon="more" label={`More about ${name}`} tooltip="left" />}
          />
        )}
      </header>
      {grants.length === 0 ? (
        <p className="secondary">No automation may use it yet. Allow it on the page of one that asks for it.</p>
      ) : (
        <ul className="list" aria-label={`Automations that use ${name}`}>
          {grants.map((grant) => (
            <li key={grant.flowId} className="automation-row">
              <button type="button" className="row-button" onClick={() => onFlow(grant.flowId)}>
                <span className="list-title">{grant.flowName}</span>
                {grant.current ? (
                  <span className="run-state tone-good">
                    <Icon name="check" />
                    Allowed
                  </span>
                ) : (
                  <span className="run-state tone-warn">
                    <Icon name="warning" />
                    Changed since, not allowed now
                  </span>
                )}
              </button>
              {mayControl && (
                <IconButton
                  icon="close"
                  label={`Take ${name} from ${grant.flowName}`}
                  tooltip="left"
                  busy={busy(grant)}
                  onClick={() => onRevoke(grant)}
                />
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
