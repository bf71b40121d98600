/** What containers and volumes are made with, and the labels by which they are known again. */
import { createHash } from "node:crypto";
import type { PhoneId } from "../../../../../shared/ids.ts";
import { androidArguments, type CatalogueImage, resourceLimits } from "./catalogue.ts";
import { ADB_PORT, type ContainerPlan, type Labels } from "./engine.ts";

/** Whose it is: this server's database, and no other's on the same host. */
export const SERVER_LABEL = "perch.server";
export const PHONE_LABEL = "perch.phone";
/** Of everything a container is made with: one made otherwise is not taken over. */
export const PLAN_LABEL = "perch.plan";

export const volumeName = (id: PhoneId) => `perch-${id}`;
export const containerName = volumeName;

export function volumeLabels(id: PhoneId, instance: string): Labels {
  return { [PHONE_LABEL]: id, [SERVER_LABEL]: instance };
}

/**
 * A phone's container. Privileged, because redroid's init mounts binderfs and much else and boots no other way (redroid-doc
 * #591): such a container is no wall against its host's kernel, see docs/android-hosts.md. It is never started again by the
 * Engine itself: what runs is what the server started.
 */
export function phonePlan(options: {
  readonly id: PhoneId;
  readonly instance: string;
  readonly volume: string;
  /** As it was when the phone was made; its data belongs to that Android. */
  readonly reference: string;
  readonly image: CatalogueImage;
  /** A port on the host's loopback address leads to ADB. */
  readonly publish: boolean;
  readonly network: string;
}): ContainerPlan {
  const { id, instance, volume, reference, image, publish, network } = options;
  const plan = {
    Image: reference,
    Cmd: androidArguments(image),
    Tty: true,
    OpenStdin: true,
    ...(publish && { ExposedPorts: { [ADB_PORT]: {} } }),
    HostConfig: {
      Privileged: true,
      Binds: [`${volume}:/data`],
      NetworkMode: network,
      ...(publish && { PortBindings: { [ADB_PORT]: [{ HostIp: "127.0.0.1", HostPort: "" }] } }),
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "5m", "max-file": "1" } },
      ...resourceLimits(image),
    },
  };
  const hash = createHash("sha256").update(JSON.stringify(plan)).digest("hex").slice(0, 16);
  return { name: containerName(id), ...plan, Labels: { ...volumeLabels(id, instance), [PLAN_LABEL]: hash } };
}

/** A program of the image's, alone: no privileges, nothing it can write to, and no network unless one is given. */
export function helperPlan(options: {
  readonly name: string;
  readonly image: string;
  readonly argv: readonly string[];
  readonly instance: string;
  /** Of a volume, to read at /phone. */
  readonly volume?: string;
  /** None by default. */
  readonly network?: string;
}): ContainerPlan {
  const { name, image, argv, instance, volume, network = "none" } = options;
  return {
    name: `perch-${name}-${createHash("sha256")
      .update(`${instance}${volume ?? ""}`)
      .digest("hex")
      .slice(0, 12)}`,
    Image: image,
    Entrypoint: argv.slice(0, 1),
    Cmd: argv.slice(1),
    Labels: { [SERVER_LABEL]: instance },
    HostConfig: {
      NetworkMode: network,
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      RestartPolicy: { Name: "no" },
      ...(volume !== undefined && { CapAdd: ["DAC_READ_SEARCH"], Binds: [`${volume}:/phone:ro`] }),
      Memory: 256 * 1024 * 1024,
      PidsLimit: 64,
    },
  };
}
