/** Access to hosts: the server's origin, and the sites a person lets rules act on. Never more than is named. */
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

/** Asks for access to sites, in one question. Call it synchronously within a gesture. No patterns: nothing is asked. */
export async function requestSites(
  patterns: readonly string[],
): Promise<Result<undefined, "refused" | "needs_gesture">> {
  if (patterns.length === 0) return success(undefined);
  try {
    return (await browser.permissions.request({ origins: [...patterns] })) ? success(undefined) : failure("refused");
  } catch (cause) {
    return failure("needs_gesture", cause);
  }
}

export async function hasSites(patterns: readonly string[]): Promise<boolean> {
  return patterns.length === 0 || browser.permissions.contains({ origins: [...patterns] });
}

/** False when the browser keeps it, e.g. because an administrator gave it. */
export async function releaseSites(patterns: readonly string[]): Promise<boolean> {
  return browser.permissions.remove({ origins: [...patterns] }).catch(() => false);
}

/**
 * Calls back when access was given or taken away, here or in the browser's own settings; returns how to stop. Register
 * synchronously when the worker starts.
 */
export function onSitesChanged(listener: () => void): () => void {
  const changed = () => listener();
  browser.permissions.onAdded.addListener(changed);
  browser.permissions.onRemoved.addListener(changed);
  return () => {
    browser.permissions.onAdded.removeListener(changed);
    browser.permissions.onRemoved.removeListener(changed);
  };
}
