/** Passkeys: listed, renamed and removed here; made on the server's own page, the only place browsers allow it. */
import { useEffect, useState } from "react";
import type { PasskeyView, SecurityOverview } from "../../../shared/accounts.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu } from "../../components/menu.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePhones } from "../../state/app-context.tsx";
import { useCall } from "../panel/use-call.ts";
import { calendarDate, timeAgo } from "../phone/model/run-time.ts";
import { AskDialog } from "./ask-dialog.tsx";
import { TextDialog } from "./text-dialog.tsx";

/** While the other page is open the list is looked at this often, and for so long. */
const LOOK_MS = 3_000;
const LOOK_FOR_MS = 10 * 60_000;

export interface PasskeysCardProps {
  readonly security: SecurityOverview;
  readonly onReload: () => void;
}

export function PasskeysCard({ security, onReload }: PasskeysCardProps) {
  const { passkeys, passkeysPage } = security;
  const { server } = usePhones();
  const [open, setOpen] = useState<{ readonly what: "rename" | "remove"; readonly passkey: PasskeyView }>();
  /** How many there were when the other page was opened. */
  const [before, setBefore] = useState<number>();
  const calls = useCall();
  const toast = useToast();
  const close = () => setOpen(undefined);
  const page = ownPage(passkeysPage, server);
  const waiting = before !== undefined && before === passkeys.length;

  useEffect(() => {
    if (!waiting) return;
    const timer = setInterval(onReload, LOOK_MS);
    const end = setTimeout(() => setBefore(undefined), LOOK_FOR_MS);
    window.addEventListener("focus", onReload);
    return () => {
      clearInterval(timer);
      clearTimeout(end);
      window.removeEventListener("focus", onReload);
    };
  }, [waiting, onReload]);

  const remove = async ({ id: passkeyId, name }: PasskeyView) => {
    const result = await calls.run("remove", (api) => api.account.removePasskey.mutate({ passkeyId }));
    if (result?.ok !== true) return;
    close();
    toast({ text: `${name} signs nobody in any more.` });
    onReload();
  };

  return (
    <Card title="Passkeys">
      {passkeys.length === 0 ? (
        <p className="secondary">
          A passkey signs you in with your fingerprint, face or a security key. It cannot be guessed, or given away on a
          false page.
        </p>
      ) : (
        <List label="Passkeys">
          {passkeys.map((passkey) => (
            <ListRow
              key={passkey.id}
              lead={<Icon name="passkey" size={20} />}
              title={passkey.name}
              detail={passkeyDetail(passkey)}
              trail={
                <Menu
                  label={`${passkey.name}`}
                  items={[
                    {
                      id: "rename",
                      label: "Rename…",
                      icon: "edit",
                      onSelect: () => setOpen({ what: "rename", passkey }),
                    },
                    {
                      id: "remove",
                      label: "Remove…",
                      icon: "trash",
                      danger: true,
                      onSelect: () => setOpen({ what: "remove", passkey }),
                    },
                  ]}
                  trigger={(props) => (
                    <IconButton icon="more" label={`More about ${passkey.name}`} tooltip="left" {...props} />
                  )}
                />
              }
            />
          ))}
        </List>
      )}
      {page !== undefined && (
        <div className="card-foot">
          <Button
            size="small"
            icon="plus"
            onClick={() => {
              setBefore(passkeys.length);
              void openTab(page);
            }}
          >
            Add a passkey
          </Button>
          {waiting && (
            <span className="secondary" role="status">
              Goes on in the tab that opened.
            </span>
          )}
        </div>
      )}
      {open?.what === "rename" && (
        <TextDialog
          title="Rename the passkey"
          label="Name"
          initial={open.passkey.name}
          maxLength={60}
          verb="Save"
          save={(name) => (api) => api.account.renamePasskey.mutate({ passkeyId: open.passkey.id, name })}
          onClose={close}
          onSaved={() => {
            close();
            onReload();
          }}
        />
      )}
      {open?.what === "remove" && (
        <AskDialog
          title={`Remove ${open.passkey.name}?`}
          verb="Remove"
          stay="Keep it"
          danger
          busy={calls.busy("remove")}
          onClose={close}
          onYes={() => void remove(open.passkey)}
        >
          <p>It signs nobody in any more. Remove it from the device or password manager too, which Perch cannot do.</p>
        </AskDialog>
      )}
    </Card>
  );
}

function passkeyDetail({ createdAt, lastUsedAt, backedUp }: PasskeyView): string {
  const now = Date.now();
  return [
    lastUsedAt === undefined ? `added ${calendarDate(createdAt, now)}, never used` : `used ${timeAgo(lastUsedAt, now)}`,
    backedUp ? "synced" : "on one device",
  ].join(" · ");
}

/** The address when it is a page of this very server; a server has no other to send people to. */
function ownPage(address: string, server: string | undefined): string | undefined {
  if (server === undefined || !URL.canParse(address, server)) return undefined;
  const url = new URL(address, server);
  return url.origin === server ? url.href : undefined;
}
