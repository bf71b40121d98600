/**
 * The door: plain http, or https with TLS 1.3 and nothing older. Connections that are slow, idle or speak no HTTP are
 * closed with a sentence, so that a few of them never hold the server.
 */
import { createServer, type RequestListener, type Server, type ServerOptions, STATUS_CODES } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { PerchError } from "../errors.ts";
import type { Log } from "../log.ts";
import { bareAnswer } from "./security-headers.ts";
import { type CertificateFiles, keepCertificate, readCertificate, TLS } from "./tls-certificate.ts";

export type HttpListener = Server | SecureServer;

export interface ListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Serves https with these; without them plain http. */
  readonly certificate?: CertificateFiles | undefined;
  readonly log: Log;
  readonly serve: RequestListener;
  /** How long connections may take. Tests have less time. */
  readonly limits?: ConnectionLimits;
}

/** Milliseconds, and bytes for `maxHeaderSize`; as Node names them. */
type ConnectionLimits = Readonly<
  Required<
    Pick<
      ServerOptions,
      "headersTimeout" | "requestTimeout" | "keepAliveTimeout" | "connectionsCheckingInterval" | "maxHeaderSize"
    >
  >
> & {
  /** How long nothing may move either way. Event streams say something every 15 s; screens keep their own time. */
  readonly silence: number;
};

/** A request's head comes in one go; a body of 24 MB over a slow line takes its time. Queries carry their input in the head. */
const LIMITS: ConnectionLimits = {
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
  silence: 120_000,
};
/** Each costs a few kilobytes and a file handle; more are refused, not queued. */
const MAX_CONNECTIONS = 4_000;

export interface Listening {
  readonly http: HttpListener;
  readonly port: number;
  /** Stops listening and cuts what is open. */
  close(): Promise<void>;
}

/** @throws PerchError with what to change, when the port or the certificate cannot be had. */
export async function startListening(options: ListenerOptions): Promise<Listening> {
  const { certificate, serve, log, limits = LIMITS } = options;
  const { http, release } =
    certificate === undefined ? { http: createServer(limits, serve), release() {} } : secureServer(certificate);
  http.maxConnections = MAX_CONNECTIONS;
  http.setTimeout(limits.silence);
  http.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) =>
    answerNoRequest(error, socket, certificate !== undefined),
  );
  try {
    await bind(http, options);
  } catch (error) {
    release();
    throw error;
  }
  const address = http.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has an address.");
  return {
    http,
    port: address.port,
    async close() {
      release();
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
    },
  };

  function secureServer(files: CertificateFiles) {
    const secure = createSecureServer({ ...limits, ...TLS, ...readCertificate(files) }, serve);
    // A handshake that fails is the peer's affair; there is no HTTP yet that could answer.
    secure.on("tlsClientError", (_error, socket: Socket) => socket.destroy());
    return { http: secure, release: keepCertificate(secure, files, log) };
  }
}

async function bind(http: HttpListener, { host, port }: ListenerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    http.once("error", (error: NodeJS.ErrnoException) => {
      const words =
        error.code === "EADDRINUSE"
          ? `Port ${port} is taken by another program. Stop it, or set PORT to a free one.`
          : error.code === "EACCES"
            ? `Port ${port} needs more rights than this user has. Set PORT to one above 1023.`
            : `The server cannot listen on ${host}:${port}. Check HOST and PORT.`;
      reject(new PerchError("unavailable", words, { cause: error }));
    });
    http.listen(port, host, resolve);
  });
}

const NO_REQUEST: Readonly<Record<string, { readonly status: number; readonly message: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: "The headers of this request are larger than the server takes." },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: "This request took too long to arrive. Send it again." },
};
const UNREADABLE = { status: 400, message: "This is no HTTP request that can be read." };

function answerNoRequest(error: NodeJS.ErrnoException, socket: Duplex, secure: boolean): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const { status, message } = NO_REQUEST[error.code ?? ""] ?? UNREADABLE;
  socket.end(bareAnswer({ status, reason: STATUS_CODES[status] ?? "", message, secure }), () => socket.destroy());
}
