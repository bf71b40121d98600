/** Says what will be gone before an automation is deleted. */
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";

export interface DeleteFlowDialogProps {
  readonly name: string;
  readonly saved: boolean;
  readonly changed: boolean;
  readonly busy: boolean;
  readonly onDelete: () => void;
  readonly onClose: () => void;
}

export function DeleteFlowDialog({ name, saved, changed, busy, onDelete, onClose }: DeleteFlowDialogProps) {
  return (
    <Dialog
      title={`Delete ${name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" icon="trash" busy={busy} onClick={onDelete}>
            Delete
          </Button>
        </>
      }
    >
      <p>
        {saved
          ? `The automation will be gone for your whole team${changed ? ", and so will your unsaved changes" : ""}. Its webhooks end with it. There is no way back. Its past runs and their pictures stay.`
          : "It was never saved: what you wrote will be gone."}
      </p>
    </Dialog>
  );
}
