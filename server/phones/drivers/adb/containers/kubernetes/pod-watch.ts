/**
 * Hears what happens to pods: lists them, then watches from that version on. Where the API server no longer has the version
 * (410), lists them again and tells of what has gone meanwhile (API concepts, "Efficient detection of changes").
 */
import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import type { EngineEvent, Labels } from "../engine.ts";
import { EngineError } from "../engine-call.ts";
import { lines } from "../engine-streams.ts";
import type { ClusterAccess } from "./cluster-access.ts";
import { hasEnded, isRunning } from "./pod-facts.ts";
import { fromLabels } from "./pod-plans.ts";

/** The server ends a watch after so long; without words of its own it does after half an hour or more. */
const WATCH_SECONDS = 300;
const GONE = 410;

const line = z.object({
  type: z.enum(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]),
  object: z.looseObject({
    code: z.number().optional(),
    metadata: z.looseObject({ uid: z.string().optional(), resourceVersion: z.string().optional() }).optional(),
  }),
});

export interface Listed {
  readonly pods: readonly V1Pod[];
  readonly version: string;
}

export async function watchPods(options: {
  readonly access: ClusterAccess;
  readonly namespace: string;
  readonly selector: string;
  readonly list: () => Promise<Listed>;
  readonly listener: (event: EngineEvent) => void;
  readonly signal: AbortSignal;
}): Promise<never> {
  const { access, namespace, selector, list, listener, signal } = options;
  const path = `/api/v1/namespaces/${namespace}/pods`;
  /** Pods that were there when last heard of. */
  const known = new Map<string, Labels>();

  function heard(pod: V1Pod, isGone: boolean): void {
    const uid = pod.metadata?.uid ?? "";
    const labels = fromLabels(pod.metadata?.labels);
    if (isGone) known.delete(uid);
    else known.set(uid, labels);
    const isOver = isGone || hasEnded(pod) || pod.metadata?.deletionTimestamp !== undefined;
    listener({ action: isOver ? "die" : isRunning(pod) ? "start" : "update", labels });
  }

  for (;;) {
    const { pods, version: from } = await list();
    const there = new Set(pods.map((pod) => pod.metadata?.uid ?? ""));
    for (const [uid, labels] of known) {
      if (there.has(uid)) continue;
      known.delete(uid);
      listener({ action: "die", labels });
    }
    for (const pod of pods) heard(pod, false);
    let version: string | undefined = from;
    while (version !== undefined) {
      const query = {
        ...{ watch: "true", allowWatchBookmarks: "true", labelSelector: selector },
        ...{ resourceVersion: version, timeoutSeconds: String(WATCH_SECONDS) },
      };
      const stream = await access.stream(path, query, signal).catch((error: unknown) => {
        if (error instanceof EngineError && error.status === GONE) return undefined;
        throw error;
      });
      if (stream === undefined) break;
      let next: string | undefined = version;
      await lines(stream, signal, (said) => {
        const event = line.safeParse(said);
        if (!event.success || next === undefined) return;
        const { type, object } = event.data;
        if (type === "ERROR") {
          next = undefined;
          if (object.code !== GONE) throw new EngineError("refused", `watch: status ${object.code}`);
          return;
        }
        next = object.metadata?.resourceVersion ?? next;
        if (type !== "BOOKMARK") heard(asPod(object), type === "DELETED");
      });
      version = next;
    }
  }
}

/** What a watch of pods tells of; read field by field, each of which may be missing. */
function asPod(object: object): V1Pod {
  return object as V1Pod;
}
