/**
 * Which troubles of a screen are worth a warning. A device that is unplugged breaks all that runs on it, some milliseconds
 * before its connection says that it is gone; that it is out of reach is said once, by who looks for it.
 */
import { errorFields, type Log } from "../../../../log.ts";

/** An ADB server closes a lost device's sockets before it tells that the device is lost. */
const GONE_WITHIN_MS = 1_000;

/** Warns of something that broke, unless the device turns out to be gone. */
export type Trouble = (message: string, error: unknown, count?: number) => void;

export function troubleUnless(gone: Promise<void>, log: Log): Trouble {
  let isGone = false;
  const waiting = new Set<NodeJS.Timeout>();
  void gone.then(() => {
    isGone = true;
    for (const timer of waiting) clearTimeout(timer);
    waiting.clear();
  });
  return (message, error, count) => {
    if (isGone) return;
    const timer = setTimeout(() => {
      waiting.delete(timer);
      log.warn(message, { ...(count !== undefined && { count }), ...errorFields(error) });
    }, GONE_WITHIN_MS);
    waiting.add(timer);
  };
}
