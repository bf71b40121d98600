/** Whether a connection failed because the other side speaks no TLS 1.3, or no TLS at all. */
export function lacksTls13(error: unknown): boolean {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const { code, message } = at as Error & { code?: unknown };
    if (typeof code === "string" && /^ERR_SSL_.*(PROTOCOL|VERSION)/.test(code)) return true;
    if (/does not support SSL|protocol version|unsupported protocol/i.test(message)) return true;
  }
  return false;
}
