/** Makes what runs phones in containers, for the server and for commands beside it. */
import { createHash } from "node:crypto";
import { isIPv4 } from "node:net";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Audit } from "../../../../audit/audit.repo.ts";
import type { Clock } from "../../../../clock.ts";
import type { Config } from "../../../../config.ts";
import type { Database } from "../../../../db/database.ts";
import { isLoopback, machineAddresses } from "../../../../egress/address.ts";
import { PerchError } from "../../../../errors.ts";
import { errorFields } from "../../../../log.ts";
import type { AndroidParts } from "../compose.ts";
import { type CatalogueImage, readCatalogue } from "./catalogue.ts";
import { PHONES_NETWORK } from "./egress-guard.ts";
import { type Engine, openEngine } from "./engine.ts";
import { isCluster } from "./engine-address.ts";
import { openClusterEngine } from "./kubernetes/cluster-engine.ts";
import { createPhoneHostsRepo, type PhoneHostRow, type PhoneHostsRepo } from "./phone-hosts.repo.ts";
import { CLUSTER_HOST, createPhoneHosts, type PhoneHosts } from "./phone-hosts.service.ts";
import { type ContainerSource, createContainerSource } from "./source.ts";

const TICK_MS = 5_000;

export interface ContainerDesk {
  readonly hosts: PhoneHosts;
  readonly repo: PhoneHostsRepo;
  /** Stands in the labels of everything this server makes on a host. */
  readonly instance: string;
  images(): Promise<readonly CatalogueImage[]>;
  open(row: PhoneHostRow): Promise<Engine>;
  /** Addresses under which others reach this machine. */
  servers(): readonly string[];
}

/** Of IPv4: phones have no other way, their network has no IPv6. */
export function serverAddresses(): readonly string[] {
  return [...machineAddresses()].filter((address) => isIPv4(address) && !isLoopback(address));
}

/** `key`: `deriveKey(master, "phone containers")`. Connects to nothing. */
export function createContainerDesk(options: {
  readonly db: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly config: Pick<Config, "ANDROID_IMAGES" | ClusterSetting>;
  readonly key: Buffer;
}): ContainerDesk {
  const { db, audit, clock, config, key } = options;
  const repo = createPhoneHostsRepo(db);
  return {
    ...{ repo, hosts: createPhoneHosts({ db, repo, audit, clock }) },
    instance: createHash("sha256").update(key).digest("hex").slice(0, 16),
    images: () => readCatalogue(config.ANDROID_IMAGES),
    open: ({ address, certFolder }) =>
      isCluster(address) ? openClusterEngine(clusterOf(config)) : openEngine(address, certFolder ?? undefined),
    servers: serverAddresses,
  };
}

type ClusterSetting = Extract<keyof Config, `KUBERNETES_${string}`>;

function clusterOf(config: Pick<Config, ClusterSetting>) {
  const { KUBERNETES_CONFIG, KUBERNETES_NAMESPACE: namespace } = config;
  if (KUBERNETES_CONFIG === undefined) {
    throw new PerchError(
      "bad_input",
      "Phones of this server stand in a cluster, and KUBERNETES_CONFIG is not set. Set it to a kubeconfig, or to cluster in a pod.",
    );
  }
  const { KUBERNETES_NODES: nodes, KUBERNETES_STORAGE_CLASS: storageClass, KUBERNETES_DISK_GB: diskGb } = config;
  return { config: KUBERNETES_CONFIG, namespace, nodes, storageClass, diskGb };
}

/** The source of containers, with its own beat; undefined where ANDROID_IMAGES names none. */
export async function createContainers(
  parts: AndroidParts & { readonly key: Buffer; readonly serverPort: number },
): Promise<ContainerSource | undefined> {
  const { config, db, audit, clock, log, keys, key, serverPort } = parts;
  const desk = createContainerDesk({ db, audit, clock, config, key });
  const { hosts, repo, instance, servers } = desk;
  const images = await desk.images();
  if (images.length === 0) return undefined;
  if (config.DOCKER_HOST !== undefined) {
    const certFolder = config.DOCKER_CERT_PATH === undefined ? undefined : resolve(config.DOCKER_CERT_PATH);
    const { DOCKER_HOST: address, DOCKER_PHONES: capacity, REGION: region } = config;
    await hosts.keepDefault({ address, certFolder, capacity, region });
  }
  if (config.KUBERNETES_CONFIG !== undefined) {
    const { KUBERNETES_NAMESPACE: namespace, KUBERNETES_PHONES: capacity, REGION: region } = config;
    const cluster = { address: `kubernetes:${namespace}`, certFolder: undefined, capacity, region };
    await hosts.keepDefault(cluster, CLUSTER_HOST);
  }
  const source = createContainerSource({
    ...{ db, repo, hosts, images, instance, clock, log, keys, servers, serverPort },
    ...{ region: config.REGION, network: PHONES_NETWORK, open: desk.open },
    pace: {
      now: () => clock.now(),
      wait: async (ms, signal) => {
        await sleep(ms, undefined, { signal });
      },
    },
  });
  let beating = false;
  const beat = setInterval(async () => {
    if (beating) return;
    beating = true;
    try {
      await source.tick();
    } catch (error) {
      log.error("Hosts of phones could not be looked at", errorFields(error));
    } finally {
      beating = false;
    }
  }, TICK_MS);
  beat.unref();
  return {
    ...source,
    async close() {
      clearInterval(beat);
      await source.close();
    },
  };
}
