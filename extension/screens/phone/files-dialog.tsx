/** Files of a phone: send some there, save to this computer what it has, remove. */
import { useCallback, useEffect, useState } from "react";
import type { Phone, PhoneFile } from "../../../shared/phones.ts";
import type { Upload } from "../../../shared/uploads.ts";
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
import { SendFiles } from "./uploads/send-files.tsx";
import { Unfinished } from "./uploads/unfinished.tsx";
import { UploadRows } from "./uploads/upload-rows.tsx";
import type { Uploads } from "./uploads/use-uploads.ts";

export interface FilesDialogProps {
  readonly phone: Phone;
  readonly mayControl: boolean;
  readonly uploads: Uploads;
  readonly onClose: () => void;
}

interface FilesThere {
  readonly files: readonly PhoneFile[];
  readonly uploads: readonly Upload[];
}

export function FilesDialog({ phone, mayControl, uploads, onClose }: FilesDialogProps) {
  const { app } = usePage();
  const { server } = usePhones();
  const { id: phoneId } = phone;
  const { files: hasFiles, upload } = phone.capabilities;
  const sends = upload && mayControl;
  const read = useCallback(
    async (api: Api): Promise<FilesThere> => {
      const [files, unfinished] = await Promise.all([
        hasFiles ? api.phones.files.query({ phoneId }) : [],
        sends ? api.phones.uploads.query({ phoneId }) : [],
      ]);
      return { files, uploads: unfinished };
    },
    [phoneId, hasFiles, sends],
  );
  const there = useRemote(read);
  const calls = useCall();
  const toast = useToast();
  const now = useNow(true);
  const [saving, setSaving] = useState<string>();
  const mine = uploads.items.filter((item) => item.phoneId === phoneId);
  const arrived = mine.filter(({ stage }) => stage === "done").length;
  const { reload } = there;
  useEffect(() => {
    if (arrived > 0) reload();
  }, [arrived, reload]);

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
    reload();
  };
  const { value, failure } = there;
  const unfinished = value?.uploads.some(({ state }) => state === "receiving") === true;

  return (
    <Dialog title={`Files on ${phone.name}`} onClose={onClose}>
      {sends && <SendFiles phone={phone} purpose="file" uploads={uploads} />}
      <UploadRows items={mine} uploads={uploads} />
      {value !== undefined && (
        <Unfinished phone={phone} all={value.uploads} uploads={uploads} calls={calls} onChange={reload} />
      )}
      {value === undefined && failure === undefined && <Skeleton label="Loading files" />}
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value?.files.length === 0 && hasFiles && mine.length === 0 && !unfinished && (
        <EmptyState icon="file" title="No files yet">
          {sends
            ? "What is sent to the phone, and what it downloads, appears here."
            : "What pages on the phone download appears here."}
        </EmptyState>
      )}
      {value !== undefined && value.files.length > 0 && (
        <section className="dialog-section">
          {sends && <h3>On the phone</h3>}
          <List label="Files">
            {value.files.map((file) => (
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
        </section>
      )}
    </Dialog>
  );
}
