/** Another plan, or another cycle of it: what it costs first, then the change. */
import type { BillingSummary } from "../../../../shared/billing/billing.ts";
import type { Cycle, PlanId } from "../../../../shared/billing/catalogue.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { CYCLE_NAMES } from "../model/billing-words.ts";
import { PreviewLines, useChangePreview } from "./change-preview.tsx";
import { useApplyChange } from "./use-apply-change.ts";

export interface PlanChangeDialogProps {
  readonly plan: Exclude<PlanId, "free">;
  readonly name: string;
  readonly cycle: Cycle;
  readonly from: BillingSummary["plan"];
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function PlanChangeDialog({ plan, name, cycle, from, onClose, onDone }: PlanChangeDialogProps) {
  const change = { plan, cycle };
  const read = useChangePreview(change);
  const { apply, busy, stale } = useApplyChange(read, onDone);
  return (
    <Dialog
      title={`${name}, paid ${CYCLE_NAMES[cycle]}`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            busy={busy}
            disabled={read.preview === undefined}
            onClick={() => void apply(change, `${name} from now on.`)}
          >
            Confirm
          </Button>
        </>
      }
    >
      <p>
        From {from.name}
        {from.cycle === undefined ? "" : `, paid ${CYCLE_NAMES[from.cycle]}`}. It changes at once; what is paid already
        counts.
      </p>
      <PreviewLines read={read} stale={stale} />
    </Dialog>
  );
}
