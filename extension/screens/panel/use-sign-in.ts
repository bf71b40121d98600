/** Signing in from a button of the panel. */
import { useState } from "react";
import { failureSentence } from "../../api/errors.ts";
import { type SignInProblem, signIn } from "../../api/sign-in.ts";
import { useToast } from "../../components/toast.tsx";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { indexedDbDrafts } from "../../state/flow-drafts.ts";

export function useSignIn(): { readonly busy: boolean; readonly start: () => void } {
  const { app } = usePage();
  const { server } = usePhones();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const start = async () => {
    if (server === undefined || busy) return;
    setBusy(true);
    const result = await signIn(server, { exchange: (input) => app.api(server).account.exchange.mutate(input) });
    if (result.ok) {
      const { token, expiresAt, me } = result.exchanged;
      await indexedDbDrafts().claim(server, me.user.id);
      await app.tokens.set({ server, token, expiresAt, team: me.team.id });
    } else {
      const words = problemWords(result.problem);
      if (words !== undefined) toast({ text: words, tone: "error" });
    }
    setBusy(false);
  };
  return { busy, start: () => void start() };
}

/** Closing the window is an answer, not a problem. */
export function problemWords(problem: SignInProblem): string | undefined {
  switch (problem.kind) {
    case "closed":
      return undefined;
    case "unsupported":
      return "This browser has no window for signing in. Update the browser and try again.";
    case "bad_answer":
      return "The sign-in window gave an answer Perch did not ask for. Try again.";
    case "call_failed":
      return failureSentence(problem.failure);
  }
}
