/** In the place of a team's things while it asks for a second factor that this session was not opened with. */
import { useState } from "react";
import type { SecurityOverview } from "../../../shared/accounts.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/notice.tsx";
import { usePage } from "../../state/app-context.tsx";
import { usePanelWays } from "../panel/panel-ways.ts";
import { useRemote } from "../panel/use-remote.ts";
import "./team.css";

const readSecurity = (api: Api): Promise<SecurityOverview> => api.account.security.query();

export function SecondFactorGate({ team = "This team" }: { readonly team?: string | undefined }) {
  const { phones } = usePage();
  const ways = usePanelWays();
  const security = useRemote(readSecurity).value;
  const [busy, setBusy] = useState(false);
  const has = security !== undefined && (security.totp !== null || security.passkeys.length > 0);
  const confirm = async () => {
    setBusy(true);
    if (await ways.confirmIdentity()) await phones.refresh();
    setBusy(false);
  };
  return (
    <div className="panel-gate second-factor">
      <EmptyState
        icon="shield"
        title={`${team} asks for a second factor`}
        action={
          <div className="gate-actions">
            {has ? (
              <Button kind="primary" icon="key" busy={busy} onClick={() => void confirm()}>
                Confirm with it
              </Button>
            ) : (
              <Button kind="primary" icon="shield" onClick={() => ways.toAccount("security")}>
                Add a second factor
              </Button>
            )}
            <Button onClick={() => ways.toAccount("home")}>Switch team</Button>
          </div>
        }
      >
        {has
          ? "You signed in with a password alone. Confirm who you are with your passkey or a code from your app, and go on."
          : "Its owners decided that a password alone does not open it. Add a passkey, or codes from an app; your other teams are open."}
      </EmptyState>
    </div>
  );
}
