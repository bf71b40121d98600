/** The dialogs about phones, by name, each loaded when it is first opened. */
import type { Phone } from "../../../shared/phones.ts";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import type { NewPhoneDialogProps } from "./new-phone-dialog.tsx";
import type { PhoneDialog } from "./phone-menus.ts";
import type { Uploads } from "./uploads/use-uploads.ts";

export interface PhoneDialogHostProps {
  readonly phone: Phone;
  readonly dialog: PhoneDialog | undefined;
  readonly mayControl: boolean;
  readonly uploads: Uploads;
  readonly onClose: () => void;
}

const NEW = lazyModule(() => import("./new-phone-dialog.tsx"));
const ABOUT = lazyModule(() => import("./phone-dialogs.tsx"));
const FILES = lazyModule(() => import("./files-dialog.tsx"));
const APPS = lazyModule(() => import("./apps-dialog.tsx"));

export function PhoneDialogHost({ dialog, ...rest }: PhoneDialogHostProps) {
  const { phone, onClose } = rest;
  switch (dialog) {
    case "rename":
    case "settings":
    case "remove":
      return (
        <LazyPart module={ABOUT} loading="Loading" failed="This could not be loaded." rows={0}>
          {({ PHONE_DIALOGS }) => {
            const About = PHONE_DIALOGS[dialog];
            return <About phone={phone} onClose={onClose} />;
          }}
        </LazyPart>
      );
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

export function NewPhone(props: NewPhoneDialogProps) {
  return (
    <LazyPart module={NEW} loading="Loading" failed="This could not be loaded." rows={0}>
      {({ NewPhoneDialog }) => <NewPhoneDialog {...props} />}
    </LazyPart>
  );
}
