/** Waits that end. A half-open connection answers nothing and fails nothing, so nothing here waits for a device alone. */
import { AdbUnavailable } from "./unavailable.ts";

/** @throws AdbUnavailable `device_gone` when `work` takes longer, the signal's reason when it aborts. */
export async function within<T>(ms: number, words: string, work: Promise<T>, signal?: AbortSignal): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => ended.reject(new AdbUnavailable("device_gone", `${words} does not answer. It may be off or unplugged.`)),
    ms,
  );
  const abort = () => ended.reject(signal?.reason);
  if (signal?.aborted === true) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
    // What is left behind may fail later, to nobody.
    work.catch(() => undefined);
  }
}
