/** Files the phone downloaded: list, save to this computer, remove. */
import { useCallback, useState } from "react";
import type { Phone, PhoneFile } from "../../../shared/phones.ts";
import { type Api, authorization, PRIVATE_REQUEST } from "../../api/client.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Icon } from "../../components/icon.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { List, ListRow } from "../../components/surface.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { useRemote } from "../panel/use-remote.ts";
import { byteSize, timeAgo } from "./model/run-time.ts";
import { saveBlob } from "./save-blob.ts";

export interface FilesDialogProps {
  readonly phone: Phone;
  readonly mayControl: boolean;
  readonly onClose: () => void;
}

export function FilesDialog({ phone, mayControl, onClose }: FilesDialogProps) {
  const { app } = usePage();
  const { server } = usePhones();
  const read = useCallback(
    (api: Api): Promise<readonly PhoneFile[]> => api.phones.files.query({ phoneId: phone.id }),
    [phone.id],
  );
  const files = useRemote(read);
  const calls = useCall();
  const toast = useToast();
  const now = useNow(true);
  const [saving, setSaving] = useState<string>();

  const save = async (file: PhoneFile) => {
    if (server === undefined || saving !== undefined) return;
    setSaving(file.name);
    try {
      const token = (await app.tokens.get(server))?.token;
      const address = `${server}/files/phones/${phone.id}/${encodeURIComponent(file.name)}`;
      const response = await fetch(address, { ...PRIVATE_REQUEST, headers: authorization(token) });
      if (!response.ok) throw new Error(`Status ${response.status}`);
      saveBlob(await response.blob(), file.name);
    } catch {
      toast({ text: `${file.name} could not be saved: the server did not give it. Try again.`, tone: "error" });
    }
    setSaving(undefined);
  };
  const remove = async (file: PhoneFile) => {
    await calls.run(file.name, (api) => api.phones.removeFile.mutate({ phoneId: phone.id, name: file.name }));
    files.reload();
  };

  return (
    <Dialog title={`Files on ${phone.name}`} onClose={onClose}>
      {files.value === undefined && files.failure === undefined && <Skeleton label="Loading files" />}
      {files.failure !== undefined && <FailureNotice failure={files.failure} onRetry={files.reload} />}
      {files.value?.length === 0 && (
        <EmptyState icon="file" title="No files yet">
          What pages on the phone download appears here.
        </EmptyState>
      )}
      {files.value !== undefined && files.value.length > 0 && (
        <List label="Files">
          {files.value.map((file) => (
            <ListRow
              key={file.name}
              lead={<Icon name="file" size={20} />}
              title={file.name}
              detail={
                <span className="tabular">
                  {byteSize(file.bytes)} · {timeAgo(file.savedAt, now)}
                </span>
              }
              trail={
                <>
                  <Button
                    size="small"
                    busy={saving === file.name}
                    aria-label={`Save ${file.name}`}
                    onClick={() => void save(file)}
                  >
                    Save
                  </Button>
                  {mayControl && (
                    <IconButton
                      size="small"
                      icon="trash"
                      label={`Remove ${file.name}`}
                      tooltip="left"
                      busy={calls.busy(file.name)}
                      onClick={() => void remove(file)}
                    />
                  )}
                </>
              }
            />
          ))}
        </List>
      )}
    </Dialog>
  );
}
