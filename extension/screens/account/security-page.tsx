/** Security: everything that lets somebody in, and its change. */
import { useState } from "react";
import type { BackupCodes, SecurityOverview, TotpEnrolment } from "../../../shared/accounts.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { ClockNotice } from "../panel/clock-notice.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { type LastRead, useRemote } from "../panel/use-remote.ts";
import { calendarDate } from "../phone/model/run-time.ts";
import { AskDialog } from "./ask-dialog.tsx";
import { BackupCodesDialog } from "./backup-codes-dialog.tsx";
import { protectionWords } from "./model/account-words.ts";
import { PasskeysCard } from "./passkeys-card.tsx";
import { PasswordDialog } from "./password-dialog.tsx";
import { TotpDialog } from "./totp-dialog.tsx";

const readSecurity = (api: Api): Promise<SecurityOverview> => api.account.security.query();
/** Fewer are soon none. */
const FEW_CODES = 3;

type Open =
  | { readonly what: "password" | "new_codes" | "remove_totp" }
  | { readonly what: "totp"; readonly enrolment: TotpEnrolment }
  | { readonly what: "codes"; readonly codes: BackupCodes["codes"] };

export interface SecurityPageProps {
  readonly last: LastRead<SecurityOverview>;
  readonly onBack: () => void;
}

export function SecurityPage({ last, onBack }: SecurityPageProps) {
  const security = useRemote(readSecurity, last);
  const [open, setOpen] = useState<Open>();
  const calls = useCall();
  const toast = useToast();
  const { value, failure, reload } = security;
  const close = () => setOpen(undefined);
  const beginTotp = async () => {
    const result = await calls.run("totp", (api) => api.account.beginTotp.mutate());
    if (result?.ok === true) setOpen({ what: "totp", enrolment: result.value });
  };
  const newCodes = async () => {
    const result = await calls.run("new_codes", (api) => api.account.newBackupCodes.mutate());
    if (result?.ok === true) setOpen({ what: "codes", codes: result.value.codes });
    reload();
  };
  const removeTotp = async () => {
    const result = await calls.run("remove_totp", (api) => api.account.removeTotp.mutate());
    if (result?.ok !== true) return;
    close();
    toast({ text: "Signing in asks for no code any more." });
    reload();
  };
  return (
    <div className="screen">
      <PageHead back="Account" onBack={onBack} title="Security" detail="What lets somebody into your account" />
      <ClockNotice />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading security" rows={5} />}
      {value !== undefined && (
        <>
          {protectionWords(value).weak && (
            <Notice tone="warn" title="A password alone protects your account.">
              Whoever learns it is in. A passkey, or codes from an app, stop that.
            </Notice>
          )}
          <Card title="Password">
            <List label="Password">
              <ListRow
                lead={<Icon name="key" size={20} />}
                title={value.password === null ? "None" : "Set"}
                detail={
                  value.password === null
                    ? "You sign in with a passkey."
                    : `Changed ${calendarDate(value.password.changedAt, Date.now())}`
                }
                trail={
                  <Button size="small" aria-label="Change the password" onClick={() => setOpen({ what: "password" })}>
                    {value.password === null ? "Set one" : "Change"}
                  </Button>
                }
              />
            </List>
          </Card>
          <PasskeysCard security={value} onReload={reload} />
          <Card title="Codes from an app">
            <List label="Codes from an app">
              <ListRow
                lead={<Icon name="phone" size={20} />}
                title={value.totp === null ? "Off" : "On"}
                detail={
                  value.totp === null
                    ? "A new code every 30 seconds, asked for beside the password"
                    : `Since ${calendarDate(value.totp.since, Date.now())}`
                }
                trail={
                  value.totp === null ? (
                    <Button
                      size="small"
                      busy={calls.busy("totp")}
                      aria-label="Set up codes from an app"
                      onClick={() => void beginTotp()}
                    >
                      Set up
                    </Button>
                  ) : (
                    <Button
                      size="small"
                      kind="quiet"
                      aria-label="Remove codes from an app"
                      onClick={() => setOpen({ what: "remove_totp" })}
                    >
                      Remove
                    </Button>
                  )
                }
              />
              {value.totp !== null && (
                <ListRow
                  lead={<Icon name="file" size={20} />}
                  title={
                    <>
                      {value.backupCodesLeft === 1
                        ? "1 backup code left"
                        : `${value.backupCodesLeft} backup codes left`}{" "}
                      {value.backupCodesLeft <= FEW_CODES && <Badge tone="warn">Few</Badge>}
                    </>
                  }
                  detail="For when the app is out of reach. Each works once."
                  trail={
                    <Button
                      size="small"
                      kind="quiet"
                      aria-label="New backup codes"
                      onClick={() => setOpen({ what: "new_codes" })}
                    >
                      New
                    </Button>
                  }
                />
              )}
            </List>
          </Card>
        </>
      )}
      {open?.what === "password" && (
        <PasswordDialog
          onClose={close}
          onChanged={(ended) => {
            close();
            toast({ text: changedWords(ended) });
            reload();
          }}
        />
      )}
      {open?.what === "totp" && (
        <TotpDialog
          enrolment={open.enrolment}
          onClose={close}
          onConfirmed={(codes) => {
            setOpen({ what: "codes", codes });
            reload();
          }}
        />
      )}
      {open?.what === "codes" && <BackupCodesDialog codes={open.codes} onClose={close} />}
      {open?.what === "new_codes" && (
        <AskDialog
          title="New backup codes?"
          verb="Make new ones"
          stay="Keep these"
          busy={calls.busy("new_codes")}
          onClose={close}
          onYes={() => void newCodes()}
        >
          <p>The earlier ones stop working at once, on paper too.</p>
        </AskDialog>
      )}
      {open?.what === "remove_totp" && (
        <AskDialog
          title="Remove codes from an app?"
          verb="Remove"
          stay="Keep them"
          danger
          busy={calls.busy("remove_totp")}
          onClose={close}
          onYes={() => void removeTotp()}
        >
          <p>Signing in then asks for the password alone. The backup codes stop working too.</p>
          {value?.passkeys.length === 0 && (
            <p>It is your only second factor. Teams that ask for one will not let you in.</p>
          )}
        </AskDialog>
      )}
    </div>
  );
}

function changedWords(ended: number): string {
  const changed = "Your password is changed.";
  if (ended === 0) return changed;
  return `${changed} ${ended === 1 ? "One other session is" : `${ended} other sessions are`} signed out.`;
}
