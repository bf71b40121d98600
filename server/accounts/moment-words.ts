/** "1 January 2026 at 14:05 UTC": mails cannot know where they are read. */
export function momentWords(at: Date): string {
  return `${new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" }).format(at)} UTC`;
}
