/** Calls of an Engine that end by themselves, and what their failures are. */

/** `gone`: nobody answered, or too late. `refused`: the Engine answered, and not with what was asked for. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly kind: "gone" | "refused";
  /** Of HTTP, where the Engine answered. */
  readonly status: number | undefined;

  constructor(kind: "gone" | "refused", message: string, details: { status?: number; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.status = details.status;
  }
}

/**
 * Ends with the call, after `ms`, or with `signal`, whatever the client does meanwhile. The signal the call gets is quiet
 * once it has answered: a stream that came of it lives on. `late`: what to do with an answer nobody waits for.
 */
export async function bounded<T>(
  what: string,
  ms: number,
  signal: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T>,
  late: (answer: T) => void = () => {},
): Promise<T> {
  signal?.throwIfAborted();
  const own = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new EngineError("gone", `${what}: no answer for ${ms / 1_000} s.`)), ms);
  const stop = () => reject(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  const answer = call(own.signal);
  try {
    return await Promise.race([answer, over]);
  } catch (error) {
    answer.then(late, () => {});
    own.abort();
    if (signal?.aborted || error instanceof EngineError) throw error;
    throw asEngineError(what, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

function asEngineError(what: string, error: unknown): EngineError {
  const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : undefined;
  const message = `${what}: ${error instanceof Error ? error.message.trim() : String(error)}`;
  if (typeof status !== "number") return new EngineError("gone", message, { cause: error });
  return new EngineError("refused", message, { status, cause: error });
}
