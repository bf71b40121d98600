/** Makes the browser forget what it keeps for one origin. */
import type { CdpSession } from "./cdp.ts";

/** `pages` are those of the origin that are open: what they keep for their window goes too. @throws CdpError */
export async function clearOrigin(session: CdpSession, pages: readonly CdpSession[], origin: string): Promise<void> {
  const { cookies } = await session.send("Network.getCookies", { urls: [`${origin}/`] });
  await Promise.all([
    session.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" }),
    // Those of the site's whole domain are sent to the origin as well.
    ...cookies.map(({ name, domain, path }) => session.send("Network.deleteCookies", { name, domain, path })),
    ...pages.map((page) =>
      page.send("Runtime.evaluate", { expression: "sessionStorage.clear()" }).catch(() => undefined),
    ),
  ]);
}
