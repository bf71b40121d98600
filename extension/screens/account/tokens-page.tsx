/** API tokens: what they are for, the list, and making and revoking one. */
import { useState } from "react";
import { roleMay } from "../../../shared/access.ts";
import type { CreatedToken, Me, TokenView } from "../../../shared/accounts.ts";
import type { Api } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu } from "../../components/menu.tsx";
import { EmptyState, Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { ClockNotice } from "../panel/clock-notice.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { AskDialog } from "./ask-dialog.tsx";
import { SCOPE_WORDS, tokenDetail } from "./model/account-words.ts";
import { CreatedTokenDialog, NewTokenDialog } from "./token-dialogs.tsx";

const readTokens = (api: Api): Promise<readonly TokenView[]> => api.tokens.list.query();

type Open =
  | { readonly what: "new" }
  | { readonly what: "made"; readonly made: CreatedToken }
  | { readonly what: "revoke"; readonly token: TokenView };

export interface TokensPageProps {
  readonly me: Me | undefined;
  readonly onBack: () => void;
}

export function TokensPage({ me, onBack }: TokensPageProps) {
  const tokens = useRemote(readTokens);
  const [open, setOpen] = useState<Open>();
  const calls = useCall();
  const toast = useToast();
  const now = useNow(true);
  const mayCreate = me !== undefined && roleMay(me.team.role, "tokens:create");
  const { value, failure, reload } = tokens;
  const close = () => setOpen(undefined);
  const revoke = async (token: TokenView) => {
    const result = await calls.run("revoke", (api) => api.tokens.revoke.mutate({ tokenId: token.id }));
    if (result?.ok !== true) return;
    close();
    toast({ text: `${token.name} is revoked.` });
    reload();
  };
  const add = (kind: "primary" | "secondary") => (
    <Button kind={kind} icon="plus" onClick={() => setOpen({ what: "new" })}>
      New token
    </Button>
  );
  return (
    <div className="screen">
      <PageHead
        back="Account"
        onBack={onBack}
        title="API tokens"
        detail={me === undefined ? undefined : `In ${me.team.name}`}
        actions={mayCreate && value !== undefined && value.length > 0 && add("secondary")}
      />
      <ClockNotice />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {me !== undefined && !mayCreate && (
        <Notice>
          Your role in {me.team.name} makes no tokens. Ask an owner or admin of the team for another role.
        </Notice>
      )}
      {value === undefined && failure === undefined && <Skeleton label="Loading tokens" rows={3} />}
      {value?.length === 0 && (
        <EmptyState icon="key" title="No token yet" action={mayCreate && add("primary")}>
          A token lets a program use Perch as you: the command line on another computer, or a job in CI. It does what
          you choose, and ends by itself.
        </EmptyState>
      )}
      {value !== undefined && value.length > 0 && (
        <Card>
          <ul className="list" aria-label="API tokens">
            {value.map((token) => (
              <li className="list-row token-row" key={token.id}>
                <span className="list-lead">
                  <Icon name="key" size={20} />
                </span>
                <span className="list-text">
                  <span className="list-title">
                    {token.name} <code className="mono secondary">{token.prefix}…</code>
                  </span>
                  <span className="secondary tabular">{tokenDetail(token, me?.user.id, now)}</span>
                  <span className="token-scopes">
                    {token.scopes.map((scope) => (
                      <Badge key={scope}>{SCOPE_WORDS[scope].name}</Badge>
                    ))}
                  </span>
                </span>
                <span className="list-trail">
                  <Menu
                    label={token.name}
                    items={[
                      {
                        id: "revoke",
                        label: "Revoke…",
                        icon: "trash",
                        danger: true,
                        onSelect: () => setOpen({ what: "revoke", token }),
                      },
                    ]}
                    trigger={(props) => (
                      <IconButton icon="more" label={`More about ${token.name}`} tooltip="left" {...props} />
                    )}
                  />
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {open?.what === "new" && (
        <NewTokenDialog
          onClose={close}
          onMade={(made) => {
            setOpen({ what: "made", made });
            reload();
          }}
        />
      )}
      {open?.what === "made" && <CreatedTokenDialog made={open.made} onClose={close} />}
      {open?.what === "revoke" && (
        <AskDialog
          title={`Revoke ${open.token.name}?`}
          verb="Revoke"
          stay="Keep it"
          danger
          busy={calls.busy("revoke")}
          onClose={close}
          onYes={() => void revoke(open.token)}
        >
          <p>Whatever uses it stops within a second, and there is no way back.</p>
        </AskDialog>
      )}
    </div>
  );
}
