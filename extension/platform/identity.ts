/** The browser's own window for signing in: pages shown there cannot see or be seen by the extension. */
import browser from "webextension-polyfill";
import { failure, type Result, success } from "./result.ts";

export type SignInWindowProblem = "unsupported" | "closed" | "page_did_not_load" | "failed";

function identity(): browser.Identity.Static | undefined {
  return (browser as Partial<typeof browser>).identity;
}

/** Where the server sends the person back to; the browser made it for this extension alone. */
export function signInRedirectUrl(): string | undefined {
  return identity()?.getRedirectURL();
}

/** Shows `url` until the page goes to the redirect address; gives that address back with its query. */
export async function launchSignIn(url: string): Promise<Result<string, SignInWindowProblem>> {
  const api = identity();
  if (api === undefined) return failure("unsupported");
  try {
    return success(await api.launchWebAuthFlow({ url, interactive: true }));
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : "";
    if (/did not approve|cancel|denied|closed/i.test(words)) return failure("closed", cause);
    return failure(/could not be loaded|load/i.test(words) ? "page_did_not_load" : "failed", cause);
  }
}
