/** The dialogs about one phone, by name. The larger ones are loaded when they are opened. */
import type { Phone } from "../../../shared/phones.ts";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import { RemoveDialog, RenameDialog, SettingsDialog } from "./phone-dialogs.tsx";
import type { PhoneDialog } from "./phone-menus.ts";
import type { Uploads } from "./uploads/use-uploads.ts";

export interface PhoneDialogHostProps {
  readonly phone: Phone;
  readonly dialog: PhoneDialog | undefined;
  readonly mayControl: boolean;
  readonly uploads: Uploads;
  readonly onClose: () => void;
}

const FILES = lazyModule(() => import("./files-dialog.tsx"));
const APPS = lazyModule(() => import("./apps-dialog.tsx"));

export function PhoneDialogHost({ dialog, ...rest }: PhoneDialogHostProps) {
  const { phone, onClose } = rest;
  switch (dialog) {
    case "rename":
      return <RenameDialog phone={phone} onClose={onClose} />;
    case "settings":
      return <SettingsDialog phone={phone} onClose={onClose} />;
    case "remove":
      return <RemoveDialog phone={phone} onClose={onClose} />;
    case "files":
      return (
        <LazyPart module={FILES} loading="Loading files" failed="The files could not be loaded." rows={0}>
          {({ FilesDialog }) => <FilesDialog {...rest} />}
        </LazyPart>
      );
    case "apps":
      return (
        <LazyPart module={APPS} loading="Loading apps" failed="The apps could not be loaded." rows={0}>
          {({ AppsDialog }) => <AppsDialog {...rest} />}
        </LazyPart>
      );
    default:
      return null;
  }
}
