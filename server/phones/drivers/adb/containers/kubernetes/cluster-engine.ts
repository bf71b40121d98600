/**
 * A Kubernetes cluster as what phones ask of an Engine: a container is a pod, a volume a claim, and where it stands is the
 * scheduler's choice. What the cluster is short of it waits for, as for a node that is just being added. API of Kubernetes
 * 1.30 and newer (https://kubernetes.io/docs/reference/kubernetes-api/).
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { V1Pod } from "@kubernetes/client-node";
import type { Engine, Labels } from "../engine.ts";
import { EngineError } from "../engine-call.ts";
import { text } from "../engine-streams.ts";
import { type CallLimits, type CallOptions, type ClusterAccess, openCluster } from "./cluster-access.ts";
import { EXEC_PROTOCOLS, PodStream } from "./pod-exec.ts";
import { factsOf, hasEnded, hopeless, idOf, isRunning, listedOf, namesOf, waitsFor } from "./pod-facts.ts";
import { CONTAINER, claimOf, fromLabels, NAME_NOTE, objectName, type PodSettings, podOf } from "./pod-plans.ts";
import { type Listed, watchPods } from "./pod-watch.ts";

/** Time for a node to be added, an image to be pulled and a volume to be attached. */
const BEGIN_MS = 5 * 60_000;
const REMOVE_MS = 120_000;
const PAGE = 500;
const MB = 1024 * 1024;
const LOG_BYTES = 32 * MB;

export interface ClusterSettings extends PodSettings {
  readonly config: string;
  /** Between looks at a pod that is waited for. */
  readonly lookEachMs?: number;
  /** How long a pod, or a volume, may take to go. */
  readonly removeMs?: number;
}

/** Connects at the first call. @throws PerchError for a configuration that is none */
export async function openClusterEngine(settings: ClusterSettings): Promise<Engine> {
  return clusterEngine(await openCluster(settings), settings);
}

export function clusterEngine(access: ClusterAccess, settings: ClusterSettings): Engine {
  const { namespace, lookEachMs = 1_000, removeMs = REMOVE_MS } = settings;
  const { client } = access;
  const core = access.api(client.CoreV1Api);

  /** Undefined for 404. */
  async function found<T>(
    what: string,
    work: (options: CallOptions) => Promise<T>,
    limits?: CallLimits,
  ): Promise<T | undefined> {
    try {
      return await access.call(what, work, limits);
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return undefined;
      throw error;
    }
  }
  const readPod = (name: string, signal?: AbortSignal) =>
    found("pod", (options) => core.readNamespacedPod({ name, namespace }, options), signal && { signal });
  /** The one that is meant: of an id, only that pod, and none that came after it. */
  async function podNamed(nameOrId: string, signal?: AbortSignal): Promise<V1Pod | undefined> {
    const { name, uid } = namesOf(nameOrId);
    const pod = await readPod(objectName(name), signal);
    return uid === undefined || pod?.metadata?.uid === uid ? pod : undefined;
  }
  /** Looks again and again, until `done` says what it waited for. */
  async function until<T>(
    ms: number,
    what: string,
    signal: AbortSignal | undefined,
    done: () => Promise<T | undefined>,
  ) {
    const limit = AbortSignal.timeout(ms);
    for (;;) {
      const result = await done();
      if (result !== undefined) return result;
      signal?.throwIfAborted();
      if (limit.aborted) throw new EngineError("refused", `${what}: not within ${ms / 1_000} s.`);
      await sleep(lookEachMs, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    }
  }

  async function listPods(labelSelector: string): Promise<Listed> {
    const pods: V1Pod[] = [];
    let version = "";
    for (let _continue: string | undefined; ; ) {
      const page = await access.call("pods", (options) =>
        core.listNamespacedPod({ namespace, labelSelector, limit: PAGE, ...(_continue && { _continue }) }, options),
      );
      pods.push(...page.items);
      version = page.metadata?.resourceVersion ?? "";
      _continue = page.metadata?._continue || undefined;
      if (_continue === undefined) return { pods, version };
    }
  }
  /** By what it was claimed for: after the claim is gone, that is how its volume is found. */
  async function volumeOf(claim: string): Promise<string | undefined> {
    for (let _continue: string | undefined; ; ) {
      const page = await access.call("volumes", (options) =>
        core.listPersistentVolume({ limit: PAGE, ...(_continue && { _continue }) }, options),
      );
      const one = page.items.find(
        ({ spec }) => spec?.claimRef?.namespace === namespace && spec.claimRef.name === claim,
      );
      if (one !== undefined) return one.metadata?.name ?? "";
      _continue = page.metadata?._continue || undefined;
      if (_continue === undefined) return undefined;
    }
  }
  const readClaim = (name: string) =>
    found("claim", (options) => core.readNamespacedPersistentVolumeClaim({ name, namespace }, options));

  async function deletePod(nameOrId: string, gracePeriodSeconds: number): Promise<void> {
    const pod = await podNamed(nameOrId);
    const uid = pod?.metadata?.uid;
    if (pod === undefined || uid === undefined) return;
    const name = objectName(namesOf(nameOrId).name);
    // Never by force: a pod that was only forgotten may go on with its volume on a node that does not answer.
    const body = { gracePeriodSeconds: Math.max(1, gracePeriodSeconds), preconditions: { uid } };
    await found("pod delete", (options) => core.deleteNamespacedPod({ name, namespace, body }, options)).catch(
      (error: unknown) => {
        // 409: another pod has the name by now, so this one is gone.
        if (!(error instanceof EngineError) || error.status !== 409) throw error;
      },
    );
    await until(removeMs, "pod delete", undefined, async () =>
      (await readPod(name))?.metadata?.uid === uid ? undefined : true,
    );
  }

  async function openExec(
    id: string,
    argv: readonly string[],
    stdin: boolean,
    signal: AbortSignal,
  ): Promise<PodStream> {
    const { name } = namesOf(id);
    const query = new URLSearchParams({ container: CONTAINER, stdout: "true", stderr: "true", stdin: String(stdin) });
    for (const argument of argv) query.append("command", argument);
    const path = `/api/v1/namespaces/${namespace}/pods/${objectName(name)}/exec?${query}`;
    return access.socket(path, EXEC_PROTOCOLS, signal, (socket) => new PodStream(socket));
  }

  const engine: Engine = {
    ...{ local: false, placesItself: true, whenGone: "host_gone" },
    nearby: nearbyOf(access.server),
    async ping() {
      await access.call("version", (options) => access.api(client.VersionApi).getCode({}, options), { ms: 5_000 });
    },
    async facts() {
      const { gitVersion, major, minor, platform } = await access.call("version", (options) =>
        access.api(client.VersionApi).getCode({}, options),
      );
      return {
        ...{ version: gitVersion, apiVersion: `${major}.${minor}`, architecture: platform },
        // Each node has its own; who places phones looks at them.
        ...{ kernel: "", cpus: 0, memoryBytes: 0 },
      };
    },
    // Nodes get what they need when they need it.
    hasImage: async () => true,
    async pull() {
      throw new EngineError("refused", "A cluster pulls images by itself, when a phone needs one.");
    },
    async network(name) {
      const api = access.api(client.NetworkingV1Api);
      const policy = await found("network policy", (options) =>
        api.readNamespacedNetworkPolicy({ name, namespace }, options),
      );
      if (policy !== undefined) return [];
      throw new EngineError(
        "refused",
        `The namespace ${namespace} has no network policy ${name}, so phones would not be kept in. Apply deploy/kubernetes/phones.yaml.`,
      );
    },
    async createVolume(name, labels) {
      const body = claimOf(name, labels, settings);
      await access
        .call("claim create", (options) => core.createNamespacedPersistentVolumeClaim({ namespace, body }, options))
        .catch((error: unknown) => {
          // It is there already.
          if (!(error instanceof EngineError) || error.status !== 409) throw error;
        });
    },
    async hasVolume(name) {
      const claim = objectName(name);
      return (await readClaim(claim)) !== undefined || (await volumeOf(claim)) !== undefined;
    },
    async removeVolume(name) {
      const claim = objectName(name);
      const there = await readClaim(claim);
      const uid = there?.metadata?.uid;
      if (uid !== undefined) {
        const { pods } = await listPods("app.kubernetes.io/managed-by=perch");
        const user = pods.find((pod) => !hasEnded(pod) && uses(pod, claim));
        if (user !== undefined) throw new EngineError("refused", `The claim ${claim} is in use.`, { status: 409 });
        await found("claim delete", (options) =>
          core.deleteNamespacedPersistentVolumeClaim(
            { name: claim, namespace, body: { preconditions: { uid } } },
            options,
          ),
        );
      }
      // A claim that is gone is half of it: what the phone stored lies in the volume.
      await until(
        removeMs,
        "The volume is still there; its class has to have reclaimPolicy Delete",
        undefined,
        async () => {
          if ((await readClaim(claim))?.metadata?.uid === (uid ?? "none")) return undefined;
          return (await volumeOf(claim)) === undefined ? true : undefined;
        },
      );
    },
    async volumes(labelSelector) {
      const all: { name: string; labels: Labels }[] = [];
      for (let _continue: string | undefined; ; ) {
        const page = await access.call("claims", (options) =>
          core.listNamespacedPersistentVolumeClaim(
            { namespace, labelSelector, limit: PAGE, ...(_continue && { _continue }) },
            options,
          ),
        );
        for (const { metadata } of page.items) {
          const name = metadata?.annotations?.[NAME_NOTE] ?? metadata?.name ?? "";
          all.push({ name, labels: ownLabels(metadata?.labels) });
        }
        _continue = page.metadata?._continue || undefined;
        if (_continue === undefined) return all;
      }
    },
    async create(plan) {
      const body = podOf(plan, settings);
      return idOf(await access.call("pod create", (options) => core.createNamespacedPod({ namespace, body }, options)));
    },
    async start(id, signal) {
      let last = "";
      await until(BEGIN_MS, "pod", signal, async () => {
        const pod = await podNamed(id, signal);
        if (pod === undefined) throw new EngineError("refused", "pod: it was taken away before it ran.");
        const why = hopeless(pod);
        if (why !== undefined) throw new EngineError("refused", `pod: ${why}`);
        last = waitsFor(pod);
        return isRunning(pod) || hasEnded(pod) ? true : undefined;
      }).catch((error: unknown) => {
        if (error instanceof EngineError && last !== "") throw new EngineError(error.kind, `${error.message} ${last}`);
        throw error;
      });
    },
    // A pod is stopped by being taken away; its claim stays.
    stop: deletePod,
    remove: (id) => deletePod(id, 1),
    async inspect(nameOrId) {
      const pod = await podNamed(nameOrId);
      if (pod === undefined) return undefined;
      const facts = factsOf(pod);
      return { ...facts, labels: ownLabels(pod.metadata?.labels), ...(!access.inside && { adbAddress: undefined }) };
    },
    async containers(label) {
      const { pods } = await listPods(label);
      return pods.map((pod) => ({ ...listedOf(pod), labels: ownLabels(pod.metadata?.labels) }));
    },
    async exec(id, argv, { timeoutMs = 10_000, signal } = {}) {
      const limit = AbortSignal.timeout(timeoutMs);
      const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      const stream = await openExec(id, argv, false, either);
      const stdout = await text(stream, either);
      return { exitCode: await stream.exitCode, stdout, stderr: stream.complaint };
    },
    execStream: (id, argv, signal) => openExec(id, argv, true, signal),
    async runOnce(plan, timeoutMs) {
      await engine.remove(plan.name);
      const id = await engine.create(plan);
      try {
        const pod = await until(timeoutMs, "pod", undefined, async () => {
          const now = await podNamed(id);
          if (now === undefined) throw new EngineError("refused", "pod: it was taken away before it ended.");
          const why = hopeless(now);
          if (why !== undefined) throw new EngineError("refused", `pod: ${why}`);
          return hasEnded(now) ? now : undefined;
        });
        const { name } = namesOf(id);
        const stdout = await access.call("pod log", (options) =>
          core.readNamespacedPodLog({ name, namespace, container: CONTAINER, limitBytes: LOG_BYTES }, options),
        );
        return { exitCode: factsOf(pod).exitCode, stdout, stderr: "" };
      } finally {
        await engine.remove(id);
      }
    },
    watch: (label, listener, signal) =>
      watchPods({ access, namespace, selector: label, list: () => listPods(label), listener, signal }),
    close: access.close,
  };
  return engine;
}

/** Without those the cluster's tools go by. */
function ownLabels(labels: Labels | undefined): Labels {
  return Object.fromEntries(
    Object.entries(fromLabels(labels)).filter(([key]) => key.startsWith("perch.") && key !== "perch.part"),
  );
}

function uses(pod: V1Pod, claim: string): boolean {
  return pod.spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim) ?? false;
}

/** The API server, which answers whoever has a token, and phones have none. */
function nearbyOf(server: URL) {
  const port = Number(server.port || (server.protocol === "https:" ? 443 : 80));
  const isAddress = /^\d{1,3}(\.\d{1,3}){3}$/.test(server.hostname) && !server.hostname.startsWith("127.");
  return isAddress ? [{ address: server.hostname, port, what: "the cluster's API server" }] : [];
}
