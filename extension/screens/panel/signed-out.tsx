/** The whole panel while nobody is signed in: how it came to that, as far as it is known, and the way back. */
import type { Failure } from "../../api/errors.ts";
import { hostOf } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/notice.tsx";
import { usePhones } from "../../state/app-context.tsx";
import { useSignIn } from "./use-sign-in.ts";

type Why = Extract<Failure, { kind: "signed_out" }>["why"];

const WORDS = {
  ended: {
    title: "This session was ended",
    detail:
      "It was signed out from elsewhere, or by a new password. The phones' pictures are gone from this panel. If that was not you, sign in and look under Security activity.",
  },
  expired: {
    title: "Your session has expired",
    detail: "Sessions end by themselves after a while, so that a lost computer does not stay signed in.",
  },
  signed_out: { title: "You are signed out", detail: "Sign in to see your phones." },
} as const satisfies Record<NonNullable<Why> | "signed_out", { title: string; detail: string }>;

export function SignedOut({ why }: { readonly why: Why }) {
  const { server } = usePhones();
  const signIn = useSignIn();
  const { title, detail } = WORDS[why ?? "signed_out"];
  return (
    <main className="panel-gate">
      <h1 className="sr-only">Perch</h1>
      <div role="alert">
        <EmptyState
          icon="key"
          title={title}
          action={
            <Button kind="primary" icon="key" busy={signIn.busy} onClick={signIn.start}>
              Sign in
            </Button>
          }
        >
          <p>{detail}</p>
          {server !== undefined && <p className="secondary">Server: {hostOf(server)}</p>}
        </EmptyState>
      </div>
    </main>
  );
}
