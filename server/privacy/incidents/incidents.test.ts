import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type IncidentId, newId, type TeamId, type UserId } from "../../../shared/ids.ts";
import type { IncidentScope } from "../../../shared/incidents.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { SUPPORT_EMAIL, startDeskParts } from "../desk-parts.fixture.ts";
import { asHtml, asMarkdown, authorityForm } from "./authority-form.ts";
import { createBreachScope } from "./breach-scope.repo.ts";
import { HOUR_MS } from "./incident-clock.ts";
import { createIncidentsRepo } from "./incidents.repo.ts";
import { createIncidentDesk, INCIDENT_NOTIFY_JOB } from "./incidents.service.ts";

const TEXT = {
  what: "A backup was read by a stranger.",
  consequences: "You may get mail that pretends to be ours.",
  measures: "The backup was moved and its key changed.",
  todo: "Be careful with mail that asks for your password.",
};

describe.each(TEST_ENGINES)("the breach desk on $name", ({ open }) => {
  let opened: TestDatabase;
  let parts: ReturnType<typeof startDeskParts>;
  let desk: ReturnType<typeof createIncidentDesk>;
  const people: Record<string, UserId> = {};
  let teams: readonly [TeamId, TeamId];
  const at = (hours: number) => new Date(parts.clock.now() + hours * HOUR_MS);

  beforeAll(async () => {
    opened = await open();
    const { db } = opened;
    parts = startDeskParts(db);
    desk = createIncidentDesk({
      ...parts,
      ...{ repo: createIncidentsRepo(db), breachScope: createBreachScope(db), supportEmail: SUPPORT_EMAIL },
    });
    for (const name of ["ada", "ben", "cem", "dora", "eve"]) people[name] = await parts.person(name);
    teams = [newId("team"), newId("team")];
    const now = at(0);
    await db.tx(async (tx) => {
      const { teams: table, teamMembers, teamInvitations, sessions } = db.t;
      for (const id of teams) await tx.insert(table).values({ id, name: "T", createdAt: now });
      const { ada, ben, cem } = await named();
      await tx.insert(teamMembers).values([
        { teamId: teams[0], userId: ada, role: "owner", joinedAt: now },
        { teamId: teams[0], userId: ben, role: "viewer", joinedAt: now },
        { teamId: teams[1], userId: cem, role: "owner", joinedAt: now },
      ]);
      // Ada's session is of the window, Ben's is older, Cem's has no address any more.
      const session = { createdAt: now, authenticatedAt: now, idleExpiresAt: now, absoluteExpiresAt: now };
      const kinds = { kind: "extension", method: "password" } as const;
      const seen = [
        { ...session, ...kinds, id: newId("session"), tokenHash: "a", userId: ada, ip: "192.0.2.1", seenAt: at(-1) },
        { ...session, ...kinds, id: newId("session"), tokenHash: "b", userId: ben, ip: "192.0.2.2", seenAt: at(-50) },
        { ...session, ...kinds, id: newId("session"), tokenHash: "c", userId: cem, ip: null, seenAt: at(-1) },
      ];
      for (const row of seen) await tx.insert(sessions).values(await db.keys.row(tx, sessions, row));
      const invitation = {
        role: "viewer",
        emailShown: "shown",
        tokenHash: "x",
        createdAt: at(-1),
        expiresAt: now,
      } as const;
      await tx.insert(teamInvitations).values([
        {
          ...invitation,
          id: newId("invitation"),
          teamId: teams[0],
          email: "dora@x.example",
          emailIndex: "dora@x.example",
          invitedBy: ada,
        },
        {
          ...invitation,
          id: newId("invitation"),
          teamId: teams[1],
          email: "stranger@y.example",
          emailIndex: "stranger@y.example",
          invitedBy: cem,
          tokenHash: "y",
        },
      ]);
    });
  });
  afterAll(() => opened.dispose());

  async function named() {
    const { ada, ben, cem, dora, eve } = people;
    if (!ada || !ben || !cem || !dora || !eve) throw new Error("Nobody is there.");
    return { ada, ben, cem, dora, eve };
  }

  /** Names and categories of whom an exposure concerns. */
  async function concerned(exposed: Pick<IncidentScope, "columns" | "only"> & { from?: Date; to?: Date }) {
    const id = await desk.open({ title: "Test", awareAt: at(0), drill: true }, "test");
    const view = await desk.scope(id, exposed, "test");
    const { incidentPeople } = opened.db.t;
    const rows = await opened.db.read.select().from(incidentPeople).where(eq(incidentPeople.incidentId, id));
    const nameOf = (userId: UserId) => Object.keys(people).find((name) => people[name] === userId) ?? userId;
    expect(view.incident.peopleCount).toBe(rows.length);
    return {
      id,
      found: view.incident.scope?.found,
      people: Object.fromEntries(rows.map(({ userId, categories }) => [nameOf(userId), [...categories].sort()])),
    };
  }

  it("finds exactly whom an exposed column concerns, and with which categories", async () => {
    const { people: all } = await concerned({ columns: [{ table: "sessions", columns: ["ip"] }] });
    expect(all).toEqual({ ada: ["user.device.ip_address"], ben: ["user.device.ip_address"] });
    const hours = { from: at(-2), to: at(0) };
    const { people: late, found } = await concerned({ columns: [{ table: "sessions", columns: ["ip"] }], ...hours });
    expect(late).toEqual({ ada: ["user.device.ip_address"] });
    expect(found).toEqual({
      ...{ records: 1, addressesWithoutAccount: 0 },
      categories: { "user.device.ip_address": 1 },
    });
  });

  it("follows addresses and whom rows name beside, and counts addresses without an account", async () => {
    const { people: named, found } = await concerned({
      columns: [{ table: "teamInvitations", columns: ["email", "invitedBy"] }],
    });
    expect(named).toEqual({
      ...{ dora: ["user.contact.email"], ada: ["user.unique_id"], cem: ["user.unique_id"] },
    });
    expect(found).toMatchObject({ records: 1, addressesWithoutAccount: 1 });
  });

  it("adds up categories over tables, and names nobody for columns that are not personal", async () => {
    const { people: both } = await concerned({
      columns: [
        { table: "users", columns: ["email"] },
        { table: "sessions", columns: ["ip"] },
      ],
      only: { users: [people["ada"] ?? "", people["cem"] ?? ""] },
    });
    expect(both).toEqual({ ada: ["user.contact.email", "user.device.ip_address"], cem: ["user.contact.email"] });
    expect((await concerned({ columns: [{ table: "events", columns: "all" }] })).people).toEqual({});
  });

  it("counts an address beside the id of a person as that person's, and somebody else's id as theirs", async () => {
    const { ada, ben } = await named();
    const { mailOutbox, auditLog } = opened.db.t;
    await opened.db.tx(async (tx) => {
      const mail = { kind: "reset", state: "waiting", createdAt: at(-1) } as const;
      await tx
        .insert(mailOutbox)
        .values({ ...mail, id: "m1", userId: ada, recipient: "ada@x.example", recipientIndex: "ada@x.example" });
      await tx
        .insert(mailOutbox)
        .values({ ...mail, id: "m2", userId: null, recipient: "dora@x.example", recipientIndex: "dora@x.example" });
      await parts.audit.record(tx, { chain: "server", actor: ada, action: "account.signed_in", object: ben });
    });
    const mails = await concerned({ columns: [{ table: "mailOutbox", columns: ["recipient"] }] });
    expect(mails.people).toEqual({ ada: ["user.contact.email"], dora: ["user.contact.email"] });
    const log = await concerned({ columns: [{ table: "auditLog", columns: ["actor", "object"] }] });
    expect(Object.keys(log.people).sort()).toEqual(["ada", "ben"]);
    await opened.db.tx(async (tx) => {
      await tx.delete(mailOutbox);
      await tx.update(auditLog).set({ at: null, actor: null, object: null, detail: null, salt: null });
    });
  });

  it("keeps to teams: by the row's team where it has one, else by who is a member", async () => {
    const [first] = teams;
    const rows = await concerned({ columns: [{ table: "teamInvitations", columns: "all" }], only: { teams: [first] } });
    expect(Object.keys(rows.people).sort()).toEqual(["ada", "dora"]);
    const members = await concerned({ columns: [{ table: "users", columns: "all" }], only: { teams: [first] } });
    expect(Object.keys(members.people).sort()).toEqual(["ada", "ben"]);
    const names = await concerned({ columns: [{ table: "teams", columns: ["name"] }] });
    expect(names.people).toEqual({
      ...{ ada: ["user.content.private"], ben: ["user.content.private"], cem: ["user.content.private"] },
    });
  });

  it("refuses tables and columns the data map does not know", async () => {
    await expect(concerned({ columns: [{ table: "user", columns: "all" }] })).rejects.toThrow(
      "There is no table user.",
    );
    await expect(concerned({ columns: [{ table: "users", columns: ["mail"] }] })).rejects.toThrow("no column mail");
    await expect(concerned({ columns: [] })).rejects.toThrow("at least one table");
  });

  async function ready(drill: boolean): Promise<IncidentId> {
    const id = await desk.open({ title: "A backup was read", awareAt: at(0), drill }, "found it");
    await expect(desk.notify(id, "r")).rejects.toThrow("First find out");
    await desk.scope(id, { columns: [{ table: "users", columns: ["email"] }] }, "r");
    await expect(desk.notify(id, "r")).rejects.toThrow("--what");
    await desk.describe(id, TEXT, "r");
    await desk.notify(id, "r");
    return id;
  }
  const mails = async () => {
    const { mailOutbox } = opened.db.t;
    const rows = await opened.db.read.select().from(mailOutbox).where(eq(mailOutbox.kind, "breach"));
    return rows.map(({ recipient }) => recipient).sort();
  };

  it("a drill goes the whole way, writes to nobody and leaves nobody's row", async () => {
    const id = await ready(true);
    await desk.tell({ id }, parts.jobContext());
    const { told, incident } = await desk.get(id);
    expect(told).toMatchObject({ sent: 5, waiting: 0, queued: 0 });
    expect(incident).toMatchObject({ peopleCount: 5, state: "notified" });
    expect(await mails()).toEqual([]);
    expect(await desk.noticesFor((await named()).ada)).toEqual([]);
    await desk.close(id, "drill over");
    const { incidentPeople } = opened.db.t;
    expect(await opened.db.read.select().from(incidentPeople).where(eq(incidentPeople.incidentId, id))).toEqual([]);
  });

  it("tells everybody once, goes on after a stop, and closes when everybody and the authority know", async () => {
    const { ada, eve } = await named();
    const id = await ready(false);
    expect((await desk.noticesFor(eve))[0]).toMatchObject({ id, what: TEXT.what, categories: ["E-mail address"] });
    const { jobs } = opened.db.t;
    const left = (await opened.db.read.select().from(jobs)).filter(({ kind }) => kind === INCIDENT_NOTIFY_JOB);
    expect(left.at(-1)?.input).toEqual({ id });
    // Killed after the first batch, and begun again twice.
    await expect(desk.tell({ id }, parts.jobContext(1))).rejects.toThrow("stopped");
    await desk.tell({ id }, parts.jobContext());
    await desk.tell({ id }, parts.jobContext());
    expect(await mails()).toEqual(Object.keys(people).map((name) => `${name}@x.example`));
    await expect(desk.close(id, "r")).rejects.toThrow("not told yet");

    await parts.settleMail((to) => to.startsWith("ben"), "550");
    await parts.settleMail((to) => /^(cem|dora)/.test(to));
    await desk.noticesFor(ada);
    await desk.tick();
    expect((await desk.get(id)).told).toEqual({ waiting: 0, queued: 1, sent: 2, failed: 1, shown: 1 });
    expect((await desk.unreached(id, "call them")).map(({ email }) => email)).toEqual(["ben@x.example"]);
    const { auditLog } = opened.db.t;
    const looks = await opened.db.read.select().from(auditLog).where(eq(auditLog.action, "admin.account_read"));
    expect(looks.map(({ object }) => object)).toEqual([people["ben"]]);

    // Eve's mail still waits for the mail server when the 72 hours end: red, until she knows.
    parts.clock.advance(72 * HOUR_MS);
    expect((await desk.get(id)).clock).toMatchObject({ red: true, authorityLate: true });
    await parts.settleMail((to) => to.startsWith("eve"));
    await desk.tick();
    const late = await desk.get(id);
    expect(late).toMatchObject({ clock: { red: false, authorityLate: true }, toldLate: 1 });
    expect(late.incident.state).toBe("notified");
    await expect(desk.close(id, "r")).rejects.toThrow("The authority was not told");

    const form = authorityForm(late, { publicUrl: parts.publicUrl, contact: SUPPORT_EMAIL }, parts.clock.now());
    const words = asMarkdown(form);
    for (const part of [
      TEXT.what,
      TEXT.consequences,
      TEXT.measures,
      SUPPORT_EMAIL,
      "Art. 33(1)",
      "People concerned: 5",
    ])
      expect(words).toContain(part);
    expect(asHtml(form)).toContain("<h2>(c) Likely consequences</h2>");
    await desk.toldAuthority(id, at(0), "sent by post");
    await desk.close(id, "over");
    const [entry] = (await desk.register()).filter(({ incident }) => incident.id === id);
    expect(entry?.incident).toMatchObject({ state: "closed", peopleCount: 5 });
    // Whom no mail reached still sees it, and counts as told then.
    expect(await desk.noticesFor((await named()).ben)).toHaveLength(1);
    expect((await desk.get(id)).told).toMatchObject({ failed: 0, shown: 2 });
  });

  it("alarms the operator once an alarm, by log and by mail, without naming anybody", async () => {
    const { mailOutbox } = opened.db.t;
    const alarms = async () =>
      (await opened.db.read.select().from(mailOutbox).where(eq(mailOutbox.kind, "operator_notice"))).map(
        ({ recipient }) => recipient,
      );
    const before = (await alarms()).length;
    const id = await desk.open({ title: "Lost laptop", awareAt: at(0), drill: false }, "r");
    parts.lines.length = 0;
    for (let hour = 0; hour < 75; hour += 1) {
      parts.clock.advance(HOUR_MS);
      await desk.tick();
    }
    expect((await alarms()).slice(before)).toEqual(Array.from({ length: 5 }, () => SUPPORT_EMAIL));
    expect(parts.lines.filter((line) => line.includes(id))).toHaveLength(5);
    expect(parts.lines.join("")).not.toContain("@");
    await desk.scope(id, { columns: [{ table: "events", columns: "all" }] }, "nobody");
    await desk.close(id, "r", "Nothing of anybody was on it.");
    expect((await desk.get(id)).incident.measures).toContain("Nothing of anybody");
  });
});
