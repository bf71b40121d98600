/** A folder in the list of automations: what is in it, running it as a whole, saving and deleting it. */
import { type ReactNode, useState } from "react";
import type { FileKind } from "../../../shared/workspace-model.ts";
import { IconButton } from "../../components/button.tsx";
import { Icon, type IconName } from "../../components/icon.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { useToast } from "../../components/toast.tsx";
import { useCall } from "../panel/use-call.ts";
import { byteSize } from "../phone/model/run-time.ts";
import { DeleteFolderDialog, RunFolderDialog } from "./folder-dialogs.tsx";
import { countWords, type Folder, pathIn } from "./model/folders.ts";
import { useExport } from "./use-workspace-files.ts";

export interface FolderGroupProps {
  readonly folder: Folder;
  readonly mayControl: boolean;
  /** Its automations, as rows. */
  readonly children: ReactNode;
  readonly onFile: (path: string) => void;
  /** Its runs were asked for. */
  readonly onRuns: () => void;
  /** It is gone. */
  readonly onDeleted: () => void;
}

export const FILE_ICONS = {
  config: "settings",
  script: "file",
  picture: "camera",
  media: "file",
  text: "file",
} as const satisfies Record<FileKind, IconName>;

export function FolderGroup({ folder, mayControl, children, onFile, onRuns, onDeleted }: FolderGroupProps) {
  const { name, flows, files } = folder;
  const [dialog, setDialog] = useState<"run" | "delete">();
  const calls = useCall();
  const toast = useToast();
  const exporting = useExport();
  const remove = async () => {
    const result = await calls.run("remove", (api) => api.workspaces.removeFolder.mutate({ path: name }));
    setDialog(undefined);
    if (result?.ok !== true) return;
    toast({ text: `${name} is deleted.` });
    onDeleted();
  };
  const menu: readonly (MenuItem | "separator")[] = [
    ...(mayControl && flows.length > 0
      ? [{ id: "run", label: "Run all…", icon: "start", onSelect: () => setDialog("run") } as const]
      : []),
    { id: "export", label: "Save as zip", icon: "download", onSelect: () => void exporting.save(name) },
    ...(mayControl
      ? [
          "separator" as const,
          { id: "delete", label: "Delete…", icon: "trash", danger: true, onSelect: () => setDialog("delete") } as const,
        ]
      : []),
  ];
  return (
    <section className="card folder" aria-label={name === "" ? "Files" : name}>
      <details open>
        <summary>
          <Icon name="chevronRight" />
          <span className="list-text">
            <span className="list-title truncate">{name === "" ? "Files" : name}</span>
            <span className="secondary">{countWords(flows.length, files.length)}</span>
          </span>
        </summary>
        <ul className="list" aria-label={name === "" ? "Files" : `In ${name}`}>
          {children}
          {files.map(({ path, kind, bytes }) => (
            <li key={path} className="automation-row">
              <button type="button" className="row-button row-button-icon" onClick={() => onFile(path)}>
                <Icon name={FILE_ICONS[kind]} />
                <span className="list-text">
                  <span className="truncate">{pathIn(name, path)}</span>
                </span>
                <span className="secondary tabular row-time">{byteSize(bytes)}</span>
              </button>
            </li>
          ))}
        </ul>
      </details>
      {name !== "" && (
        <div className="folder-menu">
          <Menu
            label={`${name}: more`}
            items={menu}
            trigger={(props) => (
              <IconButton {...props} icon="more" label={`More about ${name}`} tooltip="left" busy={exporting.busy} />
            )}
          />
        </div>
      )}
      {dialog === "run" && <RunFolderDialog folder={name} onClose={() => setDialog(undefined)} onStarted={onRuns} />}
      {dialog === "delete" && (
        <DeleteFolderDialog
          folder={name}
          words={countWords(flows.length, files.length)}
          busy={calls.busy("remove")}
          onDelete={() => void remove()}
          onClose={() => setDialog(undefined)}
        />
      )}
    </section>
  );
}
