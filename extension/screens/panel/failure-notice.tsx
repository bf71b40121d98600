/** A failure in place: what happened, what to do, and the button that does it. */
import type { ReactNode } from "react";
import { type Failure, failureWords } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState, Notice } from "../../components/notice.tsx";
import { requestHost } from "../../platform/permissions.ts";
import { openTab } from "../../platform/tabs.ts";
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

/** The whole screen, when there is nothing else to show. */
export function FailureScreen({ failure, onRetry }: FailureProps) {
  const words = failureWords(failure);
  return (
    <EmptyState
      icon={failure.kind === "signed_out" ? "key" : failure.kind === "offline" ? "offline" : "server"}
      title={words.title}
      action={<FailureAction failure={failure} onRetry={onRetry} primary />}
    >
      {words.detail}
    </EmptyState>
  );
}

function FailureAction(props: FailureProps & { readonly primary?: boolean }): ReactNode {
  const { failure, onRetry } = props;
  const signIn = useSignIn();
  const kind = props.primary === true ? "primary" : "secondary";
  switch (failureWords(failure).action) {
    case "retry":
      return (
        <Button kind={kind} icon="refresh" onClick={onRetry}>
          Try again
        </Button>
      );
    case "sign_in":
      return (
        <Button kind={kind} icon="key" busy={signIn.busy} onClick={signIn.start}>
          Sign in
        </Button>
      );
    case "change_server":
      return (
        <Button kind={kind} icon="server" onClick={() => void openTab("/options.html")}>
          Change the server
        </Button>
      );
    case "allow_access":
      return (
        <Button
          kind={kind}
          icon="check"
          onClick={() => {
            // Within the click: the browser asks only then.
            if ("server" in failure) void requestHost(failure.server).then(onRetry);
          }}
        >
          Allow
        </Button>
      );
    case "none":
      return null;
  }
}
