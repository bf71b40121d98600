/** What a phone is in a cluster: a pod and the claim for its volume, made of the plans of containers. */
import { createHash } from "node:crypto";
import type { V1PersistentVolumeClaim, V1Pod } from "@kubernetes/client-node";
import type { ContainerPlan, Labels } from "../engine.ts";

export const CONTAINER = "android";
/** The network policy it is under: `phones` reach the public internet, `helpers` nothing at all. */
export const PART_LABEL = "perch.part";
/** The name an object was asked for under; what the cluster calls it may have no capitals. */
export const NAME_NOTE = "perch.name";
const MANAGED_BY = { "app.kubernetes.io/managed-by": "perch" } as const;
/** Nodes for phones alone carry this taint, so that nothing else comes to stand beside privileged pods. */
const PHONES_TAINT = "perch.phones";
const ENDS_SECONDS = 10;

export interface PodSettings {
  readonly namespace: string;
  /** Nodes phones may be put on, by label. */
  readonly nodes: Labels;
  readonly storageClass: string | undefined;
  readonly diskGb: number;
}

/** RFC 1123 names have small letters, digits, hyphens; ids have more. */
export function objectName(name: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$/.test(name)) return name;
  return `perch-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

/** Values begin and end with a letter or digit; ids may end otherwise, and never have a dot. */
export function toLabels(labels: Labels): Record<string, string> {
  const valid = /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/;
  return Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [key, valid.test(value) ? value : `${value}.0`]),
  );
}
export function fromLabels(labels: Labels | undefined): Labels {
  return Object.fromEntries(Object.entries(labels ?? {}).map(([key, value]) => [key, value.replace(/\.0$/, "")]));
}

function about(name: string, labels: Labels, more: Labels, namespace: string) {
  return {
    ...{ name: objectName(name), namespace, labels: { ...toLabels(labels), ...MANAGED_BY, ...more } },
    annotations: { [NAME_NOTE]: name },
  };
}

export function claimOf(name: string, labels: Labels, settings: PodSettings): V1PersistentVolumeClaim {
  const { namespace, storageClass, diskGb } = settings;
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: about(name, labels, {}, namespace),
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: `${diskGb}Gi` } },
      ...(storageClass !== undefined && { storageClassName: storageClass }),
    },
  };
}

/**
 * Never started again by the cluster, tells it nothing and asks it nothing: no token, no names of services. Privileged where
 * the plan is, as redroid boots no other way. Requests are the limits: a phone that is placed has what it may use.
 */
export function podOf(plan: ContainerPlan, settings: PodSettings): V1Pod {
  const { namespace, nodes } = settings;
  const { HostConfig: host } = plan;
  const isPhone = host.Privileged === true;
  const onNetwork = host.NetworkMode !== undefined && host.NetworkMode !== "none";
  const limits = {
    ...(host.Memory !== undefined && { memory: String(host.Memory) }),
    cpu: host.NanoCpus === undefined ? "250m" : `${Math.ceil(host.NanoCpus / 1e6)}m`,
  };
  const mounts = (host.Binds ?? []).map((bind, index) => {
    const [volume = "", mountPath = "", mode] = bind.split(":");
    return { name: `volume-${index}`, volume: objectName(volume), mountPath, readOnly: mode === "ro" };
  });
  const security = isPhone
    ? { privileged: true }
    : {
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: host.ReadonlyRootfs === true },
        capabilities: { drop: [...(host.CapDrop ?? [])], add: [...(host.CapAdd ?? [])] },
        seccompProfile: { type: "RuntimeDefault" },
      };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: about(plan.name, plan.Labels, { [PART_LABEL]: onNetwork ? "phone" : "helper" }, namespace),
    spec: {
      restartPolicy: "Never",
      ...{ automountServiceAccountToken: false, enableServiceLinks: false, dnsPolicy: "Default" },
      terminationGracePeriodSeconds: ENDS_SECONDS,
      nodeSelector: { ...nodes },
      tolerations: [{ key: PHONES_TAINT, operator: "Exists" }],
      containers: [
        {
          ...{ name: CONTAINER, image: plan.Image, imagePullPolicy: "IfNotPresent" },
          ...(plan.Entrypoint && { command: [...plan.Entrypoint] }),
          ...(plan.Cmd && { args: [...plan.Cmd] }),
          ...(plan.Tty && { tty: true, stdin: true }),
          ...(isPhone && { ports: [{ name: "adb", containerPort: 5555, protocol: "TCP" }] }),
          resources: { requests: { ...limits }, limits },
          volumeMounts: mounts.map(({ name, mountPath, readOnly }) => ({ name, mountPath, readOnly })),
          securityContext: security,
        },
      ],
      volumes: mounts.map(({ name, volume, readOnly }) => ({
        name,
        persistentVolumeClaim: { claimName: volume, readOnly },
      })),
    },
  };
}
