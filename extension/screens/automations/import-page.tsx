/** Brings flows from this computer: choose, look at what would happen, do it. Nothing is written before that. */
import { type ChangeEvent, useRef, useState } from "react";
import type { ImportPreview } from "../../../shared/workspace-model.ts";
import { Button } from "../../components/button.tsx";
import { TextField } from "../../components/field.tsx";
import { EmptyState, Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Card } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { useCall } from "../panel/use-call.ts";
import { ImportEntries, SkippedFiles } from "./import-entries.tsx";
import { type ImportChoice, readChoice, summaryWords, willChange } from "./model/import-choice.ts";

export interface ImportPageProps {
  readonly onBack: () => void;
}

/** React knows no `webkitdirectory`; every browser with this panel does. */
const FOLDER_PICKER = { webkitdirectory: "" } as object;
const ACCEPTED =
  ".zip,.yaml,.yml,.json,.js,.png,.jpg,.jpeg,.gif,.webp,.mp4,.webm,.mov,.mp3,.m4a,.wav,.pdf,.txt,.md,.csv";

export function ImportPage({ onBack }: ImportPageProps) {
  const calls = useCall();
  const toast = useToast();
  const [choice, setChoice] = useState<ImportChoice>();
  const [preview, setPreview] = useState<ImportPreview>();
  const [problem, setProblem] = useState<string>();
  const [folder, setFolder] = useState("");
  const files = useRef<HTMLInputElement>(null);
  const folders = useRef<HTMLInputElement>(null);

  const look = async (source: ImportChoice) => {
    setChoice(source);
    const result = await calls.run("preview", (api) => api.workspaces.preview.mutate(source));
    if (result === undefined) return;
    if (!result.ok) {
      if (preview === undefined) setChoice(undefined);
      return;
    }
    setPreview(result.value);
    setFolder(result.value.folder);
  };
  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const chosen = [...(event.target.files ?? [])];
    // The same files may be chosen again after they were changed.
    event.target.value = "";
    if (chosen.length === 0) return;
    setPreview(undefined);
    setProblem(undefined);
    const read = await readChoice(chosen);
    if (typeof read === "string") setProblem(read);
    else await look(read);
  };
  const place = () => {
    if (choice !== undefined && preview !== undefined && folder.trim() !== preview.folder) {
      void look({ ...choice, folder: folder.trim() });
    }
  };
  const bring = async () => {
    if (choice === undefined || preview === undefined) return;
    const source = { ...choice, folder: preview.folder };
    const result = await calls.run("import", (api) => api.workspaces.import.mutate({ source, plan: preview.plan }));
    if (result === undefined) return;
    if (!result.ok) {
      // Somebody changed something meanwhile: what is shown has to be true again.
      if (result.failure.kind === "refused") await look(source);
      return;
    }
    toast({ text: `${summaryWords(preview)} imported.` });
    onBack();
  };

  const looking = calls.busy("preview");
  const changes = preview === undefined ? 0 : willChange(preview);
  return (
    <div className="screen import-page">
      <PageHead back="All automations" onBack={onBack} title="Import" />
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Files"
        accept={ACCEPTED}
        onChange={(e) => void choose(e)}
      />
      <input ref={folders} type="file" hidden aria-label="Folder" {...FOLDER_PICKER} onChange={(e) => void choose(e)} />
      {problem !== undefined && (
        <Notice tone="error" title="This is too much at once.">
          {problem}
        </Notice>
      )}
      {preview === undefined && !looking && (
        <EmptyState
          icon="upload"
          title="Bring your flows"
          action={
            <div className="import-choose">
              <Button kind="primary" size="large" onClick={() => folders.current?.click()}>
                Choose a folder
              </Button>
              <Button size="large" onClick={() => files.current?.click()}>
                Choose files or a zip
              </Button>
            </div>
          }
        >
          Maestro flows with their scripts, pictures and config.yaml, or recordings of Chrome DevTools (.json). You see
          what happens before anything is kept.
        </EmptyState>
      )}
      {looking && preview === undefined && <Skeleton label="Looking at the files" rows={5} />}
      {preview !== undefined && (
        <>
          <Card>
            <TextField
              label="Folder"
              value={folder}
              maxLength={120}
              hint="Where it goes. Empty: the folders come as they are."
              onChange={(event) => setFolder(event.target.value)}
              onBlur={place}
              onKeyDown={(event) => event.key === "Enter" && place()}
            />
          </Card>
          <ImportEntries preview={preview} />
          <SkippedFiles skipped={preview.skipped} />
          <div className="run-bar">
            <div className="run-bar-row">
              <span className="secondary" role="status">
                {looking
                  ? "Looking again…"
                  : changes === 0
                    ? "Nothing in this is new."
                    : `${summaryWords(preview)}, nothing kept yet`}
              </span>
            </div>
            <div className="run-bar-row">
              <Button onClick={() => setPreview(undefined)}>Choose again</Button>
              <Button
                kind="primary"
                icon="upload"
                busy={calls.busy("import")}
                disabled={changes === 0 || looking}
                onClick={() => void bring()}
              >
                Import
              </Button>
            </div>
          </div>
        </>
      )}
    </div>
  );
}
