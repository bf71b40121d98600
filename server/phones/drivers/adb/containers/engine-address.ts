/** Where a Docker Engine listens, and the connection to it: a socket file, or TLS with client certificates. */
import { readFile } from "node:fs/promises";
import { Agent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import { isLoopback } from "../../../../egress/address.ts";
import { asOwnCall } from "../../../../egress/own-calls.ts";
import { PerchError } from "../../../../errors.ts";

export type EngineAddress =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "tls"; readonly host: string; readonly port: number }
  | { readonly kind: "loopback"; readonly host: string; readonly port: number };

const EXAMPLES = "Write unix:///var/run/docker.sock, or https://host:2376 with a folder of client certificates.";

/**
 * Reads `unix:///path`, `https://host:port` and `tcp://host:port` as DOCKER_HOST has them. Who speaks to an Engine is root
 * on its machine, so without TLS only the machine itself is spoken to.
 */
export function parseEngineAddress(text: string): EngineAddress {
  if (text.startsWith("unix://")) {
    const path = text.slice("unix://".length);
    if (!/^\/[^\0]{1,100}$/.test(path)) throw new PerchError("bad_input", EXAMPLES);
    return { kind: "socket", path };
  }
  if (!/^(https?|tcp):\/\//.test(text) || !URL.canParse(text)) throw new PerchError("bad_input", EXAMPLES);
  const url = new URL(text.replace(/^tcp:/, "https:"));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (host === "" || url.pathname !== "/" || url.search !== "" || url.username !== "" || url.password !== "")
    throw new PerchError("bad_input", EXAMPLES);
  const plain = url.protocol === "http:";
  if (plain && host !== "localhost" && !isLoopback(host)) {
    throw new PerchError("bad_input", `Without TLS anybody on the way would be root on that machine. ${EXAMPLES}`);
  }
  const port = url.port === "" ? (plain ? 2375 : 2376) : Number(url.port);
  return { kind: plain ? "loopback" : "tls", host, port };
}

const CLUSTER = /^kubernetes:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** `kubernetes:<namespace>` is the cluster of KUBERNETES_CONFIG. */
export function isCluster(address: string): boolean {
  return CLUSTER.test(address);
}

/** @throws PerchError for what leads to no host */
export function demandAddress(text: string): void {
  if (!isCluster(text)) parseEngineAddress(text);
}

/** The machine of the Engine is this one, so that a port on its loopback address is one on ours. */
export function isThisMachine(address: EngineAddress): boolean {
  return address.kind !== "tls";
}

/** The operator registered this host, so the wall of the processor register lets the connection pass. */
class RegisteredHostAgent extends TlsAgent {
  override createConnection(...args: Parameters<TlsAgent["createConnection"]>): Duplex | null | undefined {
    return asOwnCall(() => super.createConnection(...args));
  }
}

export interface OpenedEngine {
  readonly docker: Docker;
  close(): void;
}

/** The client's own look into the environment (DOCKER_HOST and its like) is overruled in every field. */
export async function openDocker(address: EngineAddress, certFolder: string | undefined): Promise<OpenedEngine> {
  const none = {
    host: undefined,
    port: undefined,
    socketPath: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
  };
  const common = { ...none, pathPrefix: "/", timeout: undefined, version: "v1.41" };
  if (address.kind === "socket" || address.kind === "loopback") {
    const agent = new Agent({ keepAlive: false });
    const to =
      address.kind === "socket" ? { socketPath: address.path } : { host: address.host, port: String(address.port) };
    return { docker: await client({ ...common, ...to, protocol: "http", agent }), close: () => agent.destroy() };
  }
  const { host, port } = address;
  const certificates = await readCertificates(certFolder);
  const agent = new RegisteredHostAgent({ keepAlive: false, ...certificates, minVersion: "TLSv1.3" });
  return {
    docker: await client({ ...common, host, port: String(port), protocol: "https", ...certificates, agent }),
    close: () => agent.destroy(),
  };
}

/** Read when a host is first called. Its types know no `agent` and no emptied fields; docker-modem 5 reads both. */
async function client(options: object): Promise<Docker> {
  const { default: Dockerode } = await import("dockerode");
  return new Dockerode(options as Docker.DockerOptions);
}

async function readCertificates(folder: string | undefined): Promise<{ ca: string; cert: string; key: string }> {
  if (folder === undefined) {
    throw new PerchError(
      "bad_input",
      "A Docker Engine on another machine needs client certificates: a folder with ca.pem, cert.pem and key.pem.",
    );
  }
  const read = async (name: string) => {
    try {
      return await readFile(join(folder, name), "utf8");
    } catch (cause) {
      throw new PerchError(
        "bad_input",
        `${join(folder, name)} cannot be read. The folder needs ca.pem, cert.pem and key.pem.`,
        {
          cause,
        },
      );
    }
  };
  const [ca, cert, key] = await Promise.all([read("ca.pem"), read("cert.pem"), read("key.pem")]);
  return { ca, cert, key };
}
