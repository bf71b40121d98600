/** Signing in happens on the server's own page, in a window of the browser's; this step starts it and takes the result. */
import { useState } from "react";
import { failureWords, hostOf } from "../../api/errors.ts";
import { type SignInProblem, signIn } from "../../api/sign-in.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/notice.tsx";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { indexedDbDrafts } from "../../state/flow-drafts.ts";

export function SignInStep({ server }: { readonly server: string }) {
  const { app, phones } = usePage();
  const { failure, status } = usePhones();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<SignInProblem>();

  const start = async () => {
    setBusy(true);
    setProblem(undefined);
    const result = await signIn(server, { exchange: (input) => app.api(server).account.exchange.mutate(input) });
    if (result.ok) {
      const { token, expiresAt, me } = result.exchanged;
      await indexedDbDrafts().claim(server, me.user.id);
      await app.tokens.set({ server, token, expiresAt, team: me.team.id });
    } else setProblem(result.problem);
    setBusy(false);
  };

  const unreachable = failure !== undefined && failure.kind !== "signed_out" ? failureWords(failure) : undefined;
  if (unreachable !== undefined) {
    return (
      <Notice
        tone="warn"
        title={unreachable.title}
        action={<Button onClick={() => void phones.refresh()}>Try again</Button>}
      >
        {unreachable.detail}
      </Notice>
    );
  }
  if (status === "loading") {
    return (
      <p className="welcome-wait" role="status">
        <span className="spinner" aria-hidden="true" /> Asking {hostOf(server)}
      </p>
    );
  }
  const words = problem === undefined ? undefined : problemWords(problem, server);
  return (
    <div className="welcome-form">
      <p>
        A window opens with the sign-in page of {hostOf(server)}. You can create an account there too. Perch never sees
        your password.
      </p>
      {words !== undefined && (
        <Notice tone={problem?.kind === "closed" ? "info" : "error"} title={words.title}>
          {words.detail}
        </Notice>
      )}
      <div className="welcome-actions">
        <Button kind="primary" icon="key" busy={busy} onClick={() => void start()}>
          Sign in or sign up
        </Button>
      </div>
    </div>
  );
}

function problemWords(problem: SignInProblem, server: string): { readonly title: string; readonly detail: string } {
  switch (problem.kind) {
    case "closed":
      return {
        title: "The sign-in window was closed.",
        detail: "Nothing was changed. Start again when you are ready.",
      };
    case "unsupported":
      return {
        title: "This browser has no sign-in window for extensions.",
        detail: "Use Perch in Chrome, Edge, Chromium or Firefox on a computer.",
      };
    case "bad_answer":
      return {
        title: "The sign-in did not end as it should.",
        detail: `Start again. If it happens again, ask who runs ${hostOf(server)}.`,
      };
    case "call_failed":
      return failureWords(problem.failure);
  }
}
