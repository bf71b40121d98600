/** One file beside the automations: its text to edit, or its picture; replacing, saving and removing it. */
import { type ChangeEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { baseName, MAX_FILE_BYTES, type WorkspaceFileContent } from "../../../shared/workspace-model.ts";
import type { Api } from "../../api/client.ts";
import { base64Of, bytesOf } from "../../api/workspace-files.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Menu } from "../../components/menu.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { useToast } from "../../components/toast.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { byteSize } from "../phone/model/run-time.ts";
import { saveBlob } from "../phone/save-blob.ts";
import { TextEditor } from "./text-editor.tsx";

export interface FilePageProps {
  readonly path: string;
  readonly mayControl: boolean;
  readonly onBack: () => void;
}

export function FilePage({ path, mayControl, onBack }: FilePageProps) {
  const read = useCallback((api: Api): Promise<WorkspaceFileContent> => api.workspaces.file.query({ path }), [path]);
  const { value: file, failure, reload } = useRemote(read);
  const calls = useCall();
  const toast = useToast();
  const picker = useRef<HTMLInputElement>(null);
  const [text, setText] = useState<string>();
  const [removing, setRemoving] = useState(false);
  const isText = file !== undefined && file.kind !== "picture" && file.kind !== "media";
  const saved = useMemo(() => (isText ? new TextDecoder().decode(bytesOf(file.base64)) : ""), [isText, file]);
  const name = baseName(path);
  const changed = text !== undefined && text !== saved;

  const keep = async (base64: string): Promise<boolean> => {
    const result = await calls.run("save", (api) => api.workspaces.saveFile.mutate({ path, base64 }));
    if (result?.ok === true) reload();
    return result?.ok === true;
  };
  const replace = async (event: ChangeEvent<HTMLInputElement>) => {
    const [chosen] = event.target.files ?? [];
    event.target.value = "";
    if (chosen === undefined) return;
    if (chosen.size > MAX_FILE_BYTES) return toast({ text: `${chosen.name} is larger than 4 MB.`, tone: "error" });
    if (await keep(await base64Of(chosen))) {
      setText(undefined);
      toast({ text: `${name} is replaced.` });
    }
  };
  const remove = async () => {
    const result = await calls.run("remove", (api) => api.workspaces.removeFile.mutate({ path }));
    setRemoving(false);
    if (result?.ok !== true) return;
    toast({ text: `${name} is removed.` });
    onBack();
  };

  return (
    <div className="flow-page">
      <div className="screen">
        <PageHead
          back="All automations"
          onBack={onBack}
          title={name}
          detail={file === undefined ? path : `${path} · ${byteSize(file.bytes)}`}
          actions={
            file !== undefined && (
              <Menu
                label="File: more"
                items={[
                  {
                    id: "save",
                    label: "Save to this computer",
                    icon: "download",
                    onSelect: () => saveBlob(new Blob([bytesOf(file.base64)]), name),
                  },
                  ...(mayControl
                    ? [
                        {
                          id: "replace",
                          label: "Replace…",
                          icon: "upload" as const,
                          onSelect: () => picker.current?.click(),
                        },
                        "separator" as const,
                        {
                          id: "remove",
                          label: "Remove…",
                          icon: "trash" as const,
                          danger: true,
                          onSelect: () => setRemoving(true),
                        },
                      ]
                    : []),
                ]}
                trigger={(props) => <IconButton {...props} icon="more" label="More about this file" tooltip="left" />}
              />
            )
          }
        />
        <input ref={picker} type="file" hidden aria-label="Replacement" onChange={(e) => void replace(e)} />
        {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
        {file === undefined && failure === undefined && <Skeleton label="Loading file" rows={6} />}
        {isText && <TextEditor label={name} text={text ?? saved} readOnly={!mayControl} onChange={setText} />}
        {file?.kind === "picture" && <FilePicture file={file} />}
        {file?.kind === "media" && (
          <p className="secondary">Flows give this file to a phone with addMedia. It cannot be shown here.</p>
        )}
      </div>
      {isText && mayControl && (
        <div className="run-bar">
          <div className="run-bar-row">
            <span className="secondary" role="status">
              {changed ? "Not saved yet" : "Saved"}
            </span>
            <Button
              kind="primary"
              busy={calls.busy("save")}
              disabled={!changed}
              onClick={() => void base64Of(new Blob([text ?? ""])).then(keep)}
            >
              Save
            </Button>
          </div>
        </div>
      )}
      {removing && (
        <Dialog
          title={`Remove ${name}?`}
          onClose={() => setRemoving(false)}
          actions={
            <>
              <Button onClick={() => setRemoving(false)}>Keep it</Button>
              <Button kind="danger" icon="trash" busy={calls.busy("remove")} onClick={() => void remove()}>
                Remove
              </Button>
            </>
          }
        >
          <p>It will be gone for your whole team. Automations that name it will not run until it is back.</p>
        </Dialog>
      )}
    </div>
  );
}

function FilePicture({ file }: { readonly file: WorkspaceFileContent }) {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    // A picture, whatever the bytes are: it is drawn and never opened as a page.
    const made = URL.createObjectURL(new Blob([bytesOf(file.base64)], { type: "image/png" }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url === undefined ? null : <img className="screenshot" src={url} alt={baseName(file.path)} />;
}
