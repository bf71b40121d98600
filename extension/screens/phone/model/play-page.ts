/** An app's own page in Google's Play Store, which the store's app on an Android phone opens. */
export function isPlayPage(address: string | undefined): boolean {
  if (address === undefined || !URL.canParse(address)) return false;
  const { protocol, hostname, pathname, searchParams } = new URL(address);
  const page = protocol === "https:" && hostname === "play.google.com" && pathname === "/store/apps/details";
  return page && searchParams.has("id");
}
