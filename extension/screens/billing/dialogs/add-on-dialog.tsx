/** How many of an add-on, with what that costs before it is bought. */
import { useState } from "react";
import { Button, IconButton } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import type { AddOnView } from "../add-ons-fold.tsx";
import { CYCLE_WORDS, priceWords } from "../model/billing-words.ts";
import { PreviewLines, useChangePreview } from "./change-preview.tsx";
import type { MoneyDialogProps } from "./money-dialogs.tsx";
import { useApplyChange } from "./use-apply-change.ts";

const MOST = 100;

export interface AddOnDialogProps extends MoneyDialogProps {
  readonly addOn: AddOnView;
}

export function AddOnDialog({ addOn, summary, onClose, onDone }: AddOnDialogProps) {
  const [quantity, setQuantity] = useState(addOn.quantity);
  const change = quantity === addOn.quantity ? undefined : { addOns: [{ addOn: addOn.id, quantity }] };
  const read = useChangePreview(change);
  const { apply, busy, stale } = useApplyChange(read, onDone);
  const tooFew = addOn.inUse !== undefined && quantity < addOn.inUse;
  const put = (next: number) => setQuantity(Math.max(0, Math.min(MOST, Number.isFinite(next) ? Math.floor(next) : 0)));
  return (
    <Dialog
      title={addOn.name}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            busy={busy}
            disabled={change === undefined || read.preview === undefined}
            onClick={() => change !== undefined && void apply(change, `${addOn.name}: ${quantity} from now on.`)}
          >
            Confirm
          </Button>
        </>
      }
    >
      <p>
        {addOn.about} {priceWords(addOn.price)} {CYCLE_WORDS[summary.plan.cycle ?? "month"]} each.
      </p>
      <div className="stepper">
        <IconButton icon="minus" label="One fewer" disabled={quantity === 0} onClick={() => put(quantity - 1)} />
        <input
          className="control tabular"
          type="number"
          aria-label={`Number of ${addOn.name.toLowerCase()}`}
          min={0}
          max={MOST}
          value={quantity}
          onChange={(event) => put(event.target.valueAsNumber)}
        />
        <IconButton icon="plus" label="One more" onClick={() => put(quantity + 1)} />
        <span className="secondary">now {addOn.quantity}</span>
      </div>
      {tooFew && <p className="field-error">{addOn.inUse} are in use. Those that are too many stop being covered.</p>}
      {change === undefined ? (
        <p className="secondary">Choose another number to see what it costs.</p>
      ) : (
        <PreviewLines read={read} stale={stale} />
      )}
    </Dialog>
  );
}
