/** Asks before something that is not easily undone. */
import type { ReactNode } from "react";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";

export interface AskDialogProps {
  readonly title: string;
  readonly verb: string;
  readonly stay?: string;
  readonly danger?: boolean;
  readonly busy: boolean;
  readonly onYes: () => void;
  readonly onClose: () => void;
  /** What happens then. */
  readonly children: ReactNode;
}

export function AskDialog({
  title,
  verb,
  stay = "Cancel",
  danger = false,
  busy,
  onYes,
  onClose,
  children,
}: AskDialogProps) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{stay}</Button>
          <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={onYes}>
            {verb}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}
