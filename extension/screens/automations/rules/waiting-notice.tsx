/** Says on the Automations screen that rules wait for a yes, and leads there. Nothing when none does. */
import { useEffect, useState } from "react";
import { Button } from "../../../components/button.tsx";
import { Notice } from "../../../components/notice.tsx";
import { offers, watchOffers } from "../../../rules/offers.ts";

export function WaitingNotice({ onShow }: { readonly onShow: () => void }) {
  const [waiting, setWaiting] = useState(0);
  useEffect(() => {
    const look = () =>
      void offers().then((all) =>
        setWaiting(all.filter(({ waits, started }) => waits && started === undefined).length),
      );
    look();
    return watchOffers(look);
  }, []);
  if (waiting === 0) return null;
  return (
    <Notice
      title={waiting === 1 ? "A rule waits for your yes" : `${waiting} rules wait for your yes`}
      action={
        <Button size="small" onClick={onShow}>
          Look
        </Button>
      }
    >
      A page called for it. Nothing has run.
    </Notice>
  );
}
