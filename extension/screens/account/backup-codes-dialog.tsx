import { Button } from "../../components/button.tsx";
import { saveBlob } from "../phone/save-blob.ts";
import { CopyButton, ShownOnceDialog } from "./shown-once.tsx";

export interface BackupCodesDialogProps {
  readonly codes: readonly string[];
  readonly onClose: () => void;
}

export function BackupCodesDialog({ codes, onClose }: BackupCodesDialogProps) {
  const text = codes.join("\n");
  return (
    <ShownOnceDialog
      title="Keep these backup codes"
      kept="I have kept them"
      lost="These codes are not shown again. You can make new ones under Security."
      onClose={onClose}
    >
      <p>Each lets you in once when the app is out of reach. Print them, or keep them in a password manager.</p>
      <ul className="backup-codes mono" aria-label="Backup codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="dialog-row">
        <CopyButton text={text} />
        <Button
          icon="download"
          onClick={() => saveBlob(new Blob([`${text}\n`], { type: "text/plain" }), "perch-backup-codes.txt")}
        >
          Download
        </Button>
      </div>
    </ShownOnceDialog>
  );
}
