/** A picture of the phone's screen, to save or to copy. */
import { useEffect, useState } from "react";
import type { Screenshot } from "../../../shared/phones.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { useToast } from "../../components/toast.tsx";
import { copyImage } from "../../platform/clipboard.ts";
import { saveBlob } from "./save-blob.ts";

export interface ScreenshotDialogProps {
  readonly screenshot: Screenshot;
  readonly phoneName: string;
  /** Unix milliseconds. */
  readonly takenAt: number;
  readonly onClose: () => void;
}

export function ScreenshotDialog({ screenshot, phoneName, takenAt, onClose }: ScreenshotDialogProps) {
  const [blob] = useState(() => pngBlob(screenshot));
  const [url, setUrl] = useState<string>();
  const toast = useToast();
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  const copy = async () => {
    const result = await copyImage(blob);
    if (result.ok) {
      toast({ text: "Screenshot copied." });
      onClose();
    } else {
      const words =
        result.reason === "unsupported" ? "This browser cannot copy pictures." : "The browser did not allow copying.";
      toast({ text: `${words} Save it instead.`, tone: "error" });
    }
  };
  return (
    <Dialog
      title="Screenshot"
      onClose={onClose}
      actions={
        <>
          <Button icon="copy" onClick={() => void copy()}>
            Copy
          </Button>
          <Button
            kind="primary"
            icon="download"
            onClick={() => {
              saveBlob(blob, screenshotName(phoneName, takenAt));
              onClose();
            }}
          >
            Save PNG
          </Button>
        </>
      }
    >
      {url !== undefined && <img className="screenshot" src={url} alt={`Screen of ${phoneName}`} />}
      <p className="secondary tabular">
        {screenshot.width} × {screenshot.height} pixels
      </p>
    </Dialog>
  );
}

/** `Pixel, tall 2026-01-31 14.05.09.png`, in the computer's own time. */
export function screenshotName(phoneName: string, takenAt: number): string {
  const at = new Date(takenAt);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${phoneName} ${date} ${two(at.getHours())}.${two(at.getMinutes())}.${two(at.getSeconds())}.png`;
}

function pngBlob(screenshot: Screenshot): Blob {
  const binary = atob(screenshot.base64);
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: screenshot.mimeType });
}
