/** The dialogs of the privacy screen, loaded with the first one that is opened. */
import type { Me } from "../../../shared/accounts.ts";
import type { ExportView, PrivacyOverview } from "../../../shared/privacy.ts";
import { CorrectDialog } from "./dialogs/correct-dialog.tsx";
import { DeleteDialog } from "./dialogs/delete-dialog.tsx";
import { DownloadDialog } from "./dialogs/download-dialog.tsx";
import { EverywhereDialog } from "./dialogs/everywhere-dialog.tsx";
import { ImportDialog } from "./dialogs/import-dialog.tsx";
import { IncidentDialog, PolicyDialog } from "./dialogs/notice-dialogs.tsx";

export type OpenDialog =
  | { readonly kind: "download" | "delete" | "everywhere" | "policy" | "incident" | "import" }
  /** `dispute`: the category that is wrong; `ask`: straight to a request in words. */
  | { readonly kind: "correct"; readonly dispute?: string; readonly ask?: boolean };

export interface PrivacyDialogProps {
  readonly open: OpenDialog;
  readonly overview: PrivacyOverview;
  readonly copy: ExportView | undefined;
  readonly me: Me | undefined;
  readonly onOpen: (next: OpenDialog) => void;
  readonly onClose: () => void;
  /** Something is different on the server now. */
  readonly onChanged: () => void;
}

export function PrivacyDialog({ open, overview, copy, me, onOpen, onClose, onChanged }: PrivacyDialogProps) {
  const common = { onClose, onChanged };
  switch (open.kind) {
    case "download":
      return <DownloadDialog copy={copy} {...common} />;
    case "import":
      return <ImportDialog {...common} />;
    case "correct":
      return <CorrectDialog open={open} overview={overview} me={me} onOpen={onOpen} {...common} />;
    case "delete":
      return <DeleteDialog me={me} onDownload={() => onOpen({ kind: "download" })} {...common} />;
    case "everywhere":
      return <EverywhereDialog onClose={onClose} />;
    case "policy":
      return <PolicyDialog notice={overview.nextPolicy} onOpen={onOpen} {...common} />;
    case "incident":
      return <IncidentDialog overview={overview} {...common} />;
  }
}
