/** Leaves nothing of a person in this browser: after their account is deleted, or when they ask for it at sign-out. */
import { wipeBrowser } from "../platform/leaving.ts";
import { announcer } from "./indexed-db.ts";

/** Every page of the extension then shows the first step again. */
export async function forgetBrowser(): Promise<void> {
  await wipeBrowser();
  announcer("perch.tokens").announce();
}
