/** A failure in place: what happened, what to do, and the button that does it. */
import type { ReactNode } from "react";
import { type Failure, failureWords } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/notice.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePanelWays } from "./panel-ways.ts";
import { useSignIn } from "./use-sign-in.ts";

export interface FailureProps {
  readonly failure: Failure;
  readonly onRetry: () => void;
}

/** A line above content that is still worth showing. */
export function FailureNotice({ failure, onRetry }: FailureProps) {
  const words = failureWords(failure);
  return (
    <Notice
      tone={failure.kind === "offline" ? "info" : "warn"}
      title={words.title}
      action={<FailureAction failure={failure} onRetry={onRetry} />}
    >
      {words.detail}
    </Notice>
  );
}

function FailureAction({ failure, onRetry }: FailureProps): ReactNode {
  const signIn = useSignIn();
  const ways = usePanelWays();
  switch (failureWords(failure).action) {
    case "retry":
      return (
        <Button icon="refresh" onClick={onRetry}>
          Try again
        </Button>
      );
    case "sign_in":
      return (
        <Button icon="key" busy={signIn.busy} onClick={signIn.start}>
          Sign in
        </Button>
      );
    case "change_server":
      return (
        <Button icon="server" onClick={() => void openTab("/options.html")}>
          Change the server
        </Button>
      );
    case "see_why":
      return (
        <Button icon="info" onClick={() => ways.toAccount("standing")}>
          See why
        </Button>
      );
    case "privacy":
      return (
        <Button icon="shield" onClick={ways.toPrivacy}>
          Open Privacy
        </Button>
      );
    case "billing":
      return (
        <Button icon="card" onClick={() => ways.toAccount("billing")}>
          Add phone time
        </Button>
      );
    case "none":
      return null;
  }
}
