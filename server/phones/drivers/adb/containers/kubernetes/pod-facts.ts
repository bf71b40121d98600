/** What a pod says about itself, as the rest of us asks for it (API reference, core/v1 PodStatus). */
import type { V1ContainerStatus, V1Pod } from "@kubernetes/client-node";
import type { ContainerFacts, ListedContainer } from "../engine.ts";
import { CONTAINER, fromLabels } from "./pod-plans.ts";

const ADB = 5555;

/** Of one pod: another of the same name is another phone's life. */
export function idOf(pod: V1Pod): string {
  return `${pod.metadata?.name ?? ""}/${pod.metadata?.uid ?? ""}`;
}
export function namesOf(nameOrId: string): { readonly name: string; readonly uid: string | undefined } {
  const [name = "", uid] = nameOrId.split("/");
  return { name, uid };
}

const containerOf = (pod: V1Pod): V1ContainerStatus | undefined =>
  pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER);

export function isRunning(pod: V1Pod): boolean {
  const isGoing = pod.metadata?.deletionTimestamp !== undefined;
  return !isGoing && pod.status?.phase === "Running" && containerOf(pod)?.state?.running !== undefined;
}

/** Its node does not report: the cluster takes Ready away and leaves the rest as it was last told. */
function isLost(pod: V1Pod): boolean {
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
  return isRunning(pod) && ready !== undefined && ready.status !== "True";
}

export function factsOf(pod: V1Pod): ContainerFacts {
  const ended = containerOf(pod)?.state?.terminated;
  const { podIP, hostIP } = pod.status ?? {};
  return {
    ...{ id: idOf(pod), labels: fromLabels(pod.metadata?.labels), running: isRunning(pod), lost: isLost(pod) },
    ...{ exitCode: ended?.exitCode ?? 0, outOfMemory: ended?.reason === "OOMKilled" },
    // Evicted, preempted, or deleted by somebody: the node or the cluster wanted it so.
    takenAway: pod.metadata?.deletionTimestamp !== undefined || pod.status?.reason !== undefined,
    adbPort: undefined,
    ...(podIP !== undefined && { adbAddress: { host: podIP, port: ADB } }),
    ...(hostIP !== undefined && { machine: hostIP }),
  };
}

export function listedOf(pod: V1Pod): ListedContainer {
  return { id: idOf(pod), labels: fromLabels(pod.metadata?.labels), running: isRunning(pod), lost: isLost(pod) };
}

export function hasEnded(pod: V1Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** A node tries these again and again, and no try ends differently before somebody has done something. */
const HOPELESS = new Set([
  ...["ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName", "ImageInspectError"],
  ...["CreateContainerConfigError", "CreateContainerError", "RunContainerError"],
]);

/** Why it will not begin, for the log; undefined while it may. */
export function hopeless(pod: V1Pod): string | undefined {
  const waiting = containerOf(pod)?.state?.waiting;
  if (waiting?.reason === undefined || !HOPELESS.has(waiting.reason)) return undefined;
  return `${waiting.reason}: ${waiting.message ?? ""}`.slice(0, 500);
}

/** What it waits for, for the log. */
export function waitsFor(pod: V1Pod): string {
  const placed = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (placed?.status === "False") return `${placed.reason ?? ""}: ${placed.message ?? ""}`.slice(0, 500);
  return containerOf(pod)?.state?.waiting?.reason ?? pod.status?.phase ?? "nothing was said";
}
