/** Uploads the server has a part of and this page does not send: of an earlier day, another window, or somebody else. */
import { useRef, useState } from "react";
import type { Phone } from "../../../../shared/phones.ts";
import type { Upload } from "../../../../shared/uploads.ts";
import { Button, IconButton } from "../../../components/button.tsx";
import { Icon } from "../../../components/icon.tsx";
import { List, ListRow } from "../../../components/surface.tsx";
import type { Calls } from "../../panel/use-call.ts";
import { byteSize } from "../model/run-time.ts";
import { percent } from "./upload-words.ts";
import type { Uploads } from "./use-uploads.ts";

export interface UnfinishedProps {
  readonly phone: Phone;
  readonly all: readonly Upload[];
  readonly uploads: Uploads;
  readonly calls: Calls;
  readonly onChange: () => void;
}

export function Unfinished({ phone, all, uploads, calls, onChange }: UnfinishedProps) {
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<Upload>();
  const [problem, setProblem] = useState<string>();
  const here = new Set(uploads.items.map(({ uploadId }) => uploadId));
  const left = all.filter(({ id, state }) => state === "receiving" && !here.has(id));
  if (left.length === 0) return null;

  const take = (file: File | undefined) => {
    if (file === undefined || chosen === undefined) return;
    const same = file.name.trim() === chosen.name && file.size === chosen.bytes;
    setProblem(same ? undefined : `That is another file. Choose ${chosen.name} with ${byteSize(chosen.bytes)}.`);
    if (same) uploads.resume(phone, chosen, file);
  };
  const drop = async ({ id, name }: Upload) => {
    await calls.run(`upload ${name}`, (api) => api.phones.cancelUpload.mutate({ phoneId: phone.id, uploadId: id }));
    onChange();
  };
  return (
    <section className="dialog-section">
      <h3>Not finished</h3>
      <input
        ref={input}
        type="file"
        hidden
        aria-label="The same file"
        onChange={({ target }) => {
          take(target.files?.[0]);
          target.value = "";
        }}
      />
      <List label="Not finished">
        {left.map((upload) => (
          <ListRow
            key={upload.id}
            lead={<Icon name={upload.purpose === "app" ? "apps" : "file"} size={20} />}
            title={upload.name}
            detail={`${percent(upload.received, upload.bytes)} of ${byteSize(upload.bytes)} arrived. Choose it again to go on.`}
            trail={
              <>
                <Button
                  size="small"
                  aria-label={`Choose ${upload.name} again`}
                  onClick={() => {
                    setChosen(upload);
                    input.current?.click();
                  }}
                >
                  Choose
                </Button>
                <IconButton
                  size="small"
                  icon="close"
                  label={`Cancel ${upload.name}`}
                  tooltip="left"
                  busy={calls.busy(`upload ${upload.name}`)}
                  onClick={() => void drop(upload)}
                />
              </>
            }
          />
        ))}
      </List>
      {problem !== undefined && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}
