/**
 * The breach desk (Art. 33 and 34 GDPR, clause P7.6): an incident, its 72 hours, whom it concerns, who was told, and the
 * register. A drill goes the whole way and writes to nobody.
 */
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { type IncidentId, incidentId, newId, type UserId } from "../../../shared/ids.ts";
import type { IncidentScope, ToldCounts } from "../../../shared/incidents.ts";
import type { IncidentNotice } from "../../../shared/privacy.ts";
import type { Audit, AuditAction } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { JobHandler, Jobs } from "../../jobs/jobs.service.ts";
import type { Log } from "../../log.ts";
import type { Mail } from "../../mail/mail.service.ts";
import { CATEGORIES, type Category } from "../tags.ts";
import { type BreachScope, checkScope } from "./breach-scope.repo.ts";
import { type IncidentClock, incidentClock } from "./incident-clock.ts";
import { type Concerned, type Incident, type IncidentsRepo, noticeKey } from "./incidents.repo.ts";

export interface Incidents {
  /** What the person was or is to be told; counts as shown. */
  noticesFor(userId: UserId): Promise<IncidentNotice[]>;
}

export interface IncidentView {
  readonly incident: Incident;
  readonly told: ToldCounts;
  readonly clock: IncidentClock;
  /** People told after the 72 hours. */
  readonly toldLate: number;
}
export interface IncidentText {
  readonly what?: string | undefined;
  readonly consequences?: string | undefined;
  readonly measures?: string | undefined;
  readonly todo?: string | undefined;
}
export interface NewIncident extends IncidentText {
  readonly title: string;
  readonly awareAt: Date;
  readonly drill: boolean;
}

export interface IncidentDesk extends Incidents {
  open(input: NewIncident, reason: string): Promise<IncidentId>;
  /** Adds to what is told to people and to the authority. */
  describe(id: IncidentId, text: IncidentText, reason: string): Promise<void>;
  /** Finds out whom it concerns and keeps it; may be done again while the picture gets clearer. */
  scope(
    id: IncidentId,
    exposed: Pick<IncidentScope, "columns" | "only"> & {
      readonly from?: Date | undefined;
      readonly to?: Date | undefined;
    },
    reason: string,
  ): Promise<IncidentView>;
  /** Leaves it to the running server to tell everybody. */
  notify(id: IncidentId, reason: string): Promise<void>;
  toldAuthority(id: IncidentId, at: Date, reason: string): Promise<void>;
  /** @throws PerchError while somebody waits to be told, or the authority, unless it is said why it need not be. */
  close(id: IncidentId, reason: string, authorityNotNeeded?: string): Promise<void>;
  get(id: IncidentId): Promise<IncidentView>;
  /** Art. 33(5): every incident, the newest first. */
  register(): Promise<IncidentView[]>;
  /** Whom no mail reached. They see that the operator looked at their address. */
  unreached(id: IncidentId, reason: string): Promise<Concerned[]>;
  /** Tells people, a batch at a time; begun again after a crash it goes on where it was. */
  readonly tell: JobHandler;
  /** Takes over what became of mails, and gives alarms. */
  tick(): Promise<void>;
}

export const INCIDENT_NOTIFY_JOB = "incident.notify";
/** Rows in one transaction, and the pause that lets other writers in between. */
const WRITTEN_AT_ONCE = 1_000;
const TOLD_AT_ONCE = 200;
const PAUSE_MS = 2;
const SHOWN_MS = 90 * 24 * 3_600_000;

const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });

export function createIncidentDesk(options: {
  db: Database;
  repo: IncidentsRepo;
  breachScope: BreachScope;
  audit: Audit;
  mail: Pick<Mail, "queue" | "wake">;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  clock: Clock;
  log: Log;
  publicUrl: URL;
  /** Where alarms go. */
  supportEmail: string | undefined;
}): IncidentDesk {
  const { db, repo, breachScope, audit, mail, jobs, clock, log, publicUrl } = options;
  const now = () => new Date(clock.now());
  const supportLink = new URL("/support", publicUrl).href;
  const record = (tx: Writer, action: AuditAction, id: IncidentId, detail: Readonly<Record<string, string | number>>) =>
    audit.record(tx, { chain: "server", actor: "operator", action, object: id, detail });

  async function incidentOf(id: IncidentId): Promise<Incident> {
    const incident = await repo.find(id);
    if (incident === undefined) throw new PerchError("not_found", "There is no such incident. See: incident register.");
    return incident;
  }
  async function unclosed(id: IncidentId): Promise<Incident> {
    const incident = await incidentOf(id);
    if (incident.state === "closed") throw new PerchError("conflict", "The incident is closed.");
    return incident;
  }

  async function view(incident: Incident): Promise<IncidentView> {
    const told = await repo.told(incident.id);
    const clocked = {
      ...{ awareAt: incident.awareAt, alarmedHour: incident.alarmedHour, closed: incident.state === "closed" },
      unsettled: isUnsettled(incident, told),
      authorityToldAt: incident.authorityToldAt,
    };
    const dial = incidentClock(clocked, clock.now());
    return { incident, told, clock: dial, toldLate: await repo.toldAfter(incident.id, dial.dueAt) };
  }

  async function keep(id: IncidentId, people: ReadonlyMap<UserId, ReadonlySet<Category>>): Promise<void> {
    const alike = new Map<string, UserId[]>();
    for (const [userId, categories] of people) {
      const key = [...categories].sort().join(" ");
      const those = alike.get(key);
      if (those === undefined) alike.set(key, [userId]);
      else those.push(userId);
    }
    for (const [key, those] of alike) {
      for (let from = 0; from < those.length; from += WRITTEN_AT_ONCE) {
        await db.tx((tx) => repo.addPeople(tx, id, those.slice(from, from + WRITTEN_AT_ONCE), key.split(" "), now()));
        await pause(PAUSE_MS);
      }
    }
  }

  async function remove(id: IncidentId, which: "waiting" | "all"): Promise<void> {
    while (await db.tx((tx) => repo.removePeople(tx, id, which, WRITTEN_AT_ONCE))) await pause(PAUSE_MS);
  }

  /** One batch of people; gives how many. */
  async function tellSome(incident: Incident): Promise<number> {
    const { id, drill } = incident;
    return db.tx(async (tx) => {
      const some = await repo.waiting(tx, id, TOLD_AT_ONCE);
      for (const { userId, email, categories } of drill ? [] : some) {
        await mail.queue(tx, {
          kind: "breach",
          recipient: email,
          userId,
          dedupeKey: noticeKey(id, userId),
          data: {
            what: incident.what ?? incident.title,
            at: `${moment.format(incident.from ?? incident.awareAt)} UTC`,
            categories: categories.map(labelOf).join(", "),
            consequences: incident.consequences ?? "",
            measures: incident.measures ?? "",
            todo: incident.todo ?? "",
            link: supportLink,
          },
        });
      }
      const people = some.map(({ userId }) => userId);
      if (people.length > 0) await repo.setTold(tx, id, people, drill ? "sent" : "queued", now());
      return some.length;
    });
  }

  async function settle(incident: Incident): Promise<void> {
    for (;;) {
      const { sent, failed } = await repo.settled(incident.id, WRITTEN_AT_ONCE);
      if (sent.length + failed.length === 0) break;
      await db.tx(async (tx) => {
        if (sent.length > 0) await repo.setTold(tx, incident.id, sent, "sent", now());
        if (failed.length > 0) await repo.setTold(tx, incident.id, failed, "failed", now());
      });
      await pause(PAUSE_MS);
    }
    if (incident.state !== "notifying") return;
    const { waiting, queued } = await repo.told(incident.id);
    if (waiting + queued === 0) await db.tx((tx) => repo.change(tx, incident.id, { state: "notified" }));
  }

  async function alarm(incident: Incident): Promise<void> {
    const { told, clock: dial } = await view(incident);
    if (dial.alarm === undefined) return;
    const hours = dial.alarm;
    const waiting = told.waiting + told.queued;
    const left = Math.max(0, Math.ceil(dial.hoursLeft));
    const isOver = dial.red || dial.authorityLate;
    log.error(isOver ? "An incident is past its 72 hours" : "An incident runs out of time", {
      incidentId: incident.id,
      count: waiting,
    });
    await db.tx(async (tx) => {
      await repo.change(tx, incident.id, { alarmedHour: hours });
      if (options.supportEmail === undefined) return;
      const drill = incident.drill ? "Drill: " : "";
      const people =
        incident.peopleCount === null ? "Whom it concerns is not known yet." : `${waiting} people wait to be told.`;
      const authority = incident.authorityToldAt === null ? " The authority was not told yet." : "";
      await mail.queue(tx, {
        kind: "operator_notice",
        recipient: options.supportEmail,
        dedupeKey: `incident-alarm:${incident.id}:${hours}`,
        data: {
          subject: `${drill}Incident: ${isOver ? "the 72 hours are over" : `${left} hours left`}`,
          what: `${incident.title}. ${people}${authority}`,
          link: new URL("/operator", publicUrl).href,
        },
      });
    });
    mail.wake();
  }

  return {
    async open({ title, awareAt, drill, ...text }, reason) {
      if (awareAt.getTime() > clock.now()) throw new PerchError("bad_input", "Nobody is aware of what is to come.");
      const id = newId("incident");
      await db.tx(async (tx) => {
        await repo.insert(tx, { id, title, awareAt, drill, ...given(text) });
        await record(tx, "admin.incident_opened", id, { reason });
      });
      return id;
    },
    async describe(id, text, reason) {
      await unclosed(id);
      await db.tx(async (tx) => {
        await repo.change(tx, id, given(text));
        await record(tx, "admin.incident_described", id, { reason });
      });
    },
    async scope(id, { columns, only, from, to }, reason) {
      const incident = await unclosed(id);
      if (incident.state === "notifying")
        throw new PerchError("conflict", "People are being told now. Wait until it is done.");
      checkScope(db, columns);
      const query = { columns, from: from ?? null, to: to ?? null, ...(only !== undefined && { only }) };
      await remove(id, "waiting");
      let records = 0;
      let people = 0;
      const categories: Partial<Record<Category, number>> = {};
      for await (const slice of breachScope.slices(query)) {
        records += slice.records;
        people += slice.people.size;
        for (const of of slice.people.values()) {
          for (const category of of) categories[category] = (categories[category] ?? 0) + 1;
        }
        await keep(id, slice.people);
      }
      const found = { records, categories, addressesWithoutAccount: await breachScope.addressesWithoutAccount(query) };
      await db.tx(async (tx) => {
        const scope: IncidentScope = { columns, ...(only !== undefined && { only }), found };
        await repo.change(tx, id, { state: "scoped", scope, from: query.from, to: query.to, peopleCount: people });
        await record(tx, "admin.incident_scoped", id, { reason, count: people });
      });
      return view(await incidentOf(id));
    },
    async notify(id, reason) {
      const incident = await unclosed(id);
      if (incident.state === "open")
        throw new PerchError("conflict", "First find out whom it concerns: incident scope.");
      const missing = (["what", "consequences", "measures", "todo"] as const).filter((name) => !incident[name]);
      if (missing.length > 0) {
        throw new PerchError(
          "bad_input",
          `People need to read more. Write it with: incident describe --${missing.join(" … --")} ….`,
        );
      }
      await db.tx(async (tx) => {
        await repo.change(tx, id, { state: "notifying" });
        await record(tx, "admin.incident_notified", id, { reason, count: incident.peopleCount ?? 0 });
        await jobs.enqueue(tx, { kind: INCIDENT_NOTIFY_JOB, input: { id }, dedupeKey: `${INCIDENT_NOTIFY_JOB}:${id}` });
      });
      jobs.wake();
    },
    async toldAuthority(id, at, reason) {
      const { awareAt } = await unclosed(id);
      if (at.getTime() > clock.now() || at < awareAt) {
        throw new PerchError("bad_input", "--at must be between becoming aware and now.");
      }
      await db.tx(async (tx) => {
        await repo.change(tx, id, { authorityToldAt: at });
        await record(tx, "admin.incident_authority_told", id, { reason });
      });
    },
    async close(id, reason, authorityNotNeeded) {
      const incident = await unclosed(id);
      const { told } = await view(incident);
      if (isUnsettled(incident, told)) {
        throw new PerchError("conflict", "Somebody is not told yet. See: incident show.");
      }
      if (incident.authorityToldAt === null && authorityNotNeeded === undefined && !incident.drill) {
        throw new PerchError(
          "conflict",
          "The authority was not told. Tell it (incident form, incident told-authority), or say why it need not be: --authority-not-needed.",
        );
      }
      if (incident.drill) await remove(id, "all");
      await db.tx(async (tx) => {
        const { measures } = incident;
        const why = authorityNotNeeded && {
          measures: `${measures ?? ""}\nThe authority was not told: ${authorityNotNeeded}`.trim(),
        };
        await repo.change(tx, id, { state: "closed", closedAt: now(), ...why });
        await record(tx, "admin.incident_closed", id, { reason });
      });
    },
    get: async (id) => view(await incidentOf(id)),
    register: async () => Promise.all((await repo.list()).map(view)),
    async unreached(id, reason) {
      await incidentOf(id);
      return db.tx(async (tx) => {
        const people = await repo.unreached(tx, id);
        for (const { userId } of people) {
          const entry = { chain: "server", actor: "operator", object: userId, detail: { reason } } as const;
          await audit.record(tx, { ...entry, action: "admin.account_read" });
        }
        return people;
      });
    },
    async tell(input, { signal }) {
      const { id } = z.object({ id: incidentId }).parse(input);
      const incident = await repo.find(id);
      if (incident?.state !== "notifying") return;
      while ((await tellSome(incident)) > 0) {
        mail.wake();
        signal.throwIfAborted();
        await pause(PAUSE_MS);
      }
      await settle(incident);
    },
    async tick() {
      for (const incident of await repo.unclosed()) {
        await settle(incident);
        await alarm(incident);
      }
    },
    async noticesFor(userId) {
      const notices = await repo.noticesOf(userId, new Date(clock.now() - SHOWN_MS));
      const untold = notices.filter(({ isTold }) => !isTold).map(({ incident }) => incident.id);
      if (untold.length > 0) await db.tx((tx) => repo.markShown(tx, userId, untold, now()));
      return notices.map(({ incident, categories }) => ({
        id: incident.id,
        at: (incident.from ?? incident.awareAt).toISOString(),
        what: incident.what ?? incident.title,
        todo: incident.todo ?? "",
        categories: categories.map(labelOf),
      }));
    },
  };
}

/** Nobody has counted yet, or somebody waits. A failed mail is an end too: the notice stands in the panel then. */
function isUnsettled({ state, peopleCount }: Incident, { waiting, queued }: ToldCounts): boolean {
  if (state === "closed") return false;
  return peopleCount === null || waiting + queued > 0;
}

function labelOf(category: string): string {
  return Object.entries(CATEGORIES).find(([key]) => key === category)?.[1] ?? category;
}

function given({ what, consequences, measures, todo }: IncidentText) {
  return {
    ...(what !== undefined && { what }),
    ...(consequences !== undefined && { consequences }),
    ...(measures !== undefined && { measures }),
    ...(todo !== undefined && { todo }),
  };
}
