/** An APK can be installed, or kept among the phone's files. */
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import type { Uploads } from "./use-uploads.ts";

export interface AskApkDialogProps {
  readonly asking: NonNullable<Uploads["asking"]>;
  readonly onAnswer: Uploads["answer"];
}

export function AskApkDialog({ asking, onAnswer }: AskApkDialogProps) {
  const { phone, files } = asking;
  const [first] = files;
  const title = files.length === 1 ? `Install ${first?.name ?? "it"}?` : `Install ${files.length} apps?`;
  return (
    <Dialog
      title={title}
      onClose={() => onAnswer(undefined)}
      actions={
        <>
          <Button onClick={() => onAnswer("file")}>{files.length === 1 ? "Keep as file" : "Keep as files"}</Button>
          <Button kind="primary" icon="install" onClick={() => onAnswer("app")}>
            Install
          </Button>
        </>
      }
    >
      {files.length === 1 ? (
        <p>This is an Android app. Installed, it appears among the apps of {phone.name}.</p>
      ) : (
        <>
          <p>These are Android apps. Installed, they appear among the apps of {phone.name}.</p>
          <ul className="bullets">
            {files.map(({ name }) => (
              <li key={name}>{name}</li>
            ))}
          </ul>
        </>
      )}
      <p className="secondary">Install only what you trust: an app may do on the phone what it asks for.</p>
    </Dialog>
  );
}
