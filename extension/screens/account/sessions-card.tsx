/** Where the person is signed in, with a way to end each. Shown under Account and under Privacy. */
import { SIGN_IN_WORDS } from "../../../shared/account-model.ts";
import type { SessionView } from "../../../shared/accounts.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { Icon, type IconName } from "../../components/icon.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { type Remote, useRemote } from "../panel/use-remote.ts";
import { timeAgo } from "../phone/model/run-time.ts";

export const readSessions = (api: Api): Promise<readonly SessionView[]> => api.sessions.list.query();
const KIND_ICONS: Readonly<Record<SessionView["kind"], IconName>> = { extension: "panel", web: "globe", api: "key" };
const KIND_WORDS: Readonly<Record<SessionView["kind"], string>> = {
  extension: "Extension",
  web: "Website",
  api: "API token",
};

export interface SessionsCardProps {
  /** False where the page says what it is. */
  readonly titled?: boolean;
  /** Left out where nobody else needs them. */
  readonly sessions?: Remote<readonly SessionView[]>;
}

export function SessionsCard({ titled = true, sessions }: SessionsCardProps) {
  return sessions === undefined ? <OwnSessions titled={titled} /> : <Sessions titled={titled} sessions={sessions} />;
}

function OwnSessions({ titled }: { readonly titled: boolean }) {
  return <Sessions titled={titled} sessions={useRemote(readSessions)} />;
}

function Sessions({ titled, sessions }: Required<SessionsCardProps>) {
  const calls = useCall();
  const toast = useToast();
  const now = useNow(true);
  const others = (sessions.value ?? []).filter((session) => !session.current).length;

  const revoke = async (session: SessionView) => {
    const result = await calls.run(session.id, (api) => api.sessions.revoke.mutate({ sessionId: session.id }));
    if (result?.ok === true) toast({ text: `${deviceWords(session)} is signed out.` });
    sessions.reload();
  };
  const revokeOthers = async () => {
    const result = await calls.run("others", (api) => api.sessions.revokeOthers.mutate());
    if (result?.ok === true) {
      const { revoked } = result.value;
      toast({ text: revoked === 1 ? "One other session ended." : `${revoked} other sessions ended.` });
    }
    sessions.reload();
  };

  return (
    <Card {...(titled && { title: "Sessions and devices" })}>
      {sessions.value === undefined && sessions.failure === undefined && <Skeleton label="Loading sessions" rows={2} />}
      {sessions.failure !== undefined && <FailureNotice failure={sessions.failure} onRetry={sessions.reload} />}
      {sessions.value !== undefined && (
        <List label="Sessions and devices">
          {sessions.value.map((session) => (
            <ListRow
              key={session.id}
              lead={<Icon name={KIND_ICONS[session.kind]} size={20} />}
              title={
                <>
                  {deviceWords(session)} {session.current && <Badge tone="accent">This one</Badge>}
                </>
              }
              detail={detailWords(session, now)}
              trail={
                session.current ? undefined : (
                  <Button
                    size="small"
                    kind="quiet"
                    busy={calls.busy(session.id)}
                    aria-label={`Sign out ${deviceWords(session)}`}
                    onClick={() => void revoke(session)}
                  >
                    Sign out
                  </Button>
                )
              }
            />
          ))}
        </List>
      )}
      {others > 0 && (
        <div className="card-foot">
          <Button size="small" icon="signOut" busy={calls.busy("others")} onClick={() => void revokeOthers()}>
            Sign out everywhere else
          </Button>
        </div>
      )}
    </Card>
  );
}

function deviceWords(session: SessionView): string {
  return session.kind === "api" ? session.browser : `${session.browser}, ${session.system}`;
}

function detailWords(session: SessionView, now: number): string {
  const used = session.current ? "in use" : `used ${timeAgo(session.lastSeenAt, now)}`;
  const { kind, method, ip, timeZone } = session;
  const parts = [KIND_WORDS[kind], ...(kind === "api" ? [] : [SIGN_IN_WORDS[method].toLowerCase()]), used];
  if (timeZone !== undefined) parts.push(placeOf(timeZone));
  if (ip !== undefined) parts.push(ip);
  return parts.join(" · ");
}

/** `Europe/Berlin` as people say it. The time zone tells roughly where, without asking anybody about the address. */
function placeOf(timeZone: string): string {
  return (timeZone.split("/").at(-1) ?? timeZone).replaceAll("_", " ");
}
