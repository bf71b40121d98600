/** How far an upload is, in words. */
import { byteSize } from "../model/run-time.ts";
import type { UploadItem } from "./uploader.ts";

export function uploadWords(item: UploadItem): string {
  const { bytes, sent, put, purpose, stage, message } = item;
  const size = byteSize(bytes);
  switch (stage) {
    case "queued":
      return `Waits for its turn · ${size}`;
    case "sending":
      return `${percent(sent, bytes)} of ${size}`;
    case "paused":
      return `Paused at ${percent(sent, bytes)} of ${size}`;
    case "waiting":
      return `The connection is lost at ${percent(sent, bytes)}. It goes on by itself.`;
    case "putting":
      // The bar beside it counts both ways, so a number of this one alone would contradict it.
      return purpose === "app" && put >= bytes ? "The phone installs it" : `Goes to the phone · ${size}`;
    case "done":
      return purpose === "app" ? "Installed" : `On the phone · ${size}`;
    case "failed":
      return message ?? "It failed.";
  }
}

export function percent(part: number, whole: number): string {
  return `${whole === 0 ? 0 : Math.floor((100 * part) / whole)} %`;
}

/** One line for all that is on its way; undefined when nothing is. */
export function uploadsLine(items: readonly UploadItem[]): string | undefined {
  const open = items.filter(({ stage }) => stage !== "done" && stage !== "failed");
  const current = open.find(({ stage }) => stage !== "queued" && stage !== "paused") ?? open[0];
  if (current === undefined) return undefined;
  const more = open.length > 1 ? `, ${open.length - 1} more` : "";
  const { name, sent, bytes, stage } = current;
  switch (stage) {
    case "paused":
      return `${name} is paused${more}`;
    case "waiting":
      return `${name} waits for the connection${more}`;
    case "putting":
      return `${name} goes to the phone${more}`;
    default:
      return `Sending ${name}, ${percent(sent, bytes)}${more}`;
  }
}
