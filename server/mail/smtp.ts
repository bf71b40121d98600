/** Hands mail to a mail server (RFC 5321) over TLS 1.3; plain SMTP only to this machine. */
import { connect, type Socket } from "node:net";
import { createTransport } from "nodemailer";
import { lacksTls13 } from "../egress/tls-version.ts";
import { PerchError } from "../errors.ts";

export interface OutgoingMail {
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}
export interface MailTransport {
  /** `refused`: the reply code (RFC 5321 §4.2) of a server that will never take this mail. Throws when it may be tried again. */
  send(mail: OutgoingMail): Promise<{ readonly refused?: string }>;
  close(): void;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const TIMEOUT_MS = 20_000;

/** Greets the mail server, switches TLS on and signs in, without sending anything. @throws what stands in the way */
export async function checkSmtp(url: string): Promise<void> {
  const transport = openTransport(url);
  try {
    await transport.verify();
  } finally {
    transport.close();
  }
}

/** `url`: smtp(s)://user:password@host:port. Throws `PerchError` when the connection could not be private. */
export function createSmtpTransport(options: { url: string; from: string }): MailTransport {
  const transport = openTransport(options.url);
  const domain = /@([^\s>]+)>?\s*$/.exec(options.from)?.[1] ?? "localhost";
  return {
    async send({ id, to, subject, text, html }) {
      try {
        await transport.sendMail({
          from: options.from,
          to: { name: "", address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${domain}>`,
          headers: { "Auto-Submitted": "auto-generated" },
        });
        return {};
      } catch (error) {
        const refused = finalReply(error);
        if (refused === undefined && lacksTls13(error)) {
          throw new PerchError(
            "unavailable",
            "The mail server in SMTP_URL does not speak TLS 1.3. Update it or use another one; nothing older is used.",
            { cause: error },
          );
        }
        if (refused === undefined) throw error;
        return { refused };
      }
    },
    close: () => transport.close(),
  };
}

function openTransport(text: string) {
  const url = new URL(text);
  const isLocal = LOOPBACK.has(url.hostname);
  if (!["smtp:", "smtps:"].includes(url.protocol) || url.hostname === "") {
    throw new PerchError("bad_input", "SMTP_URL must look like smtps://user:password@mail.example:465.");
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (url.protocol === "smtps:" ? 465 : 587);
  return createTransport({
    host,
    port,
    // By name: the library would look the name up itself and connect to an address, which the processor register does
    // not know.
    getSocket: (_options: unknown, done: (error: Error | null, socket?: { connection: Socket }) => void) => {
      openSocket(host, port).then(
        (connection) => done(null, { connection }),
        (error: Error) => done(error),
      );
    },
    secure: url.protocol === "smtps:",
    requireTLS: url.protocol === "smtp:" && !isLocal,
    ignoreTLS: url.protocol === "smtp:" && isLocal,
    tls: { minVersion: "TLSv1.3" },
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // A template holds text only; nothing in it may make us read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(url.username !== "" && {
      auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    }),
  });
}

function openSocket(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS });
    socket.once("timeout", () => socket.destroy(new Error("The mail server does not answer.")));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.setTimeout(0);
      // Its listener for errors stays: who takes the socket listens a moment later.
      socket.removeAllListeners("timeout");
      resolve(socket);
    });
  });
}

/** A 5xx answer to the recipient or the message (RFC 5321 §4.2.1); a failed login is ours to repair, so it is retried. */
function finalReply(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { responseCode, code } = error as Error & { responseCode?: unknown; code?: unknown };
  return typeof responseCode === "number" && responseCode >= 500 && code !== "EAUTH" ? String(responseCode) : undefined;
}
