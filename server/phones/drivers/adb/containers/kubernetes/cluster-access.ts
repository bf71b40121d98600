/**
 * The way to a cluster: who we are there (a kubeconfig, or the pod's own service account), calls that end by themselves
 * and wait where the API server asks for it, and the two streams it has, watches and sockets.
 */
import { readFile } from "node:fs/promises";
import { Agent, type IncomingMessage, type RequestOptions, request } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConfigurationOptions, KubeConfig, ObservableMiddleware, RequestContext } from "@kubernetes/client-node";
import { WebSocket } from "ws";
import { isLoopback } from "../../../../../egress/address.ts";
import { asOwnCall } from "../../../../../egress/own-calls.ts";
import { PerchError } from "../../../../../errors.ts";
import { bounded, EngineError } from "../engine-call.ts";

export type Client = typeof import("@kubernetes/client-node");
/** Options of one call, for the client's methods. */
export type CallOptions = ConfigurationOptions<ObservableMiddleware>;

const CALL_MS = 15_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** A server that is busy says when to come back (429, and 503 while it starts); later than this is a failure. */
const MAX_WAIT_MS = 10_000;
const TRIES = 4;
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface ClusterPlace {
  /** A kubeconfig file, or `cluster`: this process runs in the cluster itself, with a service account. */
  readonly config: string;
  /** Phones live in it, and nothing else. */
  readonly namespace: string;
}

export interface ClusterAccess {
  readonly client: Client;
  readonly server: URL;
  /** The address of a pod can be called from here. */
  readonly inside: boolean;
  /** An API of the client's, such as `CoreV1Api`. */
  api<T>(type: ApiType<T>): T;
  /** @throws EngineError */
  call<T>(what: string, work: (options: CallOptions) => Promise<T>, limits?: CallLimits): Promise<T>;
  /** Lines of JSON, until the server ends them. */
  stream(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage>;
  /** `take` has the socket before anything comes through it. */
  socket<T>(
    path: string,
    protocols: readonly string[],
    signal: AbortSignal,
    take: (socket: WebSocket) => T,
  ): Promise<T>;
  close(): void;
}
export interface CallLimits {
  readonly ms?: number;
  readonly signal?: AbortSignal;
}
type ApiType<T> = new (configuration: ReturnType<Client["createConfiguration"]>) => T;

/** Connects at the first call. @throws PerchError for a configuration that is none, or that shows us to strangers */
export async function openCluster(place: ClusterPlace): Promise<ClusterAccess> {
  const client = await import("@kubernetes/client-node");
  const kube = new client.KubeConfig();
  const inside = place.config === "cluster";
  try {
    if (inside) kube.loadFromCluster();
    else kube.loadFromString(await readFile(place.config, "utf8"));
  } catch (cause) {
    throw new PerchError("bad_input", `KUBERNETES_CONFIG: ${place.config} cannot be read as a kubeconfig.`, { cause });
  }
  const server = serverOf(kube, inside);
  const secure = server.protocol === "https:";
  // Certificates are read once; tokens with every call, as they are renewed.
  const { ca, cert, key } = await identity(kube);
  const agent = secure
    ? new ClusterAgent({ keepAlive: true, minVersion: "TLSv1.3", ca, cert, key })
    : new Agent({ keepAlive: true });
  const ask = secure ? requestTls : request;
  const closing = new AbortController();

  async function send(url: URL, options: RequestOptions, body: string | undefined): Promise<IncomingMessage> {
    const { headers } = await identity(kube);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // Node says no length of its own for DELETE.
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    const all = { ...asHeaders(options.headers), ...headers, ...length };
    const sent = ask(url, { ...options, agent, headers: all }, resolve);
    sent.on("error", reject);
    sent.end(body);
    return promise;
  }

  const httpApi = {
    send: (context: RequestContext) =>
      new client.Observable(
        (async () => {
          const body = context.getBody();
          const signal = context.getSignal();
          const answer = await send(
            new URL(context.getUrl()),
            { method: context.getHttpMethod(), headers: context.getHeaders(), ...(signal && { signal }) },
            typeof body === "string" ? body : undefined,
          );
          const bytes = await whole(answer);
          const headers = Object.fromEntries(
            Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
          );
          const read = { text: async () => bytes.toString("utf8"), binary: async () => bytes, stream: () => null };
          return new client.ResponseContext(answer.statusCode ?? 0, headers, read);
        })(),
      ),
  };
  const configuration = client.createConfiguration({
    baseServer: new client.ServerConfiguration(server.href.replace(/\/$/, ""), {}),
    httpApi,
  });

  return {
    ...{ client, server, inside },
    api: (type) => new type(configuration),
    call: (what, work, { ms = CALL_MS, signal } = {}) =>
      bounded(what, ms, signal, (ends) =>
        patient(client, AbortSignal.any([ends, closing.signal]), () => work(endingWith(client, ends))),
      ),
    async stream(path, query, signal) {
      const url = new URL(server.href.replace(/\/$/, "") + path);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const ends = AbortSignal.any([signal, closing.signal]);
      const answer = await bounded("watch", CALL_MS, ends, () => send(url, { method: "GET", signal: ends }, undefined));
      if (answer.statusCode === 200) return answer;
      answer.resume();
      throw new EngineError("refused", `watch: status ${answer.statusCode}`, { status: answer.statusCode ?? 0 });
    },
    async socket(path, protocols, signal, take) {
      const { headers } = await identity(kube);
      const url = (server.href.replace(/\/$/, "") + path).replace(/^http/, "ws");
      const socket = new WebSocket(url, [...protocols], { agent, headers, maxPayload: MAX_ANSWER_BYTES });
      const taken = take(socket);
      const opened = new Promise<typeof taken>((resolve, reject) => {
        socket.once("open", () => resolve(taken));
        socket.once("error", reject);
        socket.once("unexpected-response", (_, { statusCode = 0 }) => {
          reject(Object.assign(new Error(`status ${statusCode}`), { statusCode }));
          socket.terminate();
        });
      });
      // What fails later is told by `close`.
      socket.on("error", () => {});
      return bounded("exec", CALL_MS, AbortSignal.any([signal, closing.signal]), () => opened).catch((error) => {
        socket.terminate();
        throw error;
      });
    },
    close() {
      closing.abort(new EngineError("gone", "The way to the cluster was closed."));
      agent.destroy();
    },
  };
}

/** The namespace of this pod, where it is one. */
export async function ownNamespace(): Promise<string | undefined> {
  return readFile(`${SERVICE_ACCOUNT}/namespace`, "utf8").then(
    (text) => text.trim() || undefined,
    () => undefined,
  );
}

/** The operator named this cluster, so the wall of the processor register lets the connection pass. */
class ClusterAgent extends TlsAgent {
  override createConnection(...args: Parameters<TlsAgent["createConnection"]>): Duplex | null | undefined {
    return asOwnCall(() => super.createConnection(...args));
  }
}

function serverOf(kube: KubeConfig, inside: boolean): URL {
  const cluster = kube.getCurrentCluster();
  const given = cluster?.server ?? "";
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) {
    const where = inside ? "This process runs in no cluster" : "KUBERNETES_CONFIG names no cluster in its context";
    throw new PerchError("bad_input", `${where}. Set KUBERNETES_CONFIG to a kubeconfig, or to cluster in a pod.`);
  }
  const server = new URL(given);
  const host = server.hostname.replace(/^\[|\]$/g, "");
  const isHere = host === "localhost" || isLoopback(host);
  if ((server.protocol === "http:" || cluster?.skipTLSVerify) && !isHere) {
    throw new PerchError(
      "bad_input",
      "KUBERNETES_CONFIG leads to a cluster without TLS, or without looking at its certificate. Whoever is on the way would run what they like on its machines. Name the cluster's certificate authority.",
    );
  }
  return server;
}

/** TLS material and headers as the client works them out: tokens, certificates, programs that fetch either. */
async function identity(kube: KubeConfig) {
  const said: RequestOptions & { ca?: Material; cert?: Material; key?: Material } = {};
  await kube.applyToHTTPSOptions(said);
  const { ca, cert, key, headers, auth } = said;
  const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString("base64")}` } : {};
  return { ca, cert, key, headers: { ...basic, ...asHeaders(headers) } };
}
type Material = string | Buffer | undefined;

function asHeaders(headers: RequestOptions["headers"]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}

function endingWith(client: Client, signal: AbortSignal): CallOptions {
  const middleware = {
    pre(context: RequestContext) {
      context.setSignal(signal);
      return new client.Observable(Promise.resolve(context));
    },
    post: (context: InstanceType<Client["ResponseContext"]>) => new client.Observable(Promise.resolve(context)),
  };
  return { middleware: [middleware], middlewareMergeStrategy: "append" };
}

/** Comes back when the server says so, and puts the status where `bounded` looks for it. */
async function patient<T>(client: Client, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof client.ApiException)) throw error;
      const wait = waitOf(error.code, error.headers["retry-after"]);
      if (wait === undefined || tries === TRIES) {
        throw Object.assign(new Error(saidBy(error.body) ?? `status ${error.code}`), { statusCode: error.code });
      }
      await sleep(wait, undefined, { signal });
    }
  }
}

function waitOf(status: number, after: string | undefined): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  if (after === undefined || !/^\d{1,3}$/.test(after)) return undefined;
  const ms = Number(after) * 1_000;
  return ms <= MAX_WAIT_MS ? ms : undefined;
}

/** `message` of the Status object (API reference, meta/v1 Status). */
function saidBy(body: unknown): string | undefined {
  const status: unknown = typeof body === "string" ? tryJson(body) : body;
  if (typeof status !== "object" || status === null || !("message" in status)) return undefined;
  return typeof status.message === "string" ? status.message.slice(0, 1_000) : undefined;
}
function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function whole(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new EngineError("refused", "The cluster answers more than is taken.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
