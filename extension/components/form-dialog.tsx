/** A dialog around a form: Enter sends it, and the buttons are where every dialog has them. */
import { type ReactNode, useId } from "react";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import type { IconName } from "./icon.tsx";

export interface FormDialogProps {
  readonly title: string;
  /** On the button that sends. */
  readonly verb: string;
  readonly icon?: IconName;
  readonly stay?: string;
  /** What is sent cannot be taken back easily. */
  readonly danger?: boolean;
  readonly busy: boolean;
  /** There is nothing to send. */
  readonly blocked?: boolean;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function FormDialog(props: FormDialogProps) {
  const {
    title,
    verb,
    icon,
    stay = "Cancel",
    danger = false,
    busy,
    blocked = false,
    onSubmit,
    onClose,
    children,
  } = props;
  const form = useId();
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{stay}</Button>
          <Button
            kind={danger ? "danger" : "primary"}
            type="submit"
            form={form}
            busy={busy}
            disabled={blocked}
            {...(icon !== undefined && { icon })}
          >
            {verb}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className="dialog-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && !blocked) onSubmit();
        }}
      >
        {children}
      </form>
    </Dialog>
  );
}
