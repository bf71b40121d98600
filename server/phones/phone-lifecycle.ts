/**
 * What happens to a phone over time: started, parked, wiped, restarted after a crash, parked when idle, recovered when
 * the server comes back. Work on one phone is done one at a time, in order; the row is the truth, the driver is asked
 * to follow it, and both are brought together again in `recover`.
 */
import { type NodeId, type PhoneId, userId } from "../../shared/ids.ts";
import {
  deviceProfile,
  PHONE_REASONS,
  type PhoneEvent,
  type PhoneReason,
  type WipeReceipt,
} from "../../shared/phones.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Metering } from "../billing/ports.ts";
import type { IntervalEnd } from "../billing/usage/usage.tables.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Events } from "../events/events.repo.ts";
import { errorFields, type Log } from "../log.ts";
import type { DriverEvent, PhoneDriver, PhoneSpec } from "./driver.ts";
import type { Drivers } from "./drivers.ts";
import type { PhoneCopies } from "./phone-copies.ts";
import { createHands, type LifecycleListener } from "./phone-life-parts.ts";
import { createLoss, screenOf } from "./phone-loss.ts";
import { createMove, createRetries, createTurns } from "./phone-moves.ts";
import { createRecovery } from "./phone-recovery.ts";
import { createTending } from "./phone-tending.ts";
import { phoneView } from "./phone-view.ts";
import { ACTIVE_STATES, type PhoneRow, type PhonesRepo } from "./phones.repo.ts";
import { isElsewhere, isHere, ownerOf, type PhonesNode } from "./phones-node.ts";
import type { ProfileArchive } from "./profile-archive.ts";

export interface LifecycleLimits {
  readonly idleMs: number;
  readonly longestSessionMs: number;
}

export type Admission = (tx: Writer) => Promise<void>;
export type ReceiptKeeper = (tx: Writer, receipt: WipeReceipt) => Promise<unknown>;

export interface PhoneLifecycle {
  /**
   * Starts a parked, failed or new phone; resolves when it runs, throws when it could not. `admit` may refuse inside the
   * transaction that gives a parked or failed phone its place; a new phone has its place already.
   */
  start(row: PhoneRow, url: string | undefined, actor: string, admit?: Admission): Promise<PhoneRow>;
  park(id: PhoneId, reason: PhoneReason, actor: string): Promise<PhoneRow>;
  /** Tells whoever is at the phone that nothing pays for it from then on, or that something does again. */
  warnOfCover(row: Pick<PhoneRow, "id" | "teamId">, parksAt: Date | undefined): Promise<void>;
  /** `keep` may write the receipt down in the transaction that forgets the phone. */
  remove(row: PhoneRow, actor: string, keep?: ReceiptKeeper): Promise<WipeReceipt>;
  /** Counts as use: the idle clock starts again. */
  used(id: PhoneId): void;
  parksAt(row: PhoneRow): Date | undefined;
  /** The driver of a running phone; throws `phone_not_running` for any other. */
  runningDriver(id: PhoneId): PhoneDriver;
  /** Turns a running phone and writes it down. */
  rotate(id: PhoneId, actor: string): Promise<PhoneRow>;
  /** Publishes the row in the transaction that changed it. */
  publish(tx: Writer, row: PhoneRow): Promise<void>;
  /** Brings rows and driver together after a start of the server, and starts again what was running. */
  recover(): Promise<void>;
  /**
   * Parks what is idle or ran too long, warns before, writes down use, and ends what was left half-way: a phone that is
   * starting, parking or removed while nobody works on it. One phone's trouble stops no other. Called every few seconds.
   */
  tick(): Promise<void>;
  /** Takes up phones that are this node's since a moment: as `recover` does, for these alone. */
  adopt(ids: readonly PhoneId[]): Promise<void>;
  /** Takes up Androids that are this node's without its having heard of it. Called after each heartbeat. */
  adoptMissed(): Promise<void>;
  /** Removes what is left here of those of these web phones that are another node's by now, or nobody's. @throws PerchError */
  leave(ids: Iterable<PhoneId>): Promise<void>;
  /** Ends what this process does to phones, without the database: its lease on them is over. */
  fence(): Promise<void>;
  /** Gives a phone that goes on by itself to another node, which has to take it up. */
  handOver(row: PhoneRow, to: NodeId): Promise<void>;
  /** Parks everything. */
  close(): Promise<void>;
}

const CRASH_WINDOW_MS = 60_000;
const SERVER = "server";
const WIPED_LATER = "The phone is out of reach. It is hidden from now on, and wiped as soon as it can be reached.";

/** The same words for a phone that never was, is gone, or is another team's. */
export function noSuchPhone(): PerchError {
  return new PerchError("not_found", "There is no such phone in this team.");
}

export function createPhoneLifecycle(options: {
  db: Database;
  repo: PhonesRepo;
  drivers: Drivers;
  events: Events;
  audit: Audit;
  clock: Clock;
  log: Log;
  limits: LifecycleLimits;
  metering: Metering;
  /** Only its phones are touched. */
  node: PhonesNode;
  /** Keeps web phones' files for other nodes. */
  archive: ProfileArchive;
  copies: PhoneCopies;
  listener: () => LifecycleListener;
}): PhoneLifecycle {
  const { db, repo, drivers, events, audit, clock, log, limits, metering, node, archive, copies } = options;
  const lastUse = new Map<PhoneId, number>();
  const warned = new Map<PhoneId, number>();
  const crashes = new Map<PhoneId, number>();
  /** The last of what happened to each phone and is not in the database yet: it was away, or this node might not act. */
  const unrecorded = new Map<PhoneId, DriverEvent>();
  const hands = createHands();
  const wipes = createRetries(clock);
  let closing = false;

  const turns = createTurns();
  const inTurn = turns.take;
  const driverOf = (row: Pick<PhoneRow, "driver">): PhoneDriver => drivers.need(row.driver);
  const specOf = (row: PhoneRow): PhoneSpec => ({
    id: row.id,
    profile: deviceProfile(row.profile),
    model: row.model ?? undefined,
    settings: row.settings,
    rotated: row.rotated,
  });

  function demandHere(row: PhoneRow): void {
    if (row.nodeId !== null && !isHere(node, row)) throw isElsewhere();
  }
  const stopped = (id: PhoneId, end: IntervalEnd) => ({ meter: (tx: Writer) => metering.closed(tx, id, end) });

  function parksAt(row: PhoneRow): Date | undefined {
    if (row.state !== "running" || row.startedAt === null || row.unreachableSince !== null) return undefined;
    const used = Math.max(row.startedAt.getTime(), row.lastUsedAt?.getTime() ?? 0, lastUse.get(row.id) ?? 0);
    return new Date(Math.min(used + limits.idleMs, row.startedAt.getTime() + limits.longestSessionMs));
  }

  async function publish(tx: Writer, row: PhoneRow): Promise<void> {
    const event: PhoneEvent =
      row.state === "removed"
        ? { type: "removed", phoneId: row.id }
        : { type: "phone", phone: phoneView(row, drivers.of(row.driver)?.capabilities, parksAt(row)) };
    await events.publish(tx, row.teamId, event);
  }

  const move = createMove({ db, repo, events, audit, log, node, publish });
  const { listener } = options;
  const parts = { repo, drivers, clock, log, metering, move, hands, lastUse, driverOf, specOf, listener };
  const loss = createLoss(parts);

  async function startNow(row: PhoneRow, url: string | undefined, actor: string, admit?: Admission): Promise<PhoneRow> {
    if (closing || !node.mayAct())
      throw new PerchError("unavailable", "The server is stopping. Try again in a moment.");
    const driver = driverOf(row);
    const start = { teamId: row.teamId, phoneId: row.id, startedBy: userId.safeParse(actor).data ?? null };
    const admitted = async (tx: Writer) => {
      await admit?.(tx);
      // A new phone was admitted with its launch.
      if (row.state !== "creating") await metering.admit(tx, { ...start, isNew: false });
    };
    const started = await move(
      row.id,
      ["creating", "starting", "parked", "failed"],
      { state: "starting", reason: null, nodeId: node.id },
      { before: admitted },
    );
    try {
      // From another node: without its files nothing is begun, so that no empty phone takes its place.
      const isNew = row.state === "creating" || driver.kind !== "web" || node.alone;
      if (!isNew && (await driver.state(row.id)) === "absent" && (await archive.has(row.id))) {
        await archive.restore(row.id);
      }
      await driver.create(specOf(started));
      await driver.start(specOf(started), url);
    } catch (error) {
      const reason = whyNotStarted(driver, error);
      log.error("A phone did not start", { phoneId: row.id, ...errorFields(error) });
      await driver.park(row.id).catch(() => {});
      await move(row.id, ["starting"], { state: "failed", reason }, stopped(row.id, "failed"));
      if (error instanceof PerchError) throw error;
      throw new PerchError(
        "phone_unavailable",
        "The phone did not start. Try again; if it fails again, ask who runs the server.",
        {
          cause: error,
        },
      );
    }
    const now = new Date(clock.now());
    lastUse.set(row.id, clock.now());
    warned.delete(row.id);
    hands.hold(row.id, driver);
    return move(
      row.id,
      ["starting"],
      { state: "running", reason: null, startedAt: now, lastUsedAt: now, ...screenOf(driver, row.id) },
      {
        entry: () => ({ actor, action: "phone.started", object: row.id }),
        meter: (tx) => metering.opened(tx, start),
      },
    );
  }

  async function parkNow(id: PhoneId, reason: PhoneReason, actor: string): Promise<PhoneRow> {
    const row = await repo.findAnywhere(id);
    if (row === undefined || row.state === "removed") throw noSuchPhone();
    demandHere(row);
    if (row.state === "parked") return row;
    await move(
      id,
      ["creating", "starting", "running", "parking", "failed"],
      { state: "parking" },
      // Its time ended when it did, not now.
      stopped(id, unrecorded.get(id)?.type === "ended" ? "failed" : "parked"),
    );
    hands.drop(id);
    options.listener().ended(id, "parked", reason);
    lastUse.delete(id);
    try {
      await driverOf(row).park(id);
    } catch (error) {
      log.error("A phone did not park", { phoneId: id, ...errorFields(error) });
      const lost = row.unreachableSince === null ? undefined : (row.reason ?? undefined);
      await move(id, ["parking"], { state: "failed", reason: lost ?? "browser_crashed", startedAt: null });
      const words =
        lost === undefined
          ? "The phone did not stop cleanly. Try to park it again."
          : "The phone is out of reach and may still run. It is parked when it is found.";
      throw new PerchError("phone_unavailable", words, { cause: error });
    }
    const parked = await move(
      id,
      ["parking"],
      { state: "parked", reason, startedAt: null },
      { entry: () => ({ actor, action: "phone.parked", object: id, detail: { reason } }) },
    );
    // In a turn of its own: who asked need not wait for it, and a start does.
    if (row.driver === "web" && !node.alone) {
      void alone(id, "A parked phone was not kept for other nodes", () => archive.archive(id));
    }
    return parked;
  }

  async function onEnded(id: PhoneId, reason: PhoneReason): Promise<void> {
    const row = await repo.findAnywhere(id);
    if (row === undefined || row.state !== "running" || !isHere(node, row)) return;
    // The end of an earlier life: the phone was parked and started again while this waited its turn.
    if ((await driverOf(row).state(id)) === "running") return;
    hands.drop(id);
    options.listener().ended(id, "failed", reason);
    const failed = await move(id, ["running"], { state: "failed", reason, startedAt: null }, stopped(id, "failed"));
    const crashedBefore = crashes.get(id) ?? Number.NEGATIVE_INFINITY;
    crashes.set(id, clock.now());
    if (reason === "browser_crashed" && clock.now() - crashedBefore > CRASH_WINDOW_MS) {
      await startNow(failed, undefined, SERVER).catch((error: unknown) => {
        log.warn("A crashed phone did not come back", { phoneId: id, ...errorFields(error) });
      });
    }
  }

  const heard = (event: DriverEvent): (() => Promise<void>) | undefined => {
    if (event.type === "ended") return () => onEnded(event.phoneId, event.reason);
    if (event.type === "lost") return () => loss.lost(event.phoneId, event.reason);
    return event.type === "found" ? () => loss.found(event.phoneId) : undefined;
  };
  /** Records it, or keeps it for the next tick. */
  async function record(event: DriverEvent): Promise<void> {
    const work = heard(event);
    if (work === undefined) return;
    const { phoneId, type } = event;
    try {
      await inTurn(phoneId, async () => {
        if (closing) return;
        unrecorded.set(phoneId, event);
        if (!node.mayAct()) return;
        await work();
        unrecorded.delete(phoneId);
      });
    } catch (error) {
      log.error("What happened to a phone could not be recorded yet", { phoneId, what: type, ...errorFields(error) });
    }
  }
  drivers.onEvent((event) => void record(event));

  async function wipe(row: PhoneRow, actor: string, keep?: ReceiptKeeper): Promise<WipeReceipt> {
    const receipt = await driverOf(row)
      .remove(row.id)
      .catch((error: unknown) => {
        if (!(error instanceof PerchError) || error.code !== "phone_unavailable") throw error;
        throw new PerchError("phone_unavailable", WIPED_LATER, { cause: error });
      });
    if (row.driver === "web" && !node.alone) await archive.remove(row.id);
    if (!receipt.verifiedAbsent)
      throw new PerchError("unavailable", "The phone's data could not be wiped completely. Try again.");
    await db.tx(async (tx) => {
      await repo.delete(tx, row.id);
      await copies.gone(tx, row.id);
      await keep?.(tx, receipt);
      await audit.record(tx, {
        chain: row.teamId,
        actor,
        action: "phone.removed",
        object: row.id,
        detail: { files: receipt.files, bytes: receipt.bytes },
      });
    });
    lastUse.delete(row.id);
    warned.delete(row.id);
    crashes.delete(row.id);
    wipes.done(row.id);
    if (row.driver === "web") void copies.announce(row.id);
    return receipt;
  }

  /** Work of the server itself on one phone: its failure is logged and stops nothing else. */
  async function alone(id: PhoneId, what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await inTurn(id, work);
    } catch (error) {
      log.warn(what, { phoneId: id, ...errorFields(error) });
    }
  }

  /** Its node wipes it as soon as it can; until then it is only hidden. */
  async function removeElsewhere(row: PhoneRow, actor: string): Promise<never> {
    await db.tx(async (tx) => {
      const hidden = { state: "removed", removedAt: new Date(clock.now()), unreachableSince: null } as const;
      const changed = await repo.change(tx, row.id, [...ACTIVE_STATES, "parked", "failed"], hidden);
      if (changed === undefined) return;
      await metering.closed(tx, row.id, "removed");
      await publish(tx, changed);
      await audit.record(tx, { chain: row.teamId, actor, action: "phone.hidden", object: row.id });
    });
    events.wake(row.teamId);
    throw new PerchError("phone_unavailable", WIPED_LATER);
  }

  const recovery = createRecovery({
    ...{ ...parts, db, loss, alone, node, copies, turns },
    startAgain: (row) => startNow(row, undefined, SERVER),
    tend: (id) => tending.tend(id),
  });
  const tending = createTending({
    ...{ ...parts, db, events, loss, alone, turns, wipes, warned, limits, parksAt, node },
    park: parkNow,
    wipe: (row) => wipe(row, SERVER),
  });

  return {
    start: (row, url, actor, admit) =>
      inTurn(row.id, async () => {
        const current = await repo.findAnywhere(row.id);
        if (current === undefined || current.state === "removed") throw noSuchPhone();
        demandHere(current);
        if (current.state === "running") {
          if (url !== undefined) await driverOf(current).openUrl(current.id, url);
          return current;
        }
        return startNow(current, url, actor, current.state === "creating" ? undefined : admit);
      }),
    park: (id, reason, actor) => inTurn(id, () => parkNow(id, reason, actor)),
    remove: (row, actor, keep) =>
      inTurn(row.id, async () => {
        const current = await repo.findAnywhere(row.id);
        if (current === undefined) throw noSuchPhone();
        if (current.nodeId !== null && !isHere(node, current)) return removeElsewhere(current, actor);
        const gone = await move(
          row.id,
          ["creating", "starting", "running", "parking", "parked", "failed", "removed"],
          { state: "removed", removedAt: new Date(clock.now()) },
          stopped(row.id, "removed"),
        );
        hands.drop(row.id);
        options.listener().ended(row.id, "removed", "asked");
        return wipe(gone, actor, keep);
      }),
    used(id) {
      lastUse.set(id, clock.now());
    },
    async warnOfCover({ id, teamId }, parksAt) {
      const until = parksAt && { parksAt: parksAt.toISOString() };
      const event: PhoneEvent = { type: "cover_warning", phoneId: id, ...until };
      await db.tx((tx) => events.publish(tx, teamId, event));
      events.wake(teamId);
      options.listener().coverWarning(id, parksAt);
    },
    parksAt,
    runningDriver: hands.driver,
    rotate: (id, actor) =>
      inTurn(id, async () => {
        const { rotated } = await hands.driver(id).rotate(id);
        lastUse.set(id, clock.now());
        return move(
          id,
          ["running"],
          { rotated },
          { entry: () => ({ actor, action: "phone.configured", object: id, detail: { rotated } }) },
        );
      }),
    publish,
    recover: recovery.recover,
    adopt: recovery.adopt,
    adoptMissed: recovery.adoptMissed,
    leave: recovery.leave,
    async fence() {
      const active = hands.all();
      await Promise.all(
        active.map(async ([id, driver]) => {
          hands.drop(id);
          lastUse.delete(id);
          listener().ended(id, "failed", "server_stopped");
          // An Android goes on by itself; whoever has it next takes it up.
          if (driver.kind === "web") await driver.park(id);
          else await driver.letGo?.(id);
        }),
      );
    },
    async handOver(row, to) {
      await inTurn(row.id, async () => {
        const driver = driverOf(row);
        const given = await move(
          row.id,
          ["running", "parked", "failed"],
          { nodeId: to },
          {
            async meter(tx) {
              if (row.driver === "web") await copies.moved(tx, row, node.id, to);
              await metering.closed(tx, row.id, "lost");
            },
          },
        );
        hands.drop(row.id);
        lastUse.delete(row.id);
        listener().ended(row.id, given.state, "server_stopped");
        await driver.letGo?.(row.id);
      });
    },
    async tick() {
      const late = [...unrecorded.values()].filter(({ phoneId }) => !turns.isBusy(phoneId));
      await Promise.all(late.map(record));
      await tending.tick();
    },
    async close() {
      closing = true;
      const active = await repo.inStatesAnywhere(["creating", "starting", "running", "parking"], ownerOf(node));
      await Promise.allSettled(active.map((row) => inTurn(row.id, () => parkNow(row.id, "server_stopped", SERVER))));
    },
  };
}

/** Drivers say more with their errors than a code where they can: `reason`, one of `PHONE_REASONS`. */
function whyNotStarted(driver: PhoneDriver, error: unknown): PhoneReason {
  if (!(error instanceof PerchError)) return "start_failed";
  const said = "reason" in error ? PHONE_REASONS.find((reason) => reason === error.reason) : undefined;
  if (said !== undefined) return said;
  return driver.kind === "web" && error.code === "phone_unavailable" ? "no_browser" : "start_failed";
}
