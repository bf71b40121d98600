/** What is said of dropped folders, which browsers hand over as nothing a phone could keep. */
export function foldersLeftOut(folders: number): string {
  return folders === 1
    ? "A folder cannot be sent. Choose the files in it."
    : `${folders} folders cannot be sent. Choose the files in them.`;
}
