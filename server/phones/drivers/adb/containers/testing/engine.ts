/**
 * A Docker Engine for tests: its HTTP API v1.41 over a socket file, with the fields, status codes and error bodies of the
 * calls phones need (https://docs.docker.com/engine/api/v1.41/; texts as moby's daemon writes them), a stream of events and
 * the handed-over connection of `exec`. What runs in its containers is in `programs.ts`; a phone's ADB is a device the test
 * brings. It can be made to fail in the ways a host does.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { text as bodyOf } from "node:stream/consumers";
import { programOf } from "./programs.ts";

export interface FakeDevice {
  /** Of ADB, on loopback. */
  readonly port: number;
  close(): Promise<void> | void;
}
export interface FakeContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Record<string, string>;
  readonly argv: readonly string[];
  readonly binds: readonly string[];
  readonly plan: CreateBody;
  running: boolean;
  exitCode: number;
  outOfMemory: boolean;
  output: string;
  pollsUntilBooted: number;
  device: FakeDevice | undefined;
}
export interface FakeVolume {
  readonly labels: Record<string, string>;
  /** Sizes by name. */
  readonly files: Map<string, number>;
}
export interface CreateBody {
  readonly Image: string;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Labels?: Record<string, string>;
  readonly ExposedPorts?: Record<string, object>;
  readonly HostConfig?: {
    readonly Privileged?: boolean;
    readonly Binds?: readonly string[];
    readonly NetworkMode?: string;
    readonly PortBindings?: Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>;
    readonly [field: string]: unknown;
  };
}
interface Exec {
  readonly id: string;
  readonly container: FakeContainer;
  readonly argv: readonly string[];
  running: boolean;
  exitCode: number | null;
}
interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly bytes?: Buffer;
}

const refuse = (status: number, message: string): Answer => ({ status, json: { message } });
const newId = () => randomBytes(32).toString("hex");

export class FakeEngine {
  readonly images = new Set<string>();
  readonly containers = new Map<string, FakeContainer>();
  readonly volumes = new Map<string, FakeVolume>();
  readonly networks = new Map<string, Record<string, unknown>>();
  readonly kernelFiles = new Map<string, string[]>([
    ["/proc/filesystems", ["nodev\tsysfs", "nodev\tbinder", "\text4"]],
    ["/proc/misc", ["234 btrfs-control"]],
    ["/proc/meminfo", ["MemTotal:       32768000 kB"]],
    ["/proc/sys/fs/inotify/max_user_instances", ["1024"]],
    ["/proc/sys/fs/inotify/max_user_watches", ["524288"]],
  ]);
  /** What phones can reach though they must not, by `address:port`. */
  readonly reachable = new Map<string, "open" | "refused">();
  /** Containers that have started and not booted. */
  readonly booting = new Set<string>();
  mostBootingAtOnce = 0;
  freeDiskKb = 100_000_000;
  withoutToybox = false;
  pollsUntilBooted = 0;
  /** Every event is told so many times. */
  eventCopies = 1;
  /** Status of calls whose `METHOD /path` matches, until taken away. */
  readonly failing = new Map<RegExp, number>();
  /** Calls so far, as `METHOD /path`. */
  readonly calls: string[] = [];
  readonly #listeners = new Set<{ readonly response: ServerResponse; readonly filters: Filters }>();
  readonly #execs = new Map<string, Exec>();
  readonly #sockets = new Set<Duplex>();
  readonly #device: (() => Promise<FakeDevice>) | undefined;
  readonly #server: Server;
  #gone = false;
  #held: Promise<void> | undefined;

  private constructor(device: (() => Promise<FakeDevice>) | undefined) {
    this.#device = device;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500, { "Content-Type": "application/json" });
        response.end(JSON.stringify({ message: String(error) }));
      });
    });
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      void this.#upgrade(request, socket);
    });
    this.#server.on("connection", (socket: Socket) => {
      if (this.#gone) socket.destroy();
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
  }

  /** `device`: what answers as a phone's ADB, made anew for each container. */
  static async start(path: string, device?: () => Promise<FakeDevice>): Promise<FakeEngine> {
    const engine = new FakeEngine(device);
    await new Promise<void>((resolve) => engine.#server.listen(path, resolve));
    return engine;
  }

  /** As a host that lost its network or its power: every connection breaks, none is taken. Containers live on. */
  vanish(): void {
    this.#gone = true;
    for (const socket of this.#sockets) socket.destroy();
  }
  comeBack(): void {
    this.#gone = false;
  }
  /** Calls are taken and not answered until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      this.#held = undefined;
      resolve();
    };
  }
  phone(phoneId: string): FakeContainer {
    const found = [...this.containers.values()].find(({ labels }) => labels["perch.phone"] === phoneId);
    if (found === undefined) throw new Error("This phone has no container.");
    return found;
  }
  /** A container ends by itself. `silent`: its event is lost. */
  async die(container: FakeContainer, { outOfMemory = false, silent = false } = {}): Promise<void> {
    container.outOfMemory = outOfMemory;
    await this.#end(container, 137, silent);
  }
  async close(): Promise<void> {
    for (const container of this.containers.values()) await container.device?.close();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query, call } = this.#read(request);
    const body: unknown = await bodyOf(request).then((text) => (text === "" ? {} : JSON.parse(text)));
    await this.#held;
    if (path === "/events") return this.#watch(query, response);
    if (path === "/images/create") return this.#pull(query, response);
    const answer = this.#failure(call) ?? (await this.#answer(request.method ?? "GET", path, query, body));
    const { status, json, bytes } = answer;
    response.writeHead(status, {
      "Api-Version": "1.41",
      Server: "Docker/20.10.24 (linux)",
      ...(json !== undefined && { "Content-Type": "application/json" }),
    });
    response.end(bytes ?? (json === undefined ? undefined : typeof json === "string" ? json : JSON.stringify(json)));
  }

  #read(request: IncomingMessage) {
    const url = new URL(request.url ?? "/", "http://docker");
    const path = decodeURIComponent(url.pathname.replace(/^\/v1\.\d+/, ""));
    const call = `${request.method} ${path}`;
    this.calls.push(call);
    return { path, query: url.searchParams, call };
  }
  #failure(call: string): Answer | undefined {
    const found = [...this.failing].find(([pattern]) => pattern.test(call));
    return found && refuse(found[1], "something went wrong on the host");
  }

  async #answer(method: string, path: string, query: URLSearchParams, body: unknown): Promise<Answer> {
    const [, kind, name = "", verb] = /^\/(\w+)(?:\/(.+?))?(?:\/(json|start|stop|wait|logs|exec))?$/.exec(path) ?? [];
    if (path === "/_ping") return { status: 200, json: "OK" };
    if (path === "/version") return { status: 200, json: { Version: "20.10.24", ApiVersion: "1.41", Arch: "amd64" } };
    if (path === "/info") {
      const facts = { Architecture: "x86_64", KernelVersion: "6.8.0-45-generic", NCPU: 16, MemTotal: 33_554_432_000 };
      return { status: 200, json: facts };
    }
    if (kind === "images") {
      return this.images.has(name)
        ? { status: 200, json: { Id: `sha256:${newId()}` } }
        : refuse(404, `No such image: ${name}`);
    }
    if (kind === "networks") return this.#network(method, name, body);
    if (kind === "volumes") return this.#volume(method, name, query, body);
    if (kind === "exec") {
      const exec = this.#execs.get(name);
      if (exec === undefined) return refuse(404, `No such exec instance: ${name}`);
      return { status: 200, json: { ID: exec.id, Running: exec.running, ExitCode: exec.exitCode, Pid: 42 } };
    }
    if (path === "/containers/create") return this.#create(query.get("name") ?? "", body);
    if (path === "/containers/json") return { status: 200, json: this.#listed(query) };
    const container = this.#find(name);
    if (container === undefined) return refuse(404, `No such container: ${name}`);
    return this.#container(method, verb, container, query, body);
  }

  #network(method: string, name: string, body: unknown): Answer {
    if (method === "GET") {
      const network = this.networks.get(name);
      return network === undefined ? refuse(404, `network ${name} not found`) : { status: 200, json: network };
    }
    const plan = body as { Name: string };
    if (this.networks.has(plan.Name)) return refuse(409, `network with name ${plan.Name} already exists`);
    const IPAM = { Driver: "default", Config: [{ Subnet: "172.30.0.0/16", Gateway: "172.30.0.1" }] };
    this.networks.set(plan.Name, { ...plan, Id: newId(), IPAM });
    return { status: 201, json: { Id: newId(), Warning: "" } };
  }

  #volume(method: string, name: string, query: URLSearchParams, body: unknown): Answer {
    if (method === "POST") {
      const { Name, Labels = {} } = body as { Name: string; Labels?: Record<string, string> };
      if (!this.volumes.has(Name)) this.volumes.set(Name, { labels: Labels, files: new Map() });
      return { status: 201, json: this.#volumeView(Name) };
    }
    if (name === "") {
      const filters = filtersOf(query);
      const all = [...this.volumes].filter(([, { labels }]) => fits(labels, filters));
      return { status: 200, json: { Volumes: all.map(([one]) => this.#volumeView(one)), Warnings: null } };
    }
    if (!this.volumes.has(name)) return refuse(404, `get ${name}: no such volume`);
    if (method === "GET") return { status: 200, json: this.#volumeView(name) };
    const user = [...this.containers.values()].find(({ binds }) => binds.some((bind) => bind.startsWith(`${name}:`)));
    if (user !== undefined) return refuse(409, `remove ${name}: volume is in use - [${user.id}]`);
    this.volumes.delete(name);
    return { status: 204 };
  }
  #volumeView(name: string) {
    const Labels = this.volumes.get(name)?.labels ?? {};
    const Mountpoint = `/var/lib/docker/volumes/${name}/_data`;
    return { Name: name, Driver: "local", Mountpoint, Labels, Options: null, Scope: "local" };
  }

  #create(name: string, body: unknown): Answer {
    const plan = body as CreateBody;
    if (!this.images.has(plan.Image)) return refuse(404, `No such image: ${plan.Image}`);
    const taken = this.#find(name);
    if (taken !== undefined) {
      return refuse(
        409,
        `Conflict. The container name "/${name}" is already in use by container "${taken.id}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    const container: FakeContainer = {
      ...{ id: newId(), name, image: plan.Image, labels: plan.Labels ?? {}, plan },
      ...{ argv: [...(plan.Entrypoint ?? []), ...(plan.Cmd ?? [])], binds: plan.HostConfig?.Binds ?? [] },
      ...{ running: false, exitCode: 0, outOfMemory: false, output: "" },
      ...{ pollsUntilBooted: this.pollsUntilBooted, device: undefined },
    };
    this.containers.set(container.id, container);
    this.#emit("create", container);
    return { status: 201, json: { Id: container.id, Warnings: [] } };
  }

  async #container(
    method: string,
    verb: string | undefined,
    container: FakeContainer,
    query: URLSearchParams,
    body: unknown,
  ): Promise<Answer> {
    if (method === "DELETE") {
      if (container.running && query.get("force") !== "true" && query.get("force") !== "1")
        return refuse(
          409,
          `You cannot remove a running container ${container.id}. Stop the container before attempting removal or force remove`,
        );
      await this.#end(container, 137);
      this.containers.delete(container.id);
      this.#emit("destroy", container);
      return { status: 204 };
    }
    if (verb === "json") return { status: 200, json: this.#inspected(container) };
    if (verb === "wait") return { status: 200, json: { StatusCode: container.exitCode, Error: null } };
    if (verb === "logs") return { status: 200, bytes: frame(1, Buffer.from(container.output)) };
    if (verb === "stop") {
      if (!container.running) return { status: 304 };
      await this.#end(container, 143);
      return { status: 204 };
    }
    if (verb === "start") return this.#start(container);
    if (!container.running) return refuse(409, `Container ${container.id} is not running`);
    const exec = { id: newId(), container, argv: (body as { Cmd: string[] }).Cmd, running: false, exitCode: null };
    this.#execs.set(exec.id, exec);
    return { status: 201, json: { Id: exec.id } };
  }

  async #start(container: FakeContainer): Promise<Answer> {
    if (container.running) return { status: 304 };
    if (container.plan.HostConfig?.Privileged === true) {
      container.running = true;
      container.device = await this.#device?.();
      this.booting.add(container.id);
      this.mostBootingAtOnce = Math.max(this.mostBootingAtOnce, this.booting.size);
    } else {
      const done = programOf(this, container, container.argv);
      if (typeof done !== "function") Object.assign(container, { exitCode: done.exitCode, output: done.stdout ?? "" });
    }
    this.#emit("start", container);
    return { status: 204 };
  }

  async #end(container: FakeContainer, exitCode: number, silent = false): Promise<void> {
    if (!container.running) return;
    container.running = false;
    container.exitCode = exitCode;
    this.booting.delete(container.id);
    await container.device?.close();
    if (!silent) this.#emit("die", container);
  }

  #find(nameOrId: string): FakeContainer | undefined {
    return this.containers.get(nameOrId) ?? [...this.containers.values()].find(({ name }) => name === nameOrId);
  }

  #inspected(container: FakeContainer) {
    const { id, name, labels, image, running, exitCode, outOfMemory, plan } = container;
    const published = plan.HostConfig?.PortBindings?.["5555/tcp"] !== undefined && container.device !== undefined;
    const Ports = published ? { "5555/tcp": [{ HostIp: "127.0.0.1", HostPort: String(container.device?.port) }] } : {};
    const State = { Status: running ? "running" : "exited", Running: running, Paused: false, Restarting: false };
    return {
      ...{
        Id: id,
        Name: `/${name}`,
        Image: image,
        HostConfig: plan.HostConfig,
        Config: { Labels: labels, Image: image },
      },
      State: { ...State, OOMKilled: outOfMemory, Dead: false, Pid: running ? 4242 : 0, ExitCode: exitCode, Error: "" },
      NetworkSettings: { Ports },
    };
  }

  #listed(query: URLSearchParams) {
    const filters = filtersOf(query);
    return [...this.containers.values()]
      .filter(({ labels, running }) => fits(labels, filters) && (running || query.get("all") === "true"))
      .map(({ id, name, image, labels, running }) => ({
        ...{ Id: id, Names: [`/${name}`], Image: image, Labels: labels },
        ...{ State: running ? "running" : "exited", Status: running ? "Up 2 minutes" : "Exited (0) 2 minutes ago" },
      }));
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
    const listener = { response, filters: filtersOf(query) };
    this.#listeners.add(listener);
    response.on("close", () => this.#listeners.delete(listener));
  }
  #emit(action: string, { id, name, image, labels }: FakeContainer): void {
    const Actor = { ID: id, Attributes: { ...labels, image, name } };
    const event = { status: action, id, from: image, Type: "container", Action: action, Actor, scope: "local" };
    for (const { response, filters } of this.#listeners) {
      if (!fits(labels, filters)) continue;
      for (let copy = 0; copy < this.eventCopies; copy += 1) response.write(`${JSON.stringify(event)}\n`);
    }
  }

  #pull(query: URLSearchParams, response: ServerResponse): void {
    const tag = query.get("tag");
    const name = `${query.get("fromImage")}${tag === null || tag === "" ? "" : `:${tag}`}`;
    response.writeHead(200, { "Content-Type": "application/json" });
    const say = (line: object) => response.write(`${JSON.stringify(line)}\n`);
    say({ status: `Pulling from ${name}`, id: tag ?? "latest" });
    if (name.includes("missing")) {
      const message = `manifest for ${name} not found: manifest unknown`;
      say({ errorDetail: { message }, error: message });
    } else {
      say({
        status: "Downloading",
        progressDetail: { current: 1, total: 2 },
        progress: "[=>  ] 1B/2B",
        id: "a3ed95caeb02",
      });
      say({ status: `Status: Downloaded newer image for ${name}` });
      this.images.add(name);
    }
    response.end();
  }

  async #upgrade(request: IncomingMessage, socket: Duplex): Promise<void> {
    const { path, call } = this.#read(request);
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => {});
    await this.#held;
    const exec = this.#execs.get(/^\/exec\/(\w+)\/start$/.exec(path)?.[1] ?? "");
    if (exec === undefined || this.#failure(call) !== undefined) {
      const body = JSON.stringify({ message: "No such exec instance" });
      socket.end(
        `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      return;
    }
    const stdin = await afterBody(request, socket);
    socket.write(
      "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    );
    exec.running = true;
    const end = (exitCode: number) => {
      exec.running = false;
      exec.exitCode = exitCode;
      socket.end();
    };
    const program = programOf(this, exec.container, exec.argv);
    if (typeof program === "function") {
      program({ stdin, stdout: (bytes) => socket.write(frame(1, bytes)), end });
      return;
    }
    if (program.stdout !== undefined) socket.write(frame(1, Buffer.from(program.stdout)));
    if (program.stderr !== undefined) socket.write(frame(2, Buffer.from(program.stderr)));
    end(program.exitCode);
  }
}

/** The JSON of the request stands before what is typed; Node hands over both with the connection. */
async function afterBody(request: IncomingMessage, socket: Duplex): Promise<Duplex> {
  let left = Number(request.headers["content-length"] ?? 0);
  while (left > 0) {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) {
      await new Promise((resolve) => socket.once("readable", resolve));
      continue;
    }
    const body = chunk.subarray(0, left);
    left -= body.length;
    if (chunk.length > body.length) socket.unshift(chunk.subarray(body.length));
  }
  return socket;
}

function frame(stream: 1 | 2, bytes: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

type Filters = Readonly<Record<string, readonly string[]>>;
function filtersOf(query: URLSearchParams): Filters {
  return JSON.parse(query.get("filters") ?? "{}") as Filters;
}
function fits(labels: Readonly<Record<string, string>>, { label = [] }: Filters): boolean {
  return label.every((one) => {
    const at = one.indexOf("=");
    return at < 0 ? one in labels : labels[one.slice(0, at)] === one.slice(at + 1);
  });
}
