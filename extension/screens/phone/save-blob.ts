/** Hands bytes to the browser's downloads. `name` is a suggestion; the browser makes it safe. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The download has its own hold on the bytes once it has begun, which is in the task after the click.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
