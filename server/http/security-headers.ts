/** Headers of every answer, whoever makes it: a route, an error, a refused socket, a server that is still starting. */

/** What nobody may frame, run, sniff, embed, keep or learn an address from. Pages loosen only what they need. */
const ALWAYS = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
  "Cache-Control": "no-store",
} as const;

const TRANSPORT = { "Strict-Transport-Security": "max-age=31536000" } as const;

/** Name and value of each, in the spelling they are sent in. `secure`: people come by https. */
export function securityHeaders(secure: boolean): readonly (readonly [string, string])[] {
  return Object.entries(secure ? { ...ALWAYS, ...TRANSPORT } : ALWAYS);
}

/** A whole answer as it goes over a socket that no request handler has: before an upgrade, after bytes that are no request. */
export function bareAnswer(options: {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly secure: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}): string {
  const { status, reason, message, secure, headers = {} } = options;
  const body = JSON.stringify({ message });
  const lines = [
    `HTTP/1.1 ${status} ${reason}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    ...[...securityHeaders(secure), ...Object.entries(headers)].map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
