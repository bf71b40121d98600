/** Connections the doctor opens, to what the settings name: to hear who is there, and nothing else. */
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import { connect, isIP } from "node:net";
import { type PeerCertificate, type SecureVersion, connect as tlsConnect } from "node:tls";

export interface Place {
  readonly host: string;
  readonly port: number;
}
/** Larger answers are not read on. */
const MOST_BYTES = 64 * 1024;

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** GET of a server on this machine, whose certificate may be for another name. Undefined where nothing listens. */
export function get(
  to: Place & { readonly secure: boolean; readonly path: string; readonly headers?: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const { host, port, secure, path, headers = {} } = to;
  const options = { host, port, path, signal, agent: false as const };
  return new Promise((resolve, reject) => {
    const asked = secure
      ? tlsRequest({ ...options, headers: { host: `localhost:${port}`, ...headers }, rejectUnauthorized: false })
      : plainRequest({ ...options, headers: { host: `localhost:${port}`, ...headers } });
    asked.on("response", (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
        if (body.length > MOST_BYTES) answer.destroy(new Error("The answer is too long."));
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.on("error", reject);
    });
    asked.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNREFUSED" ? resolve(undefined) : reject(error),
    );
    asked.end();
  });
}

/** The certificate a server shows; undefined where it speaks no version up to this one. */
export function shownCertificate(
  to: Place & { readonly name: string; readonly maxVersion: SecureVersion },
  signal: AbortSignal,
): Promise<PeerCertificate | undefined> {
  const { host, port, name, maxVersion } = to;
  const servername = isIP(name) === 0 ? name : "";
  return new Promise((resolve) => {
    const socket = tlsConnect({ host, port, servername, rejectUnauthorized: false, maxVersion });
    const end = (shown: PeerCertificate | undefined) => {
      resolve(shown);
      socket.destroy();
    };
    signal.addEventListener("abort", () => end(undefined), { once: true });
    socket.once("secureConnect", () => end(socket.getPeerCertificate()));
    socket.once("error", () => end(undefined));
  });
}

/** Sends a line, if any, and gives the first bytes that come back. Undefined where nothing listens. */
export function firstBytes(to: Place, send: string, signal: AbortSignal): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(to);
    signal.addEventListener("abort", () => socket.destroy(new Error("No answer came.")), { once: true });
    socket.once("connect", () => {
      if (send !== "") socket.write(send);
    });
    socket.once("data", (bytes) => {
      resolve(bytes);
      socket.destroy();
    });
    socket.once("end", () => resolve(Buffer.alloc(0)));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNREFUSED" ? resolve(undefined) : reject(error),
    );
  });
}

/** True when something takes connections there. */
export function takesConnections(to: Place, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(to);
    const end = (is: boolean) => {
      resolve(is);
      socket.destroy();
    };
    signal.addEventListener("abort", () => end(false), { once: true });
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
  });
}
