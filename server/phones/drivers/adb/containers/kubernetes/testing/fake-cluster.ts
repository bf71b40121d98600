/**
 * A Kubernetes API server for tests, with a scheduler, a kubelet and a volume controller behind it: the calls phones need,
 * with their fields, status codes and Status bodies (https://kubernetes.io/docs/reference/kubernetes-api/ and "API
 * concepts": resource versions, watches that end with 410, preconditions, 429 with Retry-After, claims that stay while a pod
 * uses them). What runs in its pods is in `programs.ts`.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { text as bodyOf } from "node:stream/consumers";
import type { V1PersistentVolumeClaim, V1Pod } from "@kubernetes/client-node";
import { type WebSocket, WebSocketServer } from "ws";
import type { FakeDevice } from "../../testing/engine-things.ts";
import { programOf } from "../../testing/programs.ts";
import { failure, notFound, type Reply, selects, send } from "./fake-wire.ts";

interface Pod {
  readonly body: V1Pod;
  readonly id: string;
  readonly binds: readonly string[];
  device: FakeDevice | undefined;
  pollsUntilBooted: number;
  looksUntilRunning: number;
  output: string;
}
interface Claim {
  readonly body: V1PersistentVolumeClaim;
  readonly files: Map<string, number>;
}
interface Watcher {
  readonly response: ServerResponse;
  readonly selector: string;
}
const TOKEN = "token-of-the-service-account";

export class FakeCluster {
  readonly pods = new Map<string, Pod>();
  readonly claims = new Map<string, Claim>();
  /** By name, of claims that were bound. */
  readonly persistent = new Map<string, { readonly claim: string; readonly namespace: string }>();
  readonly policies = new Set(["perch-phones/perch-phones"]);
  /** Calls so far, as `METHOD /path`. */
  readonly calls: string[] = [];
  /** The next calls that match are answered so. */
  readonly next: { readonly pattern: RegExp; readonly reply: Reply }[] = [];
  readonly reachable = new Map<string, "open" | "refused">();
  readonly kernelFiles = new Map<string, string[]>();
  readonly booting = new Set<string>();
  readonly freeDiskKb = 1;
  withoutToybox = false;
  /** Looks at a pod before it runs; a node of the cluster has no room for it while this is infinite. */
  looksUntilRunning = 1;
  /** As a storage class says it. */
  reclaimPolicy: "Delete" | "Retain" = "Delete";
  /** A pod that is deleted stays as it is, as on a node that does not answer. */
  silentNode = false;
  /** What its containers wait for, instead of running. */
  waiting: { readonly reason: string; readonly message: string } | undefined;
  readonly #device: (() => Promise<FakeDevice>) | undefined;
  readonly #watchers = new Set<Watcher>();
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: (wanted) => [...wanted][0] ?? false });
  #version = 100;
  /** Older ones are gone. */
  #oldest = 0;
  #gone = false;

  private constructor(device: (() => Promise<FakeDevice>) | undefined) {
    this.#device = device;
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("connection", (socket) => this.#gone && socket.destroy());
    this.#server.on("upgrade", (request, socket, head) => {
      this.calls.push(`EXEC ${request.url}`);
      this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#exec(request, opened));
    });
  }
  static async start(device?: () => Promise<FakeDevice>): Promise<FakeCluster> {
    const cluster = new FakeCluster(device);
    await new Promise<void>((resolve) => cluster.#server.listen(0, "127.0.0.1", resolve));
    return cluster;
  }

  /** What KUBERNETES_CONFIG names. */
  get kubeconfig(): string {
    const { port } = this.#server.address() as AddressInfo;
    return JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "test" },
      // The client takes an address without TLS only so.
      clusters: [{ name: "test", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
      users: [{ name: "perch", user: { token: TOKEN } }],
      contexts: [{ name: "test", context: { cluster: "test", user: "perch" } }],
    });
  }
  /** What programs see of volumes. */
  get volumes() {
    return this.claims;
  }
  get watching(): number {
    return this.#watchers.size;
  }
  phone(id: string): Pod {
    const found = [...this.pods.values()].find(({ body }) =>
      (body.metadata?.labels?.["perch.phone"] ?? "").startsWith(id),
    );
    if (found === undefined) throw new Error("This phone has no pod.");
    return found;
  }
  /** As `kubectl drain` does: the eviction deletes the pod. `silent`: no watcher hears of it. */
  async evict(pod: Pod, { silent = false } = {}): Promise<void> {
    await this.#remove(pod, silent);
  }
  async outOfMemory(pod: Pod): Promise<void> {
    await this.#end(pod, 137, "OOMKilled");
  }
  /** Its node no longer reports, or does again: the node controller takes Ready away (core/v1 PodCondition). */
  node(pod: Pod, answers: boolean): void {
    const status = answers ? "True" : "False";
    Object.assign(pod.body.status ?? {}, { conditions: [{ type: "Ready", status }] });
    this.#tell("MODIFIED", pod);
  }
  /** Versions of before now are forgotten, and watches from them end. */
  compact(): void {
    this.#oldest = this.#version;
    for (const { response } of this.#watchers) {
      response.end(
        `${JSON.stringify({ type: "ERROR", object: failure(410, "Expired", "too old resource version").json })}\n`,
      );
    }
    this.#watchers.clear();
  }
  vanish(): void {
    this.#gone = true;
    this.#server.closeAllConnections();
  }
  comeBack(): void {
    this.#gone = false;
  }
  async close(): Promise<void> {
    for (const pod of this.pods.values()) await pod.device?.close();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://cluster");
    const method = request.method ?? "GET";
    const call = `${method} ${url.pathname}`;
    this.calls.push(call);
    const body = await bodyOf(request).then((text) => (text === "" ? {} : JSON.parse(text)));
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      send(response, failure(401, "Unauthorized", "Unauthorized"));
      return;
    }
    if (url.searchParams.get("watch") === "true") {
      this.#watch(url.searchParams, response);
      return;
    }
    const at = this.next.findIndex(({ pattern }) => pattern.test(call));
    const [planned] = at < 0 ? [] : this.next.splice(at, 1);
    send(response, planned?.reply ?? (await this.#answer(method, url, body)));
  }

  async #answer(method: string, url: URL, body: object): Promise<Reply> {
    if (url.pathname === "/version") {
      return { status: 200, json: { major: "1", minor: "34", gitVersion: "v1.34.3", platform: "linux/amd64" } };
    }
    if (url.pathname === "/api/v1/persistentvolumes") {
      const items = [...this.persistent].map(([name, { claim, namespace }]) => ({
        ...{ metadata: { name }, spec: { claimRef: { kind: "PersistentVolumeClaim", namespace, name: claim } } },
      }));
      return { status: 200, json: this.#list("PersistentVolumeList", items) };
    }
    const [, namespace = "", kind = "", name, verb] =
      /^\/apis?\/(?:[\w.]+\/)?v1\/namespaces\/([\w-]+)\/(\w+)(?:\/([\w.-]+))?(?:\/(\w+))?$/.exec(url.pathname) ?? [];
    if (kind === "networkpolicies" && name !== undefined) {
      return this.policies.has(`${namespace}/${name}`)
        ? { status: 200, json: { metadata: { name, namespace } } }
        : notFound("networkpolicies.networking.k8s.io", name);
    }
    if (kind === "pods") return this.#podCall(method, name, verb, url.searchParams, body);
    if (kind === "persistentvolumeclaims") return this.#claimCall(method, name, namespace, url.searchParams, body);
    return failure(404, "NotFound", "the server could not find the requested resource");
  }

  async #podCall(
    method: string,
    name: string | undefined,
    verb: string | undefined,
    query: URLSearchParams,
    body: object,
  ): Promise<Reply> {
    if (method === "POST") return this.#create(body as V1Pod);
    if (name === undefined) {
      const fits = [...this.pods.values()]
        .map(({ body: one }) => one)
        .filter((one) => selects(one, query.get("labelSelector")));
      return { status: 200, json: this.#list("PodList", fits, query) };
    }
    const pod = this.pods.get(name);
    if (pod === undefined) return notFound("pods", name);
    if (verb === "log") return { status: 200, text: pod.output };
    if (method === "DELETE") {
      const wanted = (body as { preconditions?: { uid?: string } }).preconditions?.uid;
      if (wanted !== undefined && wanted !== pod.body.metadata?.uid) {
        return failure(409, "Conflict", `Precondition failed: UID in precondition: ${wanted}`);
      }
      Object.assign(pod.body.metadata ?? {}, { deletionTimestamp: new Date(0).toISOString() });
      this.#tell("MODIFIED", pod);
      if (!this.silentNode) setImmediate(() => void this.#remove(pod));
      return { status: 200, json: pod.body };
    }
    await this.#advance(pod);
    return { status: 200, json: pod.body };
  }

  #create(body: V1Pod): Reply {
    const name = body.metadata?.name ?? "";
    if (this.pods.has(name)) return failure(409, "AlreadyExists", `pods "${name}" already exists`);
    const invalid = Object.values(body.metadata?.labels ?? {}).find(
      (value) => !/^(([A-Za-z0-9][\w.-]*)?[A-Za-z0-9])?$/.test(value),
    );
    if (invalid !== undefined || !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) {
      return failure(422, "Invalid", `Pod "${name}" is invalid: metadata: Invalid value: "${invalid ?? name}"`);
    }
    const uid = randomUUID();
    const pod: Pod = {
      id: uid,
      body: { ...body, metadata: { ...body.metadata, uid }, status: { phase: "Pending" } },
      binds: (body.spec?.volumes ?? []).map((volume) => `${volume.persistentVolumeClaim?.claimName}:/`),
      ...{ device: undefined, pollsUntilBooted: 0, looksUntilRunning: this.looksUntilRunning, output: "" },
    };
    this.pods.set(name, pod);
    this.#tell("ADDED", pod);
    return { status: 201, json: pod.body };
  }

  /** The scheduler and the kubelet, a step with each look. */
  async #advance(pod: Pod): Promise<void> {
    if (pod.body.status?.phase !== "Pending") return;
    pod.looksUntilRunning -= 1;
    if (pod.looksUntilRunning >= 0) {
      const message = "0/3 nodes are available: 3 Insufficient memory.";
      pod.body.status.conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }];
      return;
    }
    const name = "android";
    const waits = {
      ...{ name, ready: false, restartCount: 0, image: "", imageID: "" },
      state: { waiting: this.waiting ?? {} },
    };
    if (this.waiting !== undefined) {
      Object.assign(pod.body.status, { containerStatuses: [waits] });
      return;
    }
    for (const bind of pod.binds) this.#bind(bind.split(":")[0] ?? "");
    const [container] = pod.body.spec?.containers ?? [];
    if (container?.securityContext?.privileged !== true) {
      const done = programOf(this, pod, [...(container?.command ?? []), ...(container?.args ?? [])]);
      if (typeof done !== "function") pod.output = done.stdout ?? "";
      return this.#end(pod, typeof done === "function" ? 0 : done.exitCode, "Completed");
    }
    pod.device = await this.#device?.();
    this.booting.add(pod.id);
    Object.assign(pod.body.status, {
      ...{
        phase: "Running",
        podIP: "10.244.1.7",
        hostIP: "10.0.0.11",
        conditions: [{ type: "Ready", status: "True" }],
      },
      containerStatuses: [{ ...waits, ready: true, state: { running: { startedAt: new Date(0).toISOString() } } }],
    });
    this.#tell("MODIFIED", pod);
  }
  async #end(pod: Pod, exitCode: number, reason: string): Promise<void> {
    await pod.device?.close();
    const terminated = { exitCode, reason };
    Object.assign(pod.body.status ?? {}, {
      ...{ phase: exitCode === 0 ? "Succeeded" : "Failed" },
      containerStatuses: [
        { name: "android", ready: false, restartCount: 0, image: "", imageID: "", state: { terminated } },
      ],
    });
    this.#tell("MODIFIED", pod);
  }
  async #remove(pod: Pod, silent = false): Promise<void> {
    await pod.device?.close();
    const name = pod.body.metadata?.name ?? "";
    if (this.pods.get(name) !== pod) return;
    this.pods.delete(name);
    if (!silent) this.#tell("DELETED", pod);
    for (const [claim, { body }] of this.claims)
      if (body.metadata?.deletionTimestamp !== undefined) this.#release(claim);
  }

  #claimCall(method: string, name: string | undefined, namespace: string, query: URLSearchParams, body: object): Reply {
    if (method === "POST") {
      const wanted = body as V1PersistentVolumeClaim;
      const to = wanted.metadata?.name ?? "";
      if (this.claims.has(to)) return failure(409, "AlreadyExists", `persistentvolumeclaims "${to}" already exists`);
      const claim = {
        ...wanted,
        metadata: { ...wanted.metadata, namespace, uid: randomUUID() },
        status: { phase: "Pending" },
      };
      this.claims.set(to, { body: claim, files: new Map() });
      return { status: 201, json: claim };
    }
    if (name === undefined) {
      const fits = [...this.claims.values()]
        .map((one) => one.body)
        .filter((one) => selects(one, query.get("labelSelector")));
      return { status: 200, json: this.#list("PersistentVolumeClaimList", fits, query) };
    }
    const claim = this.claims.get(name);
    if (claim === undefined) return notFound("persistentvolumeclaims", name);
    if (method === "DELETE") {
      Object.assign(claim.body.metadata ?? {}, { deletionTimestamp: new Date(0).toISOString() });
      this.#release(name);
    }
    return { status: 200, json: claim.body };
  }
  #bind(claim: string): void {
    const body = this.claims.get(claim)?.body;
    if (body === undefined || body.spec?.volumeName !== undefined) return;
    const volume = `pvc-${body.metadata?.uid}`;
    Object.assign(body.spec ?? {}, { volumeName: volume });
    this.persistent.set(volume, { claim, namespace: body.metadata?.namespace ?? "" });
  }
  /** The finalizer kubernetes.io/pvc-protection waits for pods; the volume follows its class. */
  #release(claim: string): void {
    if ([...this.pods.values()].some(({ binds }) => binds.some((bind) => bind.startsWith(`${claim}:`)))) return;
    this.claims.delete(claim);
    if (this.reclaimPolicy === "Retain") return;
    for (const [name, one] of this.persistent) if (one.claim === claim) this.persistent.delete(name);
  }

  #list(kind: string, all: readonly object[], query = new URLSearchParams()) {
    const from = Number(query.get("continue") ?? 0);
    const limit = Number(query.get("limit") ?? 500);
    const more =
      from + limit < all.length
        ? { continue: String(from + limit), remainingItemCount: all.length - from - limit }
        : {};
    return {
      kind,
      apiVersion: "v1",
      metadata: { resourceVersion: String(this.#version), ...more },
      items: all.slice(from, from + limit),
    };
  }
  #watch(query: URLSearchParams, response: ServerResponse): void {
    if (Number(query.get("resourceVersion")) < this.#oldest) {
      send(response, failure(410, "Expired", "too old resource version"));
      return;
    }
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write(
      `${JSON.stringify({ type: "BOOKMARK", object: { kind: "Pod", metadata: { resourceVersion: String(this.#version) } } })}\n`,
    );
    const watcher = { response, selector: query.get("labelSelector") ?? "" };
    this.#watchers.add(watcher);
    response.on("close", () => this.#watchers.delete(watcher));
  }
  #tell(type: string, { body }: Pod): void {
    this.#version += 1;
    Object.assign(body.metadata ?? {}, { resourceVersion: String(this.#version) });
    for (const { response, selector } of this.#watchers) {
      if (selects(body, selector)) response.write(`${JSON.stringify({ type, object: body })}\n`);
    }
  }

  /** The remote command protocol v5: channels in front of each message, and a Status at the end. */
  #exec(request: IncomingMessage, socket: WebSocket): void {
    const url = new URL(request.url ?? "/", "http://cluster");
    const pod = this.pods.get(/\/pods\/([\w.-]+)\/exec$/.exec(url.pathname)?.[1] ?? "");
    if (pod === undefined) {
      socket.close();
      return;
    }
    const stdin = new PassThrough();
    socket.on("message", (data: Buffer) => {
      if (data[0] === 0) stdin.write(data.subarray(1));
      if (data[0] === 255 && data[1] === 0) stdin.end();
    });
    socket.on("close", () => stdin.destroy());
    const say = (channel: number, bytes: Buffer) => socket.send(Buffer.concat([Buffer.of(channel), bytes]));
    const end = (exitCode: number) => {
      const causes = [{ reason: "ExitCode", message: String(exitCode) }];
      const ended =
        exitCode === 0 ? { status: "Success" } : { status: "Failure", reason: "NonZeroExitCode", details: { causes } };
      say(3, Buffer.from(JSON.stringify({ kind: "Status", apiVersion: "v1", metadata: {}, ...ended })));
      socket.close();
    };
    const done = programOf(this, pod, url.searchParams.getAll("command"));
    if (typeof done === "function") {
      done({ stdin, stdout: (bytes) => say(1, bytes), end });
      return;
    }
    say(1, Buffer.from(done.stdout ?? ""));
    if (done.stderr) say(2, Buffer.from(done.stderr));
    end(done.exitCode);
  }
}
