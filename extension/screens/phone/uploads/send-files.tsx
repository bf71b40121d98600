/** Choosing files on this computer, by a button or by dropping them. */
import { useRef, useState } from "react";
import type { Phone } from "../../../../shared/phones.ts";
import type { UploadPurpose } from "../../../../shared/uploads.ts";
import { Button } from "../../../components/button.tsx";
import { MOST_WORDS } from "./check-file.ts";
import { useFileDrop } from "./file-drop.tsx";
import { foldersLeftOut } from "./folders.ts";
import type { Uploads } from "./use-uploads.ts";
import "./uploads.css";

export interface SendFilesProps {
  readonly phone: Phone;
  readonly purpose: UploadPurpose;
  readonly uploads: Uploads;
}

export function SendFiles({ phone, purpose, uploads }: SendFilesProps) {
  const input = useRef<HTMLInputElement>(null);
  const [folders, setFolders] = useState(0);
  const take = (files: readonly File[], leftOut = 0) => {
    setFolders(leftOut);
    // Here it is known what they are meant as.
    if (purpose === "app") uploads.send(phone, files, "app");
    else uploads.add(phone, files);
  };
  const drop = useFileDrop(take);
  const app = purpose === "app";
  return (
    <div className={`upload-choose${drop.over ? " upload-choose-over" : ""}`} {...drop.handlers}>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={app ? "APK files" : "Files"}
        {...(app && { accept: ".apk,application/vnd.android.package-archive" })}
        onChange={({ target }) => {
          take([...(target.files ?? [])]);
          target.value = "";
        }}
      />
      <Button icon={app ? "install" : "upload"} onClick={() => input.current?.click()}>
        {app ? "Install from file…" : "Send files…"}
      </Button>
      <span className="secondary">
        {folders > 0
          ? foldersLeftOut(folders)
          : `or drop ${app ? "APKs" : "them"} here, up to ${MOST_WORDS[purpose]} each`}
      </span>
    </div>
  );
}
