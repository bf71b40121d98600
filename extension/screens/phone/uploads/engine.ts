/** What sends files, loaded when there is something to send. */
import type { PageParts } from "../../../state/app-context.tsx";
import { uploadTransport } from "./transport.ts";
import { createUploader, type Uploader, type UploadItem } from "./uploader.ts";

export { fileProblem } from "./check-file.ts";

export function createPageUploader(
  parts: PageParts,
  server: string,
  onChange: (items: readonly UploadItem[]) => void,
): Uploader {
  const uploader = createUploader({
    transport: uploadTransport(parts, server),
    now: () => Date.now(),
    later(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    onChange,
  });
  window.addEventListener("online", uploader.wake);
  return {
    ...uploader,
    close() {
      window.removeEventListener("online", uploader.wake);
      uploader.close();
    },
  };
}
