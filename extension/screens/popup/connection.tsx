/** How the popup stands with the server: one line always, and a notice when something is to be done. */
import { type Failure, failureWords } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState, Notice } from "../../components/notice.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import type { PhonesSnapshot } from "../../state/phones.ts";

/** Where everything about one's data is, as a page of its own. */
export const PRIVACY = "/sidepanel.html?full=1&tab=privacy";

export function ConnectionNotice() {
  const { phones: store } = usePage();
  const { status, failure } = usePhones();
  const welcome = () => void openTab("/welcome.html").then(() => window.close());
  if (status === "no_server") {
    return (
      <EmptyState
        icon="server"
        title="Set up Perch"
        action={
          <Button kind="primary" onClick={welcome}>
            Set up
          </Button>
        }
      >
        Perch needs a server to run phones on. Finding it takes a minute.
      </EmptyState>
    );
  }
  if (failure === undefined) return null;
  if (failure.kind === "signed_out") {
    return (
      <EmptyState
        icon="user"
        title="You are signed out"
        action={
          <Button kind="primary" onClick={welcome}>
            Sign in
          </Button>
        }
      >
        Your phones are still there. Sign in to see them.
      </EmptyState>
    );
  }
  const words = failureWords(failure);
  const privacy = words.action === "privacy";
  return (
    <div className="popup-notice" data-line>
      <Notice
        tone={failure.kind === "offline" ? "info" : "warn"}
        title={words.title}
        action={
          words.action === "none" ? undefined : (
            <>
              <Button size="small" onClick={() => void (privacy ? openTab(PRIVACY) : store.refresh())}>
                {privacy ? "Open Privacy" : "Try again"}
              </Button>
              {failure.kind !== "offline" && failure.kind !== "refused" && (
                <Button size="small" kind="quiet" onClick={welcome}>
                  Change address
                </Button>
              )}
            </>
          )
        }
      >
        {words.detail}
      </Notice>
    </div>
  );
}

/** The footer's words. */
export function connectionLine(
  status: PhonesSnapshot["status"],
  failure: Failure | undefined,
  running: number,
  known: boolean,
): { readonly text: string; readonly tone: "on" | "wait" | "off" } {
  if (status === "no_server") return { text: "No server", tone: "off" };
  if (status === "loading") return { text: "Connecting", tone: "wait" };
  if (failure?.kind === "signed_out") return { text: "Signed out", tone: "off" };
  if (failure?.kind === "offline") return { text: known ? "Offline, last known state" : "Offline", tone: "off" };
  if (status === "stale") return { text: known ? "Not connected, last known state" : "Not connected", tone: "off" };
  const text = running === 0 ? "Nothing is running" : `${running} running`;
  return { text, tone: status === "live" ? "on" : "wait" };
}
