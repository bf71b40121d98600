/** Webhooks of one automation: what may start it from outside, and how it is called. */
import { useState } from "react";
import type { FlowDetail } from "../../../shared/automation-model.ts";
import type { Webhook, WebhookWithSecret } from "../../../shared/webhooks.ts";
import type { Api } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu } from "../../components/menu.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { copyText } from "../../platform/clipboard.ts";
import { usePhones } from "../../state/app-context.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { timeAgo } from "../phone/model/run-time.ts";
import { curlExample, webhookPlace } from "./model/webhook-words.ts";
import { NewWebhookDialog, RemoveWebhookDialog, RotateWebhookDialog, SecretDialog } from "./webhook-dialogs.tsx";

export interface WebhooksCardProps {
  readonly flow: FlowDetail;
  readonly mayControl: boolean;
}

type Open =
  | { readonly dialog: "new" }
  | { readonly dialog: "secret"; readonly made: WebhookWithSecret }
  | { readonly dialog: "rotate" | "remove"; readonly webhook: Webhook };

const readWebhooks = (api: Api): Promise<readonly Webhook[]> => api.webhooks.list.query();

export function WebhooksCard({ flow, mayControl }: WebhooksCardProps) {
  const all = useRemote(readWebhooks);
  const [open, setOpen] = useState<Open>();
  const calls = useCall();
  const toast = useToast();
  const { phones } = usePhones();
  const now = useNow(true);
  const webhooks = all.value?.filter(({ flowId }) => flowId === flow.id) ?? [];
  // Nothing to read and nothing to do: not even a heading.
  if (all.value === undefined || (webhooks.length === 0 && !mayControl)) return null;

  const close = () => setOpen(undefined);
  const copyCall = async ({ url }: Webhook) => {
    const copied = await copyText(curlExample(url, flow.inputs));
    toast(
      copied.ok
        ? { text: "The call is copied. It reads the secret from SECRET." }
        : { text: "The browser did not let Perch copy. Try again.", tone: "error" },
    );
  };
  const create = async (what: Pick<Webhook, "name" | "phone" | "mayUseSecrets">) => {
    const result = await calls.run("webhook", (api) => api.webhooks.create.mutate({ ...what, flowId: flow.id }));
    if (result?.ok !== true) return;
    all.reload();
    setOpen({ dialog: "secret", made: result.value });
  };
  const rotate = async ({ id }: Webhook) => {
    const result = await calls.run("webhook", (api) => api.webhooks.rotate.mutate({ webhookId: id }));
    if (result?.ok === true) setOpen({ dialog: "secret", made: result.value });
  };
  const remove = async ({ id, name }: Webhook) => {
    const result = await calls.run("webhook", (api) => api.webhooks.remove.mutate({ webhookId: id }));
    if (result?.ok !== true) return;
    close();
    all.reload();
    toast({ text: `The webhook ${name} is removed.` });
  };

  return (
    <>
      <details className="disclosure webhooks" open={webhooks.length > 0}>
        <summary>
          <Icon name="chevronRight" />
          Webhooks
        </summary>
        <p className="secondary">Systems of yours start this automation by a signed call to an address.</p>
        {webhooks.length > 0 && (
          <ul className="list" aria-label="Webhooks">
            {webhooks.map((webhook) => (
              <li key={webhook.id} className="automation-row">
                <span className="list-text row-text">
                  <span className="list-title truncate">{webhook.name}</span>
                  <span className="secondary tabular">
                    {webhookPlace(webhook, phones)} ·{" "}
                    {webhook.lastUsedAt === undefined ? "never called" : `called ${timeAgo(webhook.lastUsedAt, now)}`}
                  </span>
                </span>
                {mayControl && (
                  <Menu
                    label={`${webhook.name}: more`}
                    items={[
                      {
                        id: "copy",
                        label: "Copy the call (curl)",
                        icon: "copy",
                        onSelect: () => void copyCall(webhook),
                      },
                      {
                        id: "rotate",
                        label: "New secret…",
                        icon: "refresh",
                        onSelect: () => setOpen({ dialog: "rotate", webhook }),
                      },
                      {
                        id: "remove",
                        label: "Remove…",
                        icon: "trash",
                        danger: true,
                        onSelect: () => setOpen({ dialog: "remove", webhook }),
                      },
                    ]}
                    side="above"
                    trigger={(props) => (
                      <IconButton {...props} icon="more" label={`More about ${webhook.name}`} tooltip="left" />
                    )}
                  />
                )}
              </li>
            ))}
          </ul>
        )}
        {mayControl && (
          <div className="run-actions">
            <Button size="small" icon="plus" onClick={() => setOpen({ dialog: "new" })}>
              New webhook
            </Button>
          </div>
        )}
      </details>
      {open?.dialog === "new" && (
        <NewWebhookDialog
          phones={phones}
          secrets={flow.secrets}
          busy={calls.busy("webhook")}
          onCreate={(what) => void create(what)}
          onClose={close}
        />
      )}
      {open?.dialog === "secret" && (
        <SecretDialog made={open.made} call={curlExample(open.made.url, flow.inputs)} onClose={close} />
      )}
      {open?.dialog === "rotate" && (
        <RotateWebhookDialog
          name={open.webhook.name}
          busy={calls.busy("webhook")}
          onRotate={() => void rotate(open.webhook)}
          onClose={close}
        />
      )}
      {open?.dialog === "remove" && (
        <RemoveWebhookDialog
          name={open.webhook.name}
          busy={calls.busy("webhook")}
          onRemove={() => void remove(open.webhook)}
          onClose={close}
        />
      )}
    </>
  );
}
