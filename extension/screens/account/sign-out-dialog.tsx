/** Signing out of this browser, after saying what stays and what goes. */
import { useEffect, useState } from "react";
import { Button } from "../../components/button.tsx";
import { CheckField } from "../../components/check-field.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { indexedDbDrafts } from "../../state/flow-drafts.ts";
import { forgetBrowser } from "../../state/forget-browser.ts";
import { signOut } from "../../state/sign-out.ts";
import { useCall } from "../panel/use-call.ts";

const drafts = indexedDbDrafts();

export function SignOutDialog({ running, onClose }: { readonly running: number; readonly onClose: () => void }) {
  const { app } = usePage();
  const { server } = usePhones();
  const calls = useCall();
  const [unsaved, setUnsaved] = useState(0);
  const [all, setAll] = useState(false);
  useEffect(() => {
    if (server !== undefined) void drafts.all(server).then((all) => setUnsaved(Object.keys(all).length));
  }, [server]);
  const leave = async () => {
    if (server === undefined) return;
    // Without an answer the session may still live on the server: the token stays, so that trying again can end it.
    const result = await calls.run("signOut", () => signOut(app, server));
    if (result?.ok === true) {
      await drafts.clear(server);
      if (all) await forgetBrowser();
    }
    onClose();
  };
  return (
    <Dialog
      title="Sign out of this browser?"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Stay</Button>
          <Button kind="primary" busy={calls.busy("signOut")} onClick={() => void leave()}>
            Sign out
          </Button>
        </>
      }
    >
      <p>
        {running === 0
          ? "Your phones stay as they are."
          : `Your phones stay as they are; ${running === 1 ? "the running one keeps" : `${running} running ones keep`} running until parked or idle.`}
      </p>
      {unsaved > 0 && (
        <p>
          {unsaved === 1
            ? "What you wrote and did not save in one automation will be gone from this browser."
            : `What you wrote and did not save in ${unsaved} automations will be gone from this browser.`}
        </p>
      )}
      <CheckField
        label="Remove everything Perch keeps in this browser"
        hint="Drafts, what rules were allowed here, the server's address and your look. For a computer that is not yours."
        checked={all}
        onChange={setAll}
      />
    </Dialog>
  );
}
