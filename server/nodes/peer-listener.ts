/**
 * The door for other nodes: TLS 1.3 both ways, open to certificates of the register alone. What comes through it says for
 * whom it asks in a header that no other door believes.
 */
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer } from "node:https";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { PerchError } from "../errors.ts";
import { TLS } from "../http/tls-certificate.ts";
import type { NodeCertificate } from "./certificate.ts";

export interface PeerListener {
  readonly port: number;
  /** Gives what serves from now on; until then the door answers that it is not ready. */
  serve(handlers: {
    readonly request: RequestListener;
    readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  }): void;
  close(): Promise<void>;
}

const LIMITS = {
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 30_000,
  maxHeaderSize: 64 * 1024,
} as const;
const SILENCE_MS = 120_000;

/** @throws PerchError that says what to change, when the port cannot be had */
export async function startPeerListener(options: {
  host: string;
  port: number;
  certificate: NodeCertificate;
  /** Whether a certificate with this fingerprint is a living node's; asked for each request. */
  isPeer: (fingerprint: string) => Promise<boolean>;
}): Promise<PeerListener> {
  const { host, port, certificate, isPeer } = options;
  let handlers: Parameters<PeerListener["serve"]>[0] | undefined;
  const { cert, key } = certificate;
  const server = createServer({ ...LIMITS, ...TLS, cert, key, requestCert: true, rejectUnauthorized: false });
  server.setTimeout(SILENCE_MS);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("clientError", (_error, socket) => socket.destroy());
  const admitted = async (request: IncomingMessage) => {
    const fingerprint = fingerprintOf(request);
    return fingerprint !== undefined && handlers !== undefined && (await isPeer(fingerprint)) ? handlers : undefined;
  };
  server.on("request", (request, response) => {
    admitted(request).then(
      (to) => (to === undefined ? request.socket.destroy() : to.request(request, response)),
      () => request.socket.destroy(),
    );
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    admitted(request).then(
      (to) => (to === undefined ? socket.destroy() : to.upgrade(request, socket, head)),
      () => socket.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new PerchError("unavailable", `This node cannot listen on ${host}:${port}. Check NODE_HOST and NODE_PORT.`, {
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has an address.");
  return {
    port: address.port,
    serve(given) {
      handlers = given;
    },
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

/** Of the client's certificate, whose key the handshake has proved. */
function fingerprintOf({ socket }: IncomingMessage): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate?.fingerprint256;
}
