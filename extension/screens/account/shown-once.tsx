/** What is shown once: closing asks first, because there is no second look. */
import { type ReactNode, useState } from "react";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Notice } from "../../components/notice.tsx";
import { useToast } from "../../components/toast.tsx";
import { copyText } from "../../platform/clipboard.ts";

export interface ShownOnceDialogProps {
  readonly title: string;
  /** What "I have kept …" says, and what is lost otherwise. */
  readonly kept: string;
  readonly lost: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function ShownOnceDialog({ title, kept, lost, onClose, children }: ShownOnceDialogProps) {
  const [leaving, setLeaving] = useState(false);
  return (
    <Dialog
      title={title}
      onClose={() => setLeaving(true)}
      actions={
        <Button kind="primary" icon="check" onClick={onClose}>
          {kept}
        </Button>
      }
    >
      {children}
      {leaving && (
        <Notice
          tone="warn"
          title="Close without keeping?"
          action={
            <Button size="small" onClick={onClose}>
              Close all the same
            </Button>
          }
        >
          {lost}
        </Notice>
      )}
    </Dialog>
  );
}

export interface CopyButtonProps {
  readonly text: string;
  readonly label?: string;
  readonly size?: "small" | "medium";
}

export function CopyButton({ text, label = "Copy", size = "medium" }: CopyButtonProps) {
  const toast = useToast();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    const result = await copyText(text);
    setCopied(result.ok);
    if (!result.ok) toast({ text: "The browser did not allow copying. Select the text and copy it.", tone: "error" });
  };
  return (
    <Button size={size} icon={copied ? "check" : "copy"} onClick={() => void copy()}>
      {copied ? "Copied" : label}
    </Button>
  );
}
