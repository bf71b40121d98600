/** Whether the tab beside the panel shows an app's page of the Play Store, as far as the browser tells. */
import { useEffect, useState } from "react";
import { activeTab } from "../../platform/tabs.ts";
import { isPlayPage } from "./model/play-page.ts";

/** `asked`: somebody wants to know; it is looked at now and whenever the person comes to the panel. */
export function useTabApp(asked: boolean): boolean {
  const [shows, setShows] = useState(false);
  useEffect(() => {
    if (!asked) return setShows(false);
    let gone = false;
    const look = () =>
      void activeTab().then(
        (tab) => gone || setShows(isPlayPage(tab?.url)),
        () => {},
      );
    look();
    window.addEventListener("focus", look);
    document.documentElement.addEventListener("pointerenter", look);
    return () => {
      gone = true;
      window.removeEventListener("focus", look);
      document.documentElement.removeEventListener("pointerenter", look);
    };
  }, [asked]);
  return shows;
}
