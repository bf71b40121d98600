/** What people do with phones. Every method takes the `TeamScope` of a caller who was checked. */

import type { z } from "zod";
import { newId, type PhoneId, phoneId as phoneIdSchema, type TeamId } from "../../shared/ids.ts";
import {
  DEFAULT_PROFILE,
  type DriverKind,
  deviceProfile,
  type launchInput,
  outOfReachWords,
  type Phone,
  type PhoneApp,
  type PhoneEvent,
  type PhoneFile,
  type PhoneModel,
  type PhoneSettings,
  type Screenshot,
  type WipeReceipt,
} from "../../shared/phones.ts";
import type { RuleEvent } from "../../shared/rules-api.ts";
import type { Audit, AuditAction } from "../audit/audit.repo.ts";
import type { Metering } from "../billing/ports.ts";
import type { Clock } from "../clock.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Events } from "../events/events.repo.ts";
import type { Idempotency } from "../limits/idempotency.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { PhoneDriver } from "./driver.ts";
import type { Drivers } from "./drivers.ts";
import { noSuchPhone, type PhoneLifecycle } from "./phone-lifecycle.ts";
import { chooseModel, numbered } from "./phone-models.ts";
import { phoneView } from "./phone-view.ts";
import type { PhoneRow, PhonesRepo } from "./phones.repo.ts";
import { isBeingDrained, ownerOf, type PhonesNode } from "./phones-node.ts";

export interface PhoneLimits {
  readonly perTeam: number;
  readonly runningPerTeam: number;
  /** Of web phones. */
  readonly runningOnMachine: number;
  readonly movingOnMachine: number;
}

/** Who may launch at all, beside the limits: the rules against abuse. */
export interface LaunchGate {
  /** Throws what keeps the person from launching; `provenAt`: when they last proved who they are, if a person asks. */
  demandLaunch(tx: Writer, scope: TeamScope, provenAt: Date | undefined): Promise<void>;
  /** A launch goes through. */
  launched(tx: Writer, scope: TeamScope): Promise<void>;
}

/** What is done to an app, and how the activity log calls it. */
const APP_ACTIONS = {
  launch: "phone.app_opened",
  stop: "phone.app_stopped",
  clear: "phone.app_cleared",
  uninstall: "phone.app_removed",
} as const satisfies Record<string, AuditAction>;
export type AppAction = keyof typeof APP_ACTIONS;

export interface PhonesService {
  list(scope: TeamScope): Promise<Phone[]>;
  get(scope: TeamScope, id: PhoneId): Promise<Phone>;
  /** Makes and starts a phone. The same idempotency key gives the same phone. */
  launch(scope: TeamScope, input: z.output<typeof launchInput>, provenAt?: Date): Promise<Phone>;
  start(scope: TeamScope, id: PhoneId, url?: string): Promise<Phone>;
  park(scope: TeamScope, id: PhoneId): Promise<Phone>;
  remove(scope: TeamScope, id: PhoneId, idempotencyKey: string): Promise<WipeReceipt>;
  openUrl(scope: TeamScope, id: PhoneId, url: string): Promise<Phone>;
  rename(scope: TeamScope, id: PhoneId, name: string): Promise<Phone>;
  configure(scope: TeamScope, id: PhoneId, settings: PhoneSettings): Promise<Phone>;
  /** Gives a phone these tags and no others. */
  tag(scope: TeamScope, id: PhoneId, tags: readonly string[]): Promise<Phone>;
  rotate(scope: TeamScope, id: PhoneId): Promise<Phone>;
  keepAwake(scope: TeamScope, id: PhoneId): Promise<Phone>;
  screenshot(scope: TeamScope, id: PhoneId): Promise<Screenshot>;
  installWebApp(scope: TeamScope, id: PhoneId, url: string): Promise<{ name: string }>;
  /** What phones can be made of on this server, beside web phones. */
  models(scope: TeamScope): Promise<readonly PhoneModel[]>;
  apps(scope: TeamScope, id: PhoneId): Promise<readonly PhoneApp[]>;
  app(scope: TeamScope, what: AppAction, id: PhoneId, app: string): Promise<Record<never, never>>;
  files(scope: TeamScope, id: PhoneId): Promise<readonly PhoneFile[]>;
  readFile(scope: TeamScope, id: PhoneId, name: string): Promise<ReadableStream<Uint8Array>>;
  removeFile(scope: TeamScope, id: PhoneId, name: string): Promise<void>;
  /** What comes after `after`, or after the moment the promise resolves: nothing between then and the first read is lost. */
  events(
    scope: TeamScope,
    after: number | undefined,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<{ seq: number; data: PhoneEvent | RuleEvent }, void, undefined>>;
  /** A running phone of the team and its driver, or a sentence why not. */
  runningPhone(scope: TeamScope, id: PhoneId): Promise<{ row: PhoneRow; driver: PhoneDriver }>;
  /** A phone of the team, started if it was not running: for work of the server that a person asked for earlier. */
  readyFor(teamId: TeamId, id: PhoneId, actor: string): Promise<{ row: PhoneRow; driver: PhoneDriver }>;
}

export function createPhonesService(options: {
  db: Database;
  repo: PhonesRepo;
  drivers: Drivers;
  lifecycle: PhoneLifecycle;
  events: Events;
  audit: Audit;
  idempotency: Idempotency;
  gate: LaunchGate;
  metering: Metering;
  clock: Clock;
  node: PhonesNode;
  limits: PhoneLimits;
}): PhonesService {
  const { db, repo, drivers, lifecycle, events, audit, idempotency, gate, metering, clock, node, limits } = options;

  const driverOf = drivers.need;
  const view = (row: PhoneRow): Phone => phoneView(row, drivers.of(row.driver)?.capabilities, lifecycle.parksAt(row));
  const find = async (scope: TeamScope, id: PhoneId): Promise<PhoneRow> => {
    const row = await repo.find(scope, id);
    if (row === undefined) throw noSuchPhone();
    return row;
  };
  const running = async (scope: TeamScope, id: PhoneId) => {
    const row = await find(scope, id);
    if (row.state !== "running") {
      throw new PerchError("phone_not_running", `${row.name} is not running. Start it first.`);
    }
    if (row.unreachableSince !== null)
      throw new PerchError("phone_unavailable", outOfReachWords(row.reason ?? undefined));
    return { row, driver: driverOf(row.driver) };
  };
  const record = (tx: Writer, scope: TeamScope, action: AuditAction, id: PhoneId) =>
    audit.record(tx, { chain: scope.teamId, actor: scope.userId, action, object: id });

  /** Only web phones draw and live on this machine; where an Android runs has limits of its own. */
  function refuseBusyMachine(driver: PhoneDriver): void {
    if (node.isDraining()) throw isBeingDrained();
    const moving = driver.kind === "web" ? driver.movingPhones() : 0;
    if (moving >= limits.movingOnMachine) {
      throw new PerchError(
        "limit_reached",
        `This server is busy with ${moving} moving phones. Park one, or try again later.`,
      );
    }
  }
  async function refuseOverLimit(tx: Writer, teamId: TeamId, kind: DriverKind, adding: boolean): Promise<void> {
    const counts = await repo.counts(tx, teamId, ownerOf(node));
    if (adding && counts.team >= limits.perTeam) {
      throw new PerchError(
        "limit_reached",
        `Your team has ${counts.team} phones, which is the most it may keep. Remove one first.`,
      );
    }
    if (counts.teamActive >= limits.runningPerTeam) {
      throw new PerchError(
        "limit_reached",
        `Your team runs ${counts.teamActive} phones, which is the most at once. Park one first.`,
      );
    }
    if (kind === "web" && counts.machineActive >= limits.runningOnMachine) {
      throw new PerchError("limit_reached", "This server runs as many phones as it can. Try again later.");
    }
  }

  /** Starts a phone after counting it against the limits in the transaction that takes its place. */
  function startWithinLimits(row: PhoneRow, url: string | undefined, actor: string): Promise<PhoneRow> {
    return lifecycle.start(row, url, actor, async (tx) => {
      refuseBusyMachine(driverOf(row.driver));
      await refuseOverLimit(tx, row.teamId, row.driver, false);
    });
  }

  async function change(
    scope: TeamScope,
    id: PhoneId,
    action: AuditAction,
    values: Parameters<PhonesRepo["change"]>[3],
  ): Promise<PhoneRow> {
    const row = await db.tx(async (tx) => {
      const changed = await repo.change(
        tx,
        id,
        ["creating", "starting", "running", "parking", "parked", "failed"],
        values,
      );
      if (changed === undefined) throw noSuchPhone();
      await record(tx, scope, action, id);
      await lifecycle.publish(tx, changed);
      return changed;
    });
    events.wake(scope.teamId);
    return row;
  }

  return {
    list: async (scope) => (await repo.list(scope)).map(view),
    get: async (scope, id) => view(await find(scope, id)),
    async launch(scope, input, provenAt) {
      const kind = input.driver ?? "web";
      const driver = driverOf(kind);
      const { idempotencyKey, ...what } = input;
      // Asked before the transaction and judged in it: a call that was answered before gets the same answer.
      const model = await chooseModel(driver, input.model).catch((error: unknown) => ({ refused: error }));
      const call = { scope, procedure: "phones.launch", key: idempotencyKey, input: what };
      const { result, replayed } = await db.tx((tx) =>
        idempotency.once(
          tx,
          call,
          (stored) => phoneIdSchema.parse(stored),
          async () => {
            await gate.demandLaunch(tx, scope, provenAt);
            refuseBusyMachine(driver);
            await refuseOverLimit(tx, scope.teamId, kind, true);
            const { team } = await repo.counts(tx, scope.teamId, ownerOf(node));
            const profile = input.profile ?? DEFAULT_PROFILE;
            if (model !== undefined && "refused" in model) throw model.refused;
            const name = model?.label ?? `${deviceProfile(profile).label} phone`;
            const row = await repo.insert(tx, {
              id: newId("phone"),
              teamId: scope.teamId,
              createdBy: scope.userId,
              name: input.name ?? numbered(name, team + 1),
              driver: kind,
              profile,
              model: model?.id ?? null,
              settings: input.settings ?? {},
              rotated: false,
              state: "creating",
              createdAt: new Date(clock.now()),
              nodeId: node.id,
            });
            const { teamId, userId } = scope;
            await metering.admit(tx, { teamId, phoneId: row.id, startedBy: userId, isNew: true });
            await record(tx, scope, "phone.launched", row.id);
            await gate.launched(tx, scope);
            await lifecycle.publish(tx, row);
            return row.id;
          },
        ),
      );
      events.wake(scope.teamId);
      const row = await find(scope, result);
      if (replayed) return view(row);
      try {
        return view(await lifecycle.start(row, input.url, scope.userId));
      } catch (error) {
        // Nothing half-made stays, and the same key may try again. What cannot be wiped now, `tick` wipes later.
        await lifecycle.remove(row, scope.userId).catch(() => {});
        await db.tx((tx) => idempotency.forget(tx, call));
        throw error;
      }
    },
    async start(scope, id, url) {
      return view(await startWithinLimits(await find(scope, id), url, scope.userId));
    },
    async park(scope, id) {
      await find(scope, id);
      return view(await lifecycle.park(id, "asked", scope.userId));
    },
    async remove(scope, id, key) {
      const call = { scope, procedure: "phones.remove", key, input: id };
      const row = await repo.findToWipe(scope, id);
      const keep = (tx: Writer, receipt: WipeReceipt) => idempotency.once(tx, call, asReceipt, async () => receipt);
      const receipt = row && (await lifecycle.remove(row, scope.userId, keep).catch(unlessGone));
      if (receipt !== undefined) return receipt;
      const { result } = await db.tx((tx) =>
        idempotency.once(tx, call, asReceipt, () => Promise.reject(noSuchPhone())),
      );
      return result;
    },
    async openUrl(scope, id, url) {
      const row = await find(scope, id);
      const started = row.state === "running" ? row : await startWithinLimits(row, url, scope.userId);
      if (row.state === "running") await driverOf(row.driver).openUrl(id, url);
      lifecycle.used(id);
      await db.tx((tx) => record(tx, scope, "phone.opened", id));
      return view(started);
    },
    async rename(scope, id, name) {
      await find(scope, id);
      return view(await change(scope, id, "phone.renamed", { name }));
    },
    async configure(scope, id, settings) {
      await find(scope, id);
      const row = await change(scope, id, "phone.configured", { settings });
      if (row.state === "running") {
        await driverOf(row.driver).configure({
          id,
          profile: deviceProfile(row.profile),
          model: row.model ?? undefined,
          settings,
          rotated: row.rotated,
        });
      }
      return view(row);
    },
    async tag(scope, id, tags) {
      await find(scope, id);
      return view(await change(scope, id, "phone.tagged", { tags: [...new Set(tags)].sort() }));
    },
    async rotate(scope, id) {
      await running(scope, id);
      return view(await lifecycle.rotate(id, scope.userId));
    },
    async keepAwake(scope, id) {
      const { row } = await running(scope, id);
      lifecycle.used(id);
      return view(row);
    },
    async screenshot(scope, id) {
      const { driver } = await running(scope, id);
      const { png, width, height } = await driver.screenshot(id);
      await db.tx((tx) => record(tx, scope, "phone.screenshot_taken", id));
      return { mimeType: "image/png", base64: Buffer.from(png).toString("base64"), width, height };
    },
    async installWebApp(scope, id, url) {
      const row = await find(scope, id);
      if (!driverOf(row.driver).capabilities.installWebApp) {
        throw new PerchError("capability_missing", "This phone cannot install web apps.");
      }
      if (row.state !== "running") await startWithinLimits(row, undefined, scope.userId);
      lifecycle.used(id);
      const installed = await driverOf(row.driver).installWebApp(id, url);
      await db.tx((tx) => record(tx, scope, "phone.web_app_installed", id));
      return installed;
    },
    async models() {
      // What cannot be asked now offers nothing now.
      const all = await Promise.allSettled(drivers.all.map((driver) => driver.models()));
      return all.flatMap((models) => (models.status === "fulfilled" ? models.value : []));
    },
    async apps(scope, id) {
      const { driver } = await running(scope, id);
      return appsOf(driver).list(id);
    },
    async app(scope, what, id, app) {
      const { driver } = await running(scope, id);
      await appsOf(driver)[what](id, app);
      lifecycle.used(id);
      await db.tx((tx) => record(tx, scope, APP_ACTIONS[what], id));
      return {};
    },
    async files(scope, id) {
      const row = await find(scope, id);
      return driverOf(row.driver).files.list(id);
    },
    async readFile(scope, id, name) {
      const row = await find(scope, id);
      const stream = await driverOf(row.driver).files.read(id, name);
      await db.tx((tx) => record(tx, scope, "phone.file_read", id));
      return stream;
    },
    async removeFile(scope, id, name) {
      const row = await find(scope, id);
      await driverOf(row.driver).files.remove(id, name);
      await db.tx((tx) => record(tx, scope, "phone.file_removed", id));
    },
    async events(scope, after, signal) {
      // A number from before a restored backup may lie ahead; waiting for it would miss what comes now.
      const latest = await events.latest(scope.teamId);
      const from = Math.min(after ?? latest, latest);
      return (async function* () {
        for await (const { seq, data } of events.subscribe(scope.teamId, from, signal)) {
          yield { seq, data: asTeamEvent(data) };
        }
      })();
    },
    runningPhone: running,
    async readyFor(teamId, id, actor) {
      const row = await repo.findAnywhere(id);
      if (row === undefined || row.teamId !== teamId || row.state === "removed") throw noSuchPhone();
      const started = row.state === "running" ? row : await startWithinLimits(row, undefined, actor);
      lifecycle.used(id);
      return { row: started, driver: driverOf(started.driver) };
    },
  };
}

/** The topic of a team is written by `PhoneLifecycle.publish`, which writes `PhoneEvent`s, and by rules. */
function asTeamEvent(data: unknown): PhoneEvent | RuleEvent {
  return data as PhoneEvent | RuleEvent;
}

function appsOf({ apps }: PhoneDriver): NonNullable<PhoneDriver["apps"]> {
  if (apps === undefined) throw new PerchError("capability_missing", "Phones of this kind have no apps of their own.");
  return apps;
}

/** Somebody else removed the phone first; the stored answer decides. */
function unlessGone(error: unknown): undefined {
  if (!(error instanceof PerchError) || error.code !== "not_found") throw error;
}

/** Stored under `phones.remove` by `remove` alone. */
function asReceipt(stored: unknown): WipeReceipt {
  return stored as WipeReceipt;
}
