/** What the panel tells the rest of the extension, and what it is told. */
import { useEffect } from "react";
import { handleMessages, tell } from "../../messaging/protocol.ts";
import { ownWindowId } from "../../platform/tabs.ts";
import { usePhones } from "../../state/app-context.tsx";

export function usePanelMessages(full: boolean): void {
  const { phones, status } = usePhones();
  const running = phones.filter((phone) => phone.state === "running").length;
  useEffect(() => {
    if (status === "live") void tell("phones_changed", { running });
  }, [status, running]);

  useEffect(() => {
    // A tab of its own is not the panel and stays.
    if (full) return;
    return handleMessages({
      close_panel: ({ windowId }) => {
        void ownWindowId().then((own) => {
          if (windowId === undefined || windowId === own) window.close();
        });
      },
    });
  }, [full]);
}
