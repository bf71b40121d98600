/** Ending every session: all others, or this one with them. */
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { useToast } from "../../../components/toast.tsx";
import { usePage, usePhones } from "../../../state/app-context.tsx";
import { indexedDbDrafts } from "../../../state/flow-drafts.ts";
import { signOut } from "../../../state/sign-out.ts";
import { useCall } from "../../panel/use-call.ts";

export function EverywhereDialog({ onClose }: { readonly onClose: () => void }) {
  const { app } = usePage();
  const { server } = usePhones();
  const calls = useCall();
  const toast = useToast();
  const end = async (here: boolean) => {
    const others = await calls.run("others", (api) => api.sessions.revokeOthers.mutate());
    if (others?.ok !== true) return;
    if (here) {
      if (server === undefined) return;
      const own = await calls.run("here", () => signOut(app, server));
      if (own?.ok === true) await indexedDbDrafts().clear(server);
    } else {
      const { revoked } = others.value;
      toast({ text: revoked === 1 ? "One other session ended." : `${revoked} other sessions ended.` });
    }
    onClose();
  };
  return (
    <Dialog
      title="Sign out everywhere?"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button busy={calls.busy("here")} onClick={() => void end(true)}>
            Here too
          </Button>
          <Button kind="primary" icon="signOut" busy={calls.busy("others")} onClick={() => void end(false)}>
            Everywhere else
          </Button>
        </>
      }
    >
      <p>
        Every browser and website you are signed in with is signed out within a second; their screens close. API tokens
        stay: revoke them under Account.
      </p>
      <p className="secondary">Did somebody else get in? Change the password too, under Account, Security.</p>
    </Dialog>
  );
}
