/** What is on its way to phones, in a line beside the picture. */
import { Button } from "../../../components/button.tsx";
import { Strip } from "../strips.tsx";
import { uploadsLine } from "./upload-words.ts";
import type { UploadItem } from "./uploader.ts";

export interface UploadStripProps {
  readonly items: readonly UploadItem[];
  readonly onShow: () => void;
}

export function UploadStrip({ items, onShow }: UploadStripProps) {
  const line = uploadsLine(items);
  if (line === undefined) return null;
  return (
    <Strip
      icon="upload"
      actions={
        <Button size="small" onClick={onShow}>
          Show
        </Button>
      }
    >
      <span className="tabular">{line}</span>
    </Strip>
  );
}
