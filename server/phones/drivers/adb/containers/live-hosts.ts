/**
 * The registered hosts as they are now: an open Engine each, whether it answers, which images it has. Asked again and again
 * with growing pauses while one does not answer; a host that does not answer is asked for nothing else meanwhile, so that
 * nobody waits for it.
 */
import type { PhoneHostId } from "../../../../../shared/ids.ts";
import type { Clock } from "../../../../clock.ts";
import { PerchError } from "../../../../errors.ts";
import { errorFields, type Log } from "../../../../log.ts";
import { AdbUnavailable } from "../connect/unavailable.ts";
import { type BootQueue, createBootQueue } from "./boot-queue.ts";
import type { CatalogueImage } from "./catalogue.ts";
import { PHONES_NETWORK_PLAN } from "./egress-guard.ts";
import type { Engine } from "./engine.ts";
import { isCluster } from "./engine-address.ts";
import { EngineError } from "./engine-call.ts";
import type { PhoneHostRow } from "./phone-hosts.repo.ts";

/** Between looks at a host that answers. */
const LOOK_EACH_MS = 15_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** One lost answer is no lost host. */
const FAILURES_UNTIL_LOST = 2;
const BOOTS_AT_ONCE = 2;
/** Of a cluster, whose machines are many; more wait in line so that none asks its API server too much. */
const BOOTS_IN_CLUSTER = 16;

export interface LiveHost {
  readonly row: PhoneHostRow;
  readonly engine: Engine;
  readonly boots: BootQueue;
  /** Addresses of the host on the bridge of phones. */
  readonly gateways: readonly string[];
  /** Of the catalogue, by id. */
  readonly images: ReadonlySet<string>;
}

export interface LiveHosts {
  /** Reads the register again and asks the hosts that are due. */
  tick(): Promise<void>;
  /** That answer now. */
  up(): readonly LiveHost[];
  /** @throws AdbUnavailable `host_gone` when it does not answer */
  use(id: PhoneHostId): LiveHost;
  /** It stands in the register. */
  knows(id: PhoneHostId): boolean;
  /** Since when nobody answers; undefined while it does, or was never asked. */
  lostSince(id: PhoneHostId): number | undefined;
  /** Runs a call; a host that does not answer it is looked at again at once, and the caller reads why. */
  call<T>(id: PhoneHostId, work: (host: LiveHost) => Promise<T>): Promise<T>;
  close(): void;
}

export interface HostListener {
  /** It answers, after it did not or for the first time. */
  came(host: LiveHost): void;
  lost(id: PhoneHostId): void;
  /** Something may have happened to what has these labels. */
  hint(host: LiveHost, labels: Readonly<Record<string, string>>): void;
}

interface Kept {
  row: PhoneHostRow;
  engine: Engine | undefined;
  host: LiveHost | undefined;
  readonly boots: BootQueue;
  failures: number;
  nextAt: number;
  lostSince: number | undefined;
  readonly closing: AbortController;
  watching: boolean;
}

export function createLiveHosts(options: {
  readonly rows: () => Promise<readonly PhoneHostRow[]>;
  readonly open: (row: PhoneHostRow) => Promise<Engine>;
  readonly images: readonly CatalogueImage[];
  readonly network: string;
  /** Of events worth hearing. */
  readonly label: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly listener: HostListener;
}): LiveHosts {
  const { rows, open, images, network, label, clock, log, listener } = options;
  const kept = new Map<PhoneHostId, Kept>();
  let closed = false;

  function forget(id: PhoneHostId, one: Kept): void {
    kept.delete(id);
    one.closing.abort();
    one.engine?.close();
  }

  async function look(one: Kept): Promise<void> {
    one.engine ??= await open(one.row);
    const { engine } = one;
    await engine.ping();
    const gateways = one.host?.gateways ?? (await engine.network(network, PHONES_NETWORK_PLAN));
    const found = new Set<string>();
    for (const { id, image } of images) if (await engine.hasImage(image)) found.add(id);
    const host: LiveHost = { row: one.row, engine, boots: one.boots, gateways, images: found };
    const isNew = one.host === undefined;
    one.host = host;
    one.failures = 0;
    one.lostSince = undefined;
    one.nextAt = clock.now() + LOOK_EACH_MS;
    if (isNew) {
      log.info("A host of phones answers", { kind: one.row.name });
      listener.came(host);
    }
    if (!one.watching) void watch(one, host);
  }

  async function watch(one: Kept, host: LiveHost): Promise<void> {
    one.watching = true;
    try {
      await host.engine.watch(label, ({ labels }) => listener.hint(host, labels), one.closing.signal);
    } catch {
      // Looks without events come soon enough; the stream is opened anew with the next of them.
    } finally {
      one.watching = false;
    }
  }

  function failed(one: Kept, error: unknown): void {
    one.failures += 1;
    one.nextAt = clock.now() + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (one.failures - 1));
    if (one.host === undefined && one.lostSince !== undefined) return;
    if (one.failures < FAILURES_UNTIL_LOST && one.host !== undefined) return;
    one.host = undefined;
    one.lostSince = clock.now();
    // Opened anew with the next look: its certificates may be others by then.
    one.engine?.close();
    one.engine = undefined;
    log.warn("A host of phones does not answer", { kind: one.row.name, ...errorFields(error) });
    listener.lost(one.row.id);
  }

  function gone(error?: unknown): AdbUnavailable {
    return new AdbUnavailable(
      "host_gone",
      "The machine this phone lives on does not answer. What is on the phone is kept there. Try again in a few minutes.",
      { cause: error },
    );
  }

  const live: LiveHosts = {
    async tick() {
      const current = await rows();
      const ids = new Set(current.map(({ id }) => id));
      for (const [id, one] of kept) if (!ids.has(id)) forget(id, one);
      if (closed) return;
      for (const row of current) {
        const known = kept.get(row.id);
        if (known !== undefined && known.row.address === row.address && known.row.certFolder === row.certFolder) {
          known.row = row;
          if (known.host !== undefined) known.host = { ...known.host, row };
          continue;
        }
        if (known !== undefined) forget(row.id, known);
        kept.set(row.id, {
          ...{
            row,
            engine: undefined,
            host: undefined,
            boots: createBootQueue(isCluster(row.address) ? BOOTS_IN_CLUSTER : BOOTS_AT_ONCE),
          },
          ...{ failures: 0, nextAt: 0, lostSince: undefined, closing: new AbortController(), watching: false },
        });
      }
      const due = [...kept.values()].filter(({ nextAt }) => clock.now() >= nextAt);
      await Promise.all(due.map((one) => look(one).catch((error: unknown) => failed(one, error))));
    },
    up: () => [...kept.values()].flatMap(({ host }) => host ?? []),
    use(id) {
      const host = kept.get(id)?.host;
      if (host === undefined) throw gone();
      return host;
    },
    knows: (id) => kept.has(id),
    lostSince: (id) => kept.get(id)?.lostSince,
    async call(id, work) {
      const host = live.use(id);
      try {
        return await work(host);
      } catch (error) {
        if (!(error instanceof EngineError)) throw error;
        const one = kept.get(id);
        if (error.kind === "gone") {
          if (one !== undefined) one.nextAt = 0;
          throw gone(error);
        }
        log.error("A host of phones refused a call", { kind: host.row.name, ...errorFields(error) });
        throw new PerchError(
          "phone_unavailable",
          "The machine this phone lives on could not do that. Try again; if it fails again, ask who runs the server.",
          { cause: error },
        );
      }
    },
    close() {
      closed = true;
      for (const [id, one] of kept) forget(id, one);
    },
  };
  return live;
}
