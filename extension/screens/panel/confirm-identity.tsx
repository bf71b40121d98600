/**
 * The step-up: what changes who may get in needs a proof of who asks that is at most ten minutes old. The proof is given
 * on the server's own page; the session goes on under a new token.
 */
import { type ReactNode, useCallback, useMemo, useRef, useState } from "react";
import type { Me } from "../../../shared/accounts.ts";
import { createApi } from "../../api/client.ts";
import { hostOf } from "../../api/errors.ts";
import { type SignInOptions, type SignInProblem, signIn } from "../../api/sign-in.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Notice } from "../../components/notice.tsx";
import { usePage, usePhones } from "../../state/app-context.tsx";
import type { App } from "../../state/compose-app.ts";
import { type PanelWays, PanelWaysContext } from "./panel-ways.ts";
import { problemWords } from "./use-sign-in.ts";

export interface PanelWaysProviderProps {
  readonly me: Me | undefined;
  readonly toAccount: PanelWays["toAccount"];
  readonly toPrivacy: PanelWays["toPrivacy"];
  readonly children: ReactNode;
}

/** Gives its children the ways of `panel-ways.ts`, and shows the dialog of the first. */
export function PanelWaysProvider({ me, toAccount, toPrivacy, children }: PanelWaysProviderProps) {
  /** Who waits for the person's answer: calls that met the same refusal share one dialog. */
  const waiting = useRef<PromiseWithResolvers<boolean>>(undefined);
  const [asked, setAsked] = useState(false);
  const confirmIdentity = useCallback(() => {
    waiting.current ??= Promise.withResolvers<boolean>();
    setAsked(true);
    return waiting.current.promise;
  }, []);
  const answer = (confirmed: boolean) => {
    setAsked(false);
    waiting.current?.resolve(confirmed);
    waiting.current = undefined;
  };
  const ways = useMemo(() => ({ confirmIdentity, toAccount, toPrivacy }), [confirmIdentity, toAccount, toPrivacy]);
  return (
    <PanelWaysContext value={ways}>
      {children}
      {asked && <ConfirmIdentityDialog me={me} onAnswer={answer} />}
    </PanelWaysContext>
  );
}

type Problem = SignInProblem | { readonly kind: "somebody_else"; readonly email: string };

interface ConfirmIdentityDialogProps {
  readonly me: Me | undefined;
  readonly onAnswer: (confirmed: boolean) => void;
}

function ConfirmIdentityDialog({ me, onAnswer }: ConfirmIdentityDialogProps) {
  const { app } = usePage();
  const { server } = usePhones();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const confirm = async () => {
    if (server === undefined || me === undefined) return;
    setBusy(true);
    setProblem(undefined);
    const next = await proveAnew(app, server, me);
    setBusy(false);
    if (next === undefined) onAnswer(true);
    else setProblem(next);
  };
  return (
    <Dialog
      title="Confirm that it is you"
      onClose={() => onAnswer(false)}
      actions={
        <>
          <Button onClick={() => onAnswer(false)}>Cancel</Button>
          <Button kind="primary" icon="key" busy={busy || me === undefined} onClick={() => void confirm()}>
            Confirm
          </Button>
        </>
      }
    >
      <p>
        This has to do with who can get in, so Perch asks again who you are. A window of{" "}
        {server === undefined ? "the server" : hostOf(server)} opens for it
        {me === undefined ? "." : ` and waits for ${me.user.email}.`}
      </p>
      <p className="secondary">It then counts for ten minutes.</p>
      {problem !== undefined && (
        <Notice tone={problem.kind === "closed" ? "info" : "error"}>{wordsOf(problem, me)}</Notice>
      )}
    </Dialog>
  );
}

/** Undefined when it worked. Nothing is changed otherwise. */
async function proveAnew(app: App, server: string, me: Me): Promise<Problem | undefined> {
  const withToken = (token: string | undefined) => createApi({ server, token: async () => token });
  let stranger: string | undefined;
  const exchange: SignInOptions["exchange"] = async (input) => {
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<SignInOptions["exchange"]>>>();
    await app.tokens.renew(server, async (present) => {
      const exchanged = await withToken(present?.token).account.exchange.mutate(input);
      resolve(exchanged);
      const { token, expiresAt, me: proven } = exchanged;
      if (proven.user.id === me.user.id) return { ...present, server, token, expiresAt, team: proven.team.id };
      stranger = proven.user.email;
      // Somebody else's session is none of this panel's.
      await withToken(token)
        .account.signOut.mutate()
        .catch(() => undefined);
      return undefined;
    });
    return promise;
  };
  const result = await signIn(server, { exchange, anew: true });
  if (!result.ok) return result.problem;
  return stranger === undefined ? undefined : { kind: "somebody_else", email: stranger };
}

function wordsOf(problem: Problem, me: Me | undefined): string {
  if (problem.kind === "closed") return "The window was closed. Nothing is changed.";
  if (problem.kind === "somebody_else") {
    return `${problem.email} confirmed, and you are signed in as ${me?.user.email ?? "somebody else"}. Nothing is changed.`;
  }
  return problemWords(problem) ?? "";
}
