/** What is to be done about the server, when there is something. Comes only then. */
import { failureWords } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState, Notice } from "../../components/notice.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";

export function ConnectionNotice({ onPrivacy }: { readonly onPrivacy: () => void }) {
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
              <Button size="small" onClick={() => (privacy ? onPrivacy() : void store.refresh())}>
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
