/**
 * Marks what the guarded dialler does itself: connections and look-ups that were judged by `guard.ts` before. The
 * process-wide guard (`server/privacy/processors/outbound.ts`) lets these pass, and otherwise the processor register alone.
 */
let inside = false;

/** For the call itself, which is synchronous; nothing that follows from it is marked. */
export function asOwnCall<T>(call: () => T): T {
  inside = true;
  try {
    return call();
  } finally {
    inside = false;
  }
}

export function isOwnCall(): boolean {
  return inside;
}
