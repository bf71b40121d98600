/** Once the account is deleted its sessions end; then nothing of it stays in this browser. */
import { useEffect, useRef, useState } from "react";
import type { Failure } from "../../api/errors.ts";
import { usePhones } from "../../state/app-context.tsx";
import { isGone, privacyMark } from "../../state/privacy-mark.ts";

/** True once everything kept here was removed for that reason, until the page is closed. */
export function useFarewell(failure: Failure | undefined): boolean {
  const { server } = usePhones();
  const [gone, setGone] = useState(false);
  const last = useRef(server);
  if (server !== undefined) last.current = server;
  const ended = failure?.kind === "signed_out";
  useEffect(() => {
    if (!ended) return;
    let isBusy = false;
    const look = async () => {
      if (isBusy || !isGone(await privacyMark().get(), last.current, Date.now())) return;
      isBusy = true;
      setGone(true);
      const { forgetBrowser } = await import("../../state/forget-browser.ts");
      await forgetBrowser();
    };
    void look();
    // A session may end before the answer of the call that deleted the account is here.
    return privacyMark().watch(() => void look());
  }, [ended]);
  return gone;
}
