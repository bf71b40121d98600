/** A team's files beside its automations, and saving a folder of them to this computer. */
import { useState } from "react";
import type { WorkspaceFiles } from "../../../shared/workspace-model.ts";
import type { Api } from "../../api/client.ts";
import { readExport } from "../../api/workspace-files.ts";
import { useToast } from "../../components/toast.tsx";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { type LastRead, type Remote, useRemote } from "../panel/use-remote.ts";
import { saveBlob } from "../phone/save-blob.ts";

const readFiles = (api: Api): Promise<WorkspaceFiles> => api.workspaces.list.query();

export function useWorkspaceFiles(last: LastRead<WorkspaceFiles>): Remote<WorkspaceFiles> {
  return useRemote(readFiles, last);
}

/** Saves a folder as a zip; "" is all of it. */
export function useExport(): { readonly busy: boolean; readonly save: (folder: string) => Promise<void> } {
  const { app } = usePage();
  const { server } = usePhones();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const save = async (folder: string) => {
    if (server === undefined || busy) return;
    setBusy(true);
    const blob = await readExport(app, server, folder);
    setBusy(false);
    if (blob !== undefined) saveBlob(blob, `${folder === "" ? "automations" : folder.replaceAll("/", "-")}.zip`);
    else toast({ text: "The zip could not be saved: the server did not give it. Try again.", tone: "error" });
  };
  return { busy, save };
}
