/** Whether a host can run Androids, in words, with what to do about each thing that is missing. */
import { z } from "zod";
import type { CatalogueImage } from "./catalogue.ts";
import {
  firstOpen,
  forbiddenTargets,
  lookArguments,
  PHONES_NETWORK,
  PHONES_NETWORK_PLAN,
  TOYBOX,
  targetName,
} from "./egress-guard.ts";
import type { Engine, EngineFacts } from "./engine.ts";
import { EngineError } from "./engine-call.ts";
import { helperPlan } from "./plans.ts";

export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** What was found, and what to do where it is not enough. */
  readonly words: string;
}

const RUN_MS = 30_000;
const GB = 1024 ** 3;
/** redroid-doc #392: the 51st phone fails with the usual 128. */
const INOTIFY_INSTANCES_EACH = 3;
const LEAST_DISK_BYTES = 10 * GB;
const FILES = [
  "/proc/filesystems",
  "/proc/misc",
  "/proc/meminfo",
  "/proc/sys/fs/inotify/max_user_instances",
  "/proc/sys/fs/inotify/max_user_watches",
] as const;

/** Never throws: an Engine that does not answer is a finding. */
export async function preflight(options: {
  readonly engine: Engine;
  readonly images: readonly CatalogueImage[];
  readonly capacity: number;
  readonly instance: string;
  readonly servers: readonly string[];
  readonly serverPort: number;
}): Promise<readonly Finding[]> {
  const { engine, images, capacity, instance } = options;
  let facts: EngineFacts;
  try {
    await engine.ping();
    facts = await engine.facts();
  } catch (error) {
    const said = error instanceof EngineError ? error.message : String(error);
    return [
      {
        what: "engine",
        ok: false,
        words: `does not answer: ${said} Check that Docker runs there (systemctl status docker), the address, and the certificates.`,
      },
    ];
  }
  const present: CatalogueImage[] = [];
  const missing: CatalogueImage[] = [];
  for (const image of images) ((await has(engine, image)) ? present : missing).push(image);
  const [image] = present;
  const kernel = image === undefined ? undefined : await readKernel(engine, image, instance).catch(() => undefined);
  return [
    engine.placesItself ? clusterFinding(facts) : engineFinding(facts),
    architectureFinding(facts),
    ...imageFindings(images, missing),
    ...(kernel === undefined ? [unread(image)] : kernelFindings(kernel, facts, capacity)),
    // A cluster has many machines, and puts no phone where there is no room.
    ...(engine.placesItself ? [] : [memoryFinding(facts, images, capacity)]),
    ...(image === undefined ? [] : [await guardFinding(options, image)]),
  ];
}

/** The look of the guard, from a container on the phones' network. */
async function guardFinding(
  { engine, instance, servers, serverPort }: Parameters<typeof preflight>[0],
  { image }: CatalogueImage,
): Promise<Finding> {
  const what = "egress guard";
  try {
    const gateways = await engine.network(PHONES_NETWORK, PHONES_NETWORK_PLAN);
    const targets = [...forbiddenTargets({ gateways, servers, serverPort }), ...engine.nearby];
    const argv = lookArguments(targets.map(targetName));
    const plan = helperPlan({ name: "guard", image, argv, instance, network: PHONES_NETWORK });
    const open = firstOpen((await engine.runOnce(plan, RUN_MS)).stdout, targets);
    if (open === undefined) return { what, ok: true, words: "phones reach neither the host nor this server." };
    const fix = engine.placesItself
      ? "Apply deploy/kubernetes/phones.yaml, with a network plugin that carries out its policies."
      : "Load the rules of: npm run admin -- hosts firewall";
    const words = `from the phones’ network ${open.what} (${targetName(open)}) can be reached, or it could not be looked at. ${fix}`;
    return { what, ok: false, words };
  } catch (error) {
    return {
      what,
      ok: false,
      words: `could not be looked at: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

async function has(engine: Engine, { image }: CatalogueImage): Promise<boolean> {
  return engine.hasImage(image).catch(() => false);
}

function engineFinding({ version, apiVersion }: EngineFacts): Finding {
  const [major = 0, minor = 0] = apiVersion.split(".").map(Number);
  const ok = major > 1 || (major === 1 && minor >= 41);
  const fix = ok ? "" : " Update it: API 1.41 is needed, which came with Docker 20.10.";
  return { what: "engine", ok, words: `version ${version}, API ${apiVersion}.${fix}` };
}

function clusterFinding({ version, apiVersion }: EngineFacts): Finding {
  const [major = 0, minor = 0] = apiVersion.split(".").map(Number);
  const ok = major > 1 || (major === 1 && minor >= 30);
  return { what: "engine", ok, words: `Kubernetes ${version}.${ok ? "" : " Update it: 1.30 is needed."}` };
}

function architectureFinding({ architecture }: EngineFacts): Finding {
  const ok = /^(linux\/)?(x86_64|amd64|aarch64|arm64)$/.test(architecture);
  return {
    what: "architecture",
    ok,
    words: ok
      ? `${architecture}.`
      : `${architecture}. Android images are made for x86_64 and arm64: use such a machine.`,
  };
}

function imageFindings(images: readonly CatalogueImage[], missing: readonly CatalogueImage[]): Finding[] {
  if (images.length === 0) {
    return [{ what: "images", ok: false, words: "ANDROID_IMAGES is not set, so there is nothing to make phones of." }];
  }
  if (missing.length === 0) return [{ what: "images", ok: true, words: "all of the catalogue are there." }];
  return missing.map(({ id, image }) => ({
    what: "images",
    ok: false,
    words: `${image} is not there. Get it: npm run admin -- hosts pull --name <host> --image ${id} --reason <why>`,
  }));
}

interface Kernel {
  readonly lines: ReadonlyMap<string, readonly string[]>;
  readonly freeDiskBytes: number | undefined;
}

/** What a program in a container without privileges reads of the kernel, which is the host's. */
async function readKernel(engine: Engine, { image }: CatalogueImage, instance: string): Promise<Kernel> {
  const run = (name: string, argv: readonly string[]) =>
    engine.runOnce(helperPlan({ name, image, argv, instance }), RUN_MS);
  const read = await run("kernel", [TOYBOX, "grep", "-H", "", ...FILES]);
  const lines = new Map<string, string[]>();
  for (const line of read.stdout.split("\n")) {
    const match = /^(\/proc\/[\w/]+):(.*)$/.exec(line);
    if (match?.[1] === undefined) continue;
    const kept = lines.get(match[1]) ?? [];
    kept.push(match[2] ?? "");
    lines.set(match[1], kept);
  }
  if (lines.size === 0) throw new Error("Nothing could be read.");
  const df = await run("disk", [TOYBOX, "df", "-k", "/"]);
  const free = z.coerce.number().safeParse(df.stdout.trim().split("\n").at(-1)?.split(/\s+/)[3]);
  return { lines, freeDiskBytes: free.success ? free.data * 1024 : undefined };
}

function unread(image: CatalogueImage | undefined): Finding {
  return {
    what: "kernel",
    ok: false,
    words:
      image === undefined
        ? "could not be looked at without an image there. Get one first, then check again."
        : `could not be looked at: a container of ${image.image} did not run.`,
  };
}

function kernelFindings({ lines, freeDiskBytes }: Kernel, { kernel }: EngineFacts, capacity: number): Finding[] {
  const has = (file: string, word: RegExp) => (lines.get(file) ?? []).some((line) => word.test(line));
  const number = (file: string) => Number(lines.get(file)?.[0] ?? 0);
  const binder = has("/proc/filesystems", /\bbinder$/) || has("/proc/misc", /\bbinder$/);
  const [major = 0, minor = 0] = kernel.split(".").map(Number);
  const memfd = major > 3 || (major === 3 && minor >= 17);
  const ashmem = has("/proc/misc", /\bashmem$/);
  const instances = number("/proc/sys/fs/inotify/max_user_instances");
  const needed = Math.max(128, capacity * INOTIFY_INSTANCES_EACH);
  return [
    {
      what: "binder",
      ok: binder,
      words: binder
        ? `the kernel ${kernel} has it.`
        : `the kernel ${kernel} has no binder, without which no Android boots. On Debian and Ubuntu: apt install linux-modules-extra-$(uname -r) && modprobe binder_linux devices=binder,hwbinder,vndbinder && echo binder_linux > /etc/modules-load.d/binder.conf. A kernel built without CONFIG_ANDROID_BINDER_IPC needs another kernel.`,
    },
    {
      what: "shared memory",
      ok: memfd || ashmem,
      words: memfd ? "memfd." : ashmem ? "ashmem." : `the kernel ${kernel} has neither memfd nor ashmem. Update it.`,
    },
    {
      what: "inotify",
      ok: instances >= needed,
      words:
        instances >= needed
          ? `${instances} instances.`
          : `${instances} instances are too few for ${capacity} phones. Run: sysctl -w fs.inotify.max_user_instances=${Math.max(1_024, needed)} and write it to /etc/sysctl.d/90-perch.conf`,
    },
    {
      what: "disk",
      ok: freeDiskBytes === undefined || freeDiskBytes >= LEAST_DISK_BYTES,
      words:
        freeDiskBytes === undefined
          ? "could not be looked at."
          : freeDiskBytes >= LEAST_DISK_BYTES
            ? `${Math.floor(freeDiskBytes / GB)} GB free.`
            : `${Math.floor(freeDiskBytes / GB)} GB free. A phone needs several: make room where Docker keeps its data.`,
    },
  ];
}

function memoryFinding(
  { memoryBytes, cpus }: EngineFacts,
  images: readonly CatalogueImage[],
  capacity: number,
): Finding {
  const largest = Math.max(0, ...images.map(({ memoryMb }) => memoryMb)) * 1024 * 1024;
  const fits = largest === 0 ? capacity : Math.floor((memoryBytes * 0.9) / largest);
  const words = `${Math.round(memoryBytes / GB)} GB and ${cpus} CPUs for ${capacity} phones`;
  if (fits >= capacity) return { what: "memory", ok: true, words: `${words}.` };
  return {
    what: "memory",
    ok: false,
    words: `${words}, of which it holds ${fits} at once. Register it with a capacity of ${Math.max(1, fits)}, or lower memoryMb in ANDROID_IMAGES.`,
  };
}
