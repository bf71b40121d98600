/**
 * Loaded before each file of tests: waiting for a condition ends when it holds, and how long that may take is for a
 * machine that does much else. Vitest gives one second, within which a busy one may not have begun.
 */
import { vi } from "vitest";

const PATIENCE_MS = 20_000;

interface Waiting {
  readonly timeout?: number;
  readonly interval?: number;
}
const patiently = (how: number | Waiting = {}): Waiting => {
  const { timeout = 0, ...rest } = typeof how === "number" ? { timeout: how } : how;
  return { ...rest, timeout: Math.max(timeout, PATIENCE_MS) };
};
const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, how) => waitFor(callback, patiently(how));
vi.waitUntil = (callback, how) => waitUntil(callback, patiently(how));
