/**
 * The Docker Engine API, v1.41, as far as phones need it (https://docs.docker.com/engine/api/v1.41/). Every call ends by
 * itself; what comes back is read field by field. Podman's API service answers the same calls.
 */
import type { Duplex } from "node:stream";
import type Docker from "dockerode";
import { z } from "zod";
import type { PhoneReason } from "../../../../../shared/phones.ts";
import type { Address } from "../connect/dial-device.ts";
import type { ForbiddenTarget } from "./egress-guard.ts";
import { isThisMachine, openDocker, parseEngineAddress } from "./engine-address.ts";
import { bounded, EngineError } from "./engine-call.ts";
import { lines, readable, splitLogs, text } from "./engine-streams.ts";
import { ExecStream } from "./exec-stream.ts";

const CALL_MS = 15_000;
const PING_MS = 5_000;
/** Removing gigabytes of a volume takes a while. */
const REMOVE_MS = 120_000;
const PULL_MS = 60 * 60_000;

export type Labels = Readonly<Record<string, string>>;

/** What `POST /containers/create` takes; names are the API's. */
export interface ContainerPlan {
  readonly name: string;
  readonly Image: string;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Labels: Labels;
  readonly Tty?: boolean;
  readonly OpenStdin?: boolean;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly HostConfig: HostConfig;
}
/** Its fields that plans use. */
export interface HostConfig {
  readonly Privileged?: boolean;
  /** `volume:/path`, and `:ro` where it is only read. */
  readonly Binds?: readonly string[];
  readonly NetworkMode?: string;
  readonly PortBindings?: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[]>>;
  readonly RestartPolicy?: { readonly Name: string };
  readonly LogConfig?: { readonly Type: string; readonly Config: Labels };
  readonly ReadonlyRootfs?: boolean;
  readonly CapDrop?: readonly string[];
  readonly CapAdd?: readonly string[];
  readonly SecurityOpt?: readonly string[];
  readonly Memory?: number;
  readonly MemorySwap?: number;
  readonly NanoCpus?: number;
  readonly PidsLimit?: number;
}

export interface ContainerFacts {
  readonly id: string;
  readonly labels: Labels;
  readonly running: boolean;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  /** Port of the host's loopback address that leads to ADB; undefined where none is published. */
  readonly adbPort: number | undefined;
  /** Where ADB answers, when the container has an address of its own that can be called from here. */
  readonly adbAddress?: Address | undefined;
  /** The address of the machine it stands on, where the Engine chose one. */
  readonly machine?: string;
  /** Its machine says nothing: it may run, and it may not. */
  readonly lost?: boolean;
  /** It did not end by itself. */
  readonly takenAway?: boolean;
}
export interface ListedContainer {
  readonly id: string;
  readonly labels: Labels;
  readonly running: boolean;
  readonly lost?: boolean;
}
export interface EngineFacts {
  readonly version: string;
  readonly apiVersion: string;
  /** As the kernel names it: x86_64, aarch64. Docker says that, podman says amd64. */
  readonly architecture: string;
  readonly kernel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}
export interface EngineEvent {
  readonly action: string;
  readonly labels: Labels;
}

export interface Engine {
  /** A port on its machine's loopback address is one on ours. */
  readonly local: boolean;
  /** It has many machines and chooses among them, as a cluster does. */
  readonly placesItself: boolean;
  /** What it means when a container is no longer there that nobody here took away. */
  readonly whenGone: PhoneReason;
  /** What phones must not reach, beside the host and this server. */
  readonly nearby: readonly ForbiddenTarget[];
  ping(): Promise<void>;
  facts(): Promise<EngineFacts>;
  hasImage(reference: string): Promise<boolean>;
  pull(reference: string, progress: (line: string) => void): Promise<void>;
  /** The bridge's gateway addresses; makes the network if it is not there. */
  network(name: string, plan: object): Promise<readonly string[]>;
  createVolume(name: string, labels: Labels): Promise<void>;
  hasVolume(name: string): Promise<boolean>;
  removeVolume(name: string): Promise<void>;
  volumes(label: string): Promise<readonly { readonly name: string; readonly labels: Labels }[]>;
  create(plan: ContainerPlan): Promise<string>;
  /** Resolves when it runs, or has run. */
  start(id: string, signal?: AbortSignal): Promise<void>;
  stop(id: string, graceSeconds: number): Promise<void>;
  /** Ends it if it runs. Volumes with a name stay. */
  remove(id: string): Promise<void>;
  inspect(nameOrId: string): Promise<ContainerFacts | undefined>;
  containers(label: string): Promise<readonly ListedContainer[]>;
  exec(
    id: string,
    argv: readonly string[],
    options?: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<ExecResult>;
  /** The stdin and stdout of a program that goes on running. */
  execStream(id: string, argv: readonly string[], signal: AbortSignal): Promise<Duplex>;
  /** Runs a container to its end and takes it away again. */
  runOnce(plan: ContainerPlan, timeoutMs: number): Promise<ExecResult>;
  /** Resolves when the stream of events is over. Events are hints: each is worth another look, nothing more. */
  watch(label: string, listener: (event: EngineEvent) => void, signal: AbortSignal): Promise<void>;
  close(): void;
}

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((all): Labels => all ?? {});
const version = z.object({ Version: z.string(), ApiVersion: z.string() });
const info = z.object({
  Architecture: z.string(),
  KernelVersion: z.string(),
  NCPU: z.number(),
  MemTotal: z.number(),
});
const binding = z.array(z.object({ HostPort: z.string() })).nullish();
const inspected = z.object({
  Id: z.string(),
  State: z.object({ Running: z.boolean(), ExitCode: z.number().default(0), OOMKilled: z.boolean().default(false) }),
  Config: z.object({ Labels: labels }),
  NetworkSettings: z.object({ Ports: z.record(z.string(), binding).nullish() }).nullish(),
});
const listed = z.array(z.object({ Id: z.string(), Labels: labels, State: z.string() }));
const volumesAnswer = z.object({ Volumes: z.array(z.object({ Name: z.string(), Labels: labels })).nullish() });
const networkAnswer = z.object({
  IPAM: z.object({ Config: z.array(z.object({ Gateway: z.string().optional() })).nullish() }).nullish(),
});
const execState = z.object({ Running: z.boolean(), ExitCode: z.number().nullish() });
const eventLine = z.object({
  Action: z.string(),
  Actor: z.object({ Attributes: z.record(z.string(), z.string()).nullish() }).nullish(),
});

export const ADB_PORT = "5555/tcp";

/** Connects at the first call. @throws PerchError for an address or certificates that are none */
export async function openEngine(addressText: string, certFolder: string | undefined): Promise<Engine> {
  const address = parseEngineAddress(addressText);
  const { docker, close } = await openDocker(address, certFolder);
  return engineOf(docker, isThisMachine(address), close);
}

function engineOf(docker: Docker, local: boolean, close: () => void): Engine {
  const read = async <S extends z.ZodType>(
    schema: S,
    what: string,
    call: (signal: AbortSignal) => Promise<unknown>,
  ) => {
    const parsed = schema.safeParse(await bounded(what, CALL_MS, undefined, call));
    if (!parsed.success) throw new EngineError("refused", `${what}: the Engine's answer is not what its API says.`);
    return parsed.data;
  };
  const wait = (ms: number, what: string, call: (signal: AbortSignal) => Promise<unknown>) =>
    bounded(what, ms, undefined, call).then(() => {});

  /** Undefined for 404. */
  async function found<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  }
  /** 304 says that it is so already (ContainerStart, ContainerStop). */
  async function already(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof EngineError) || error.status !== 304) throw error;
    }
  }

  async function startExec(id: string, argv: readonly string[], stdin: boolean, signal: AbortSignal) {
    const options = { Cmd: [...argv], AttachStdin: stdin, AttachStdout: true, AttachStderr: true, Tty: false };
    const exec = await bounded("exec", CALL_MS, signal, (abortSignal) =>
      docker.getContainer(id).exec({ ...options, abortSignal }),
    );
    const socket = await bounded(
      "exec start",
      CALL_MS,
      signal,
      (abortSignal) => exec.start({ hijack: true, stdin, Detach: false, Tty: false, abortSignal }),
      (late) => late.destroy(),
    );
    return { exec, stream: new ExecStream(socket) };
  }

  const engine: Engine = {
    ...{ local, placesItself: false, whenGone: "browser_crashed", nearby: [] },
    ping: () => wait(PING_MS, "ping", (abortSignal) => signalled(docker, docker.ping, abortSignal)),
    async facts() {
      const [{ Version, ApiVersion }, said] = await Promise.all([
        read(version, "version", (abortSignal) => signalled(docker, docker.version, abortSignal)),
        read(info, "info", (abortSignal) => signalled(docker, docker.info, abortSignal)),
      ]);
      const { Architecture, KernelVersion, NCPU, MemTotal } = said;
      return {
        ...{ version: Version, apiVersion: ApiVersion, kernel: KernelVersion, cpus: NCPU, memoryBytes: MemTotal },
        architecture: Architecture,
      };
    },
    async hasImage(reference) {
      const image = bounded("image", CALL_MS, undefined, () => docker.getImage(reference).inspect());
      return (await found(image)) !== undefined;
    },
    async pull(reference, progress) {
      const stream = await bounded("pull", CALL_MS, undefined, (abortSignal) =>
        docker.pull(reference, { abortSignal }),
      );
      await lines(readable(stream), AbortSignal.timeout(PULL_MS), (line) => {
        const said = z
          .object({
            status: z.string().optional(),
            id: z.string().optional(),
            error: z.string().optional(),
            progress: z.string().optional(),
          })
          .safeParse(line);
        if (!said.success) return;
        const { error, id, status, progress: how } = said.data;
        if (error !== undefined) throw new EngineError("refused", error);
        progress([id, status, how].filter((part) => part !== undefined && part !== "").join(" "));
      });
    },
    async network(name, plan) {
      const look = () => found(read(networkAnswer, "network", () => docker.getNetwork(name).inspect()));
      let answer = await look();
      if (answer === undefined) {
        // 409: somebody else was faster.
        await bounded("network create", CALL_MS, undefined, (abortSignal) =>
          docker.createNetwork({ Name: name, ...plan, abortSignal }),
        ).catch((error: unknown) => {
          if (!(error instanceof EngineError) || error.status !== 409) throw error;
        });
        answer = await look();
      }
      if (answer === undefined) throw new EngineError("refused", "The network of phones could not be made.");
      return (answer.IPAM?.Config ?? []).flatMap(({ Gateway }) => (Gateway === undefined ? [] : [Gateway]));
    },
    createVolume: (Name, Labels) =>
      wait(CALL_MS, "volume create", (abortSignal) =>
        docker.createVolume({ Name, Labels: { ...Labels }, abortSignal }),
      ),
    async hasVolume(name) {
      const volume = bounded("volume", CALL_MS, undefined, (abortSignal) =>
        docker.getVolume(name).inspect({ abortSignal }),
      );
      return (await found(volume)) !== undefined;
    },
    async removeVolume(name) {
      await found(wait(REMOVE_MS, "volume remove", (abortSignal) => docker.getVolume(name).remove({ abortSignal })));
    },
    async volumes(label) {
      const filters = { label: [label] };
      const { Volumes } = await read(volumesAnswer, "volumes", (abortSignal) =>
        docker.listVolumes({ filters: JSON.stringify(filters), abortSignal }),
      );
      return (Volumes ?? []).map(({ Name, Labels }) => ({ name: Name, labels: Labels }));
    },
    async create(plan) {
      const container = await bounded("container create", CALL_MS, undefined, (abortSignal) =>
        docker.createContainer(asCreateOptions({ ...plan, abortSignal })),
      );
      return container.id;
    },
    start: (id) =>
      already(wait(CALL_MS, "container start", (abortSignal) => docker.getContainer(id).start({ abortSignal }))),
    stop: (id, t) =>
      already(
        wait(CALL_MS + t * 1_000, "container stop", (abortSignal) => docker.getContainer(id).stop({ t, abortSignal })),
      ),
    async remove(id) {
      const removed = wait(REMOVE_MS, "container remove", (abortSignal) =>
        docker.getContainer(id).remove({ force: true, v: true, abortSignal }),
      );
      await found(removed);
    },
    async inspect(nameOrId) {
      const facts = await found(
        read(inspected, "container", (abortSignal) => docker.getContainer(nameOrId).inspect({ abortSignal })),
      );
      if (facts === undefined) return undefined;
      const { Id, State, Config, NetworkSettings } = facts;
      const port = NetworkSettings?.Ports?.[ADB_PORT]?.[0]?.HostPort;
      return {
        ...{ id: Id, labels: Config.Labels, running: State.Running, exitCode: State.ExitCode },
        outOfMemory: State.OOMKilled,
        adbPort: port === undefined || !/^[1-9]\d{0,4}$/.test(port) ? undefined : Number(port),
      };
    },
    async containers(label) {
      const filters = JSON.stringify({ label: [label] });
      const all = await read(listed, "containers", (abortSignal) =>
        docker.listContainers({ all: true, filters, abortSignal }),
      );
      return all.map(({ Id, Labels, State }) => ({ id: Id, labels: Labels, running: State === "running" }));
    },
    async exec(id, argv, { timeoutMs = 10_000, signal } = {}) {
      const limit = AbortSignal.timeout(timeoutMs);
      const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      const { exec, stream } = await startExec(id, argv, false, either);
      const stdout = await text(stream, either);
      const state = await read(execState, "exec inspect", (abortSignal) => exec.inspect({ abortSignal }));
      // Ended and not yet marked so, or killed: no exit code is no success.
      return { exitCode: state.ExitCode ?? 255, stdout, stderr: stream.complaint };
    },
    execStream: async (id, argv, signal) => (await startExec(id, argv, true, signal)).stream,
    async runOnce(plan, timeoutMs) {
      // One of the same name is left of a server that was killed.
      await engine.remove(plan.name);
      const id = await engine.create(plan);
      try {
        await engine.start(id);
        const ended = await bounded("container wait", timeoutMs, undefined, (abortSignal) =>
          docker.getContainer(id).wait({ abortSignal }),
        );
        const logs = await bounded("container logs", CALL_MS, undefined, (abortSignal) =>
          docker.getContainer(id).logs({ stdout: true, stderr: true, follow: false, abortSignal }),
        );
        const { stdout, stderr } = splitLogs(logs);
        return { exitCode: z.object({ StatusCode: z.number() }).parse(ended).StatusCode, stdout, stderr };
      } finally {
        await engine.remove(id);
      }
    },
    async watch(label, listener, signal) {
      const filters = { type: ["container"], label: [label] };
      const stream = await bounded("events", CALL_MS, signal, (abortSignal) =>
        docker.getEvents({ filters: JSON.stringify(filters), abortSignal }),
      );
      await lines(readable(stream), signal, (line) => {
        const event = eventLine.safeParse(line);
        if (event.success) listener({ action: event.data.Action, labels: event.data.Actor?.Attributes ?? {} });
      });
    },
    close,
  };
  return engine;
}

/** `name` and `abortSignal` beside the API's own fields, as dockerode takes them. */
function asCreateOptions(
  options: ContainerPlan & { readonly abortSignal: AbortSignal },
): Docker.ContainerCreateOptions {
  return options as unknown as Docker.ContainerCreateOptions;
}

/** These calls of dockerode 5 take a signal like the others (lib/docker.js); its types know only a callback there. */
function signalled(docker: Docker, method: unknown, abortSignal: AbortSignal): Promise<unknown> {
  return Reflect.apply(method as (options: object) => Promise<unknown>, docker, [{ abortSignal }]);
}
