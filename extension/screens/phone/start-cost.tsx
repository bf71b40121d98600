/** What starting a phone would cost, before it is started. It never holds up a start: until it is known nothing is said. */
import { useEffect, useId, useState } from "react";
import type { StartPreview } from "../../../shared/billing/billing.ts";
import type { PhoneId } from "../../../shared/ids.ts";
import { Button } from "../../components/button.tsx";
import { usePage } from "../../state/app-context.tsx";
import { usePanelWays } from "../panel/panel-ways.ts";

/** What was said last, by phone; `undefined` is a new one. Kept by the screen, so that coming back says it at once. */
export type StartCosts = Map<PhoneId | undefined, StartPreview>;

function useStartCost(phoneId: PhoneId | undefined, known: StartCosts): StartPreview | undefined {
  const { phones } = usePage();
  const [preview, setPreview] = useState(known.get(phoneId));
  useEffect(() => {
    let gone = false;
    const asked = phones.call((api) => api.billing.previewStart.query(phoneId === undefined ? {} : { phoneId }));
    void asked.then((result) => {
      if (!result.ok) return;
      known.set(phoneId, result.value);
      if (!gone) setPreview(result.value);
    });
    return () => {
      gone = true;
    };
  }, [phones, phoneId, known]);
  return preview?.mode === "off" ? undefined : preview;
}

/** The line in a dialog that makes a new phone. */
export function StartCost({ known }: { readonly known: StartCosts }) {
  const preview = useStartCost(undefined, known);
  return preview === undefined ? null : <Words preview={preview} id={undefined} />;
}

export interface StartButtonProps {
  readonly phoneId: PhoneId;
  readonly known: StartCosts;
  readonly busy: boolean;
  readonly onStart: () => void;
}

/** Starting one phone. Where nothing covers it the button steps back behind what helps, and still tries. */
export function StartButton({ phoneId, known, busy, onStart }: StartButtonProps) {
  const preview = useStartCost(phoneId, known);
  const id = useId();
  const covered = preview?.covered !== false;
  return (
    <>
      <Button
        kind={covered ? "primary" : "secondary"}
        size="large"
        icon="start"
        busy={busy}
        aria-describedby={preview === undefined ? undefined : id}
        onClick={onStart}
      >
        Start
      </Button>
      {preview !== undefined && <Words preview={preview} id={id} />}
    </>
  );
}

function Words({ preview, id }: { readonly preview: StartPreview; readonly id: string | undefined }) {
  const ways = usePanelWays();
  return (
    <div className={`start-cost${preview.covered ? "" : " start-cost-none"}`}>
      <p className="tabular" id={id}>
        {preview.words}
      </p>
      {!preview.covered && (
        <Button size="small" kind="primary" icon="card" onClick={() => ways.toAccount("billing")}>
          Add phone time
        </Button>
      )}
    </div>
  );
}
