/** Access to the server's origin, the only host permission Perch ever asks for. */
import browser from "webextension-polyfill";
import { failure, type Result, success } from "./result.ts";

/** Match patterns carry no port: access to one port of a host is access to all of them. */
export function hostPattern(origin: string): string {
  const { protocol, hostname } = new URL(origin);
  return `${protocol}//${hostname}/*`;
}

/** Asks for access to an origin. Call it synchronously within a gesture. */
export async function requestHost(origin: string): Promise<Result<undefined, "refused" | "needs_gesture">> {
  try {
    const granted = await browser.permissions.request({ origins: [hostPattern(origin)] });
    return granted ? success(undefined) : failure("refused");
  } catch (cause) {
    return failure("needs_gesture", cause);
  }
}

export async function hasHost(origin: string): Promise<boolean> {
  return browser.permissions.contains({ origins: [hostPattern(origin)] });
}

/** Gives access back, when the server is forgotten. */
export async function releaseHost(origin: string): Promise<void> {
  await browser.permissions.remove({ origins: [hostPattern(origin)] }).catch(() => false);
}
