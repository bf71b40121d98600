/** Signing out of this browser. */
import { createApi } from "../api/client.ts";
import type { App } from "./compose-app.ts";

/**
 * Ends the session on the server and forgets its token, and leaves the token when the server does not say that it did.
 * Nobody of the extension reads the token in between: whoever was refused meanwhile finds it gone, and does not take its
 * own sign-out for one from elsewhere.
 */
export async function signOut(app: Pick<App, "tokens" | "phonesCache">, server: string): Promise<void> {
  await app.tokens.end(server, async ({ token, team }) => {
    await createApi({ server, token: async () => token }).account.signOut.mutate();
    await app.phonesCache.set({ server, team, signedIn: false, phones: [], seenAtMs: Date.now() });
  });
}
