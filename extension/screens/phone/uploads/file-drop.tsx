/** Files dragged from the computer onto a part of the panel. */
import { type DragEvent, useState } from "react";

export interface FileDrop {
  /** Files are held over it. */
  readonly over: boolean;
  /** To spread on the part. */
  readonly handlers: {
    onDragEnter(event: DragEvent): void;
    onDragOver(event: DragEvent): void;
    onDragLeave(event: DragEvent): void;
    onDrop(event: DragEvent): void;
  };
}

/** `onFiles` absent: nothing is taken. Folders are left out and counted. */
export function useFileDrop(onFiles: ((files: readonly File[], folders: number) => void) | undefined): FileDrop {
  const [depth, setDepth] = useState(0);
  const takes = (event: DragEvent) => onFiles !== undefined && event.dataTransfer.types.includes("Files");
  return {
    over: depth > 0,
    handlers: {
      onDragEnter(event) {
        if (!takes(event)) return;
        event.preventDefault();
        // Every element inside that is entered counts, and is left again.
        setDepth((before) => before + 1);
      },
      onDragOver(event) {
        if (!takes(event)) return;
        event.preventDefault();
        event.stopPropagation();
        event.dataTransfer.dropEffect = "copy";
      },
      onDragLeave(event) {
        if (takes(event)) setDepth((before) => Math.max(0, before - 1));
      },
      onDrop(event) {
        if (!takes(event)) return;
        event.preventDefault();
        event.stopPropagation();
        setDepth(0);
        const all = [...event.dataTransfer.items].filter(({ kind }) => kind === "file");
        const files = all.flatMap((item) => (isFolder(item) ? [] : (item.getAsFile() ?? [])));
        onFiles?.(files, all.length - files.length);
      },
    },
  };
}

function isFolder(item: DataTransferItem): boolean {
  return item.webkitGetAsEntry?.()?.isDirectory === true;
}
