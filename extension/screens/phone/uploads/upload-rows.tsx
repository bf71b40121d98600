/** Files on their way to a phone, each with how far it is and what can be done about it. */
import { IconButton } from "../../../components/button.tsx";
import { Icon } from "../../../components/icon.tsx";
import { List } from "../../../components/surface.tsx";
import { uploadWords } from "./upload-words.ts";
import { progressOf, type UploadItem } from "./uploader.ts";
import type { Uploads } from "./use-uploads.ts";
import "./uploads.css";

export interface UploadRowsProps {
  readonly items: readonly UploadItem[];
  readonly uploads: Uploads;
}

export function UploadRows({ items, uploads }: UploadRowsProps) {
  if (items.length === 0) return null;
  return (
    <List label="On their way">
      {items.map((item) => (
        <UploadRow key={item.key} item={item} uploads={uploads} />
      ))}
    </List>
  );
}

function UploadRow({ item, uploads }: { readonly item: UploadItem; readonly uploads: Uploads }) {
  const { key, name, purpose, stage, refused } = item;
  const over = stage === "done" || stage === "failed";
  const words = uploadWords(item);
  return (
    <li className={`list-row upload upload-${stage}`}>
      <span className="list-lead">
        <Icon name={stage === "done" ? "check" : purpose === "app" ? "apps" : "file"} size={20} />
      </span>
      <span className="list-text">
        <span className="truncate" title={name}>
          {name}
        </span>
        <span className="secondary tabular" role={over ? "status" : undefined}>
          {words}
        </span>
        {!over && <progress aria-label={name} max={1} value={progressOf(item)} />}
      </span>
      <span className="list-trail">
        {(stage === "queued" || stage === "sending" || stage === "waiting") && (
          <IconButton
            size="small"
            icon="park"
            label={`Pause ${name}`}
            tooltip="left"
            onClick={() => uploads.pause(key)}
          />
        )}
        {(stage === "paused" || (stage === "failed" && refused !== true)) && (
          <IconButton
            size="small"
            icon={stage === "paused" ? "start" : "refresh"}
            label={stage === "paused" ? `Go on with ${name}` : `Try ${name} again`}
            tooltip="left"
            onClick={() => uploads.goOn(key)}
          />
        )}
        <IconButton
          size="small"
          icon="close"
          label={over ? `Dismiss ${name}` : `Cancel ${name}`}
          tooltip="left"
          onClick={() => uploads.cancel(key)}
        />
      </span>
    </li>
  );
}
