/** Suspending an account or a team: what ends, what stays, who is told, and what brings it back. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { DecisionView } from "../../shared/accounts.ts";
import type { Phone } from "../../shared/phones.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { createStandingScope } from "../teams/team-scope.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { startAbuse } from "./testing.ts";

describe("on a whole server", () => {
  let server: TestServer;
  let ada: TestPerson;
  let desk: ReturnType<TestServer["accounts"]["deskBy"]>;
  beforeAll(async () => {
    server = await startTestServer();
    ada = await signIn(server);
    const audit = createAudit(server.db, server.clock, randomBytes(32));
    desk = server.accounts.deskBy({ ...audit, record: async () => {} });
  });
  afterAll(() => server.dispose());

  async function ask<T>(path: string, input?: unknown, type: "query" | "mutation" = "query", token = ada.token) {
    const answer = await call(server, type, path, input, token);
    return answer.ok ? (answer.data as T) : answer.error.code;
  }
  const launch = (token: string) =>
    ask<Phone>("phones.launch", { idempotencyKey: crypto.randomUUID() }, "mutation", token);
  const decisions = async () => (await ask<DecisionView[]>("account.standing")) as DecisionView[];
  const stateOf = async (id: string) =>
    (await server.db.read.select().from(server.db.t.phones)).find((row) => row.id === id)?.state;

  it("ends an account's phones and calls, tokens' too, and leaves what is one's own; contested and lifted it is as before", async () => {
    const phone = (await launch(ada.token)) as Phone;
    const token = await apiToken(server, ada, ["phones:view", "phones:control"]);
    await desk.suspensions.suspend({ userId: ada.userId }, "Floods a neighbour");
    for (const one of [ada.token, token]) expect(await launch(one)).toBe("held_for_review");
    expect(await ask("phones.list")).toBe("held_for_review");
    await vi.waitFor(async () => expect(await stateOf(phone.id)).toBe("parked"), { timeout: 5_000 });
    expect(await ask("privacy.overview")).toMatchObject({});
    const [decision] = await decisions();
    expect(decision).toMatchObject({ kind: "operator", action: "suspend", reasons: ["Floods a neighbour"] });
    const contest = { decisionId: decision?.id, text: "It was my neighbour who flooded me." };
    expect(await ask("account.contest", contest, "mutation")).not.toBe("forbidden");
    const [open] = await desk.standing.listOpen("the week's look");
    expect(open).toMatchObject({ contest: contest.text, userId: ada.userId });
    await expect(desk.suspensions.suspend({ userId: ada.userId }, "again")).rejects.toMatchObject({ code: "conflict" });
    if (open === undefined) throw new Error("nothing is open");
    await desk.standing.review(open.id, "upheld", "We looked");
    expect(await launch(ada.token)).toBe("held_for_review");
    await desk.standing.review(open.id, "lifted", "We looked again");
    expect(await ask<Phone>("phones.start", { phoneId: phone.id }, "mutation")).toMatchObject({ state: "running" });
    expect((await decisions())[0]).toMatchObject({ state: "lifted" });
    await expect(desk.suspensions.lift({ userId: ada.userId }, "again")).rejects.toMatchObject({ code: "conflict" });
  });

  it("ends a team's phones for everybody in it, who came later too, and nobody's other team", async () => {
    const phone = (await launch(ada.token)) as Phone;
    const { teamId } = ada;
    const ben = await signIn(server, "operator", teamId);
    await desk.suspensions.suspend({ teamId }, "Floods a neighbour");
    const cara = await signIn(server, "operator", teamId);
    for (const one of [ada, ben, cara]) expect(await launch(one.token)).toBe("held_for_review");
    await vi.waitFor(async () => expect(await stateOf(phone.id)).toBe("parked"), { timeout: 5_000 });
    const scopeOf = createStandingScope(server.accounts.memberships);
    expect(await scopeOf(teamId, ben.userId)).toBeUndefined();
    const own = await signIn(server);
    expect(await launch(own.token)).toMatchObject({ state: "running" });
    expect(await scopeOf(own.teamId, own.userId)).toBeDefined();
    const listed = await desk.standing.listOpen("a look");
    expect(listed.map(({ userId }) => userId).sort()).toEqual([ada.userId, ben.userId].sort());
    await desk.suspensions.lift({ teamId }, "Settled");
    expect(await desk.standing.listOpen("a look")).toEqual([]);
    expect(await launch(cara.token)).toMatchObject({ state: "running" });
  });
});

describe.each(TEST_ENGINES)("on $name", (engine) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());

  it("tells each person why by mail, writes who did it down, and asks nothing more at another team's launch", async () => {
    const { account, suspensions, mail, db, launch, standing } = startAbuse(test.db);
    const anna = await account("anna@x.example");
    const { auditLog, users, teams } = db.t;
    await suspensions.suspend({ teamId: anna.teamId }, "Floods a neighbour");
    expect(await standing.list(anna.userId)).toMatchObject([{ reasons: ["Floods a neighbour"], state: "in_force" }]);
    // Teams are told apart by the guard; a suspension of one says nothing about launches in another.
    expect(await launch(anna)).toBe("launched");
    await suspensions.lift({ teamId: anna.teamId }, "Settled");
    await suspensions.suspend({ userId: anna.userId }, "Once more");
    await suspensions.lift({ userId: anna.userId }, "Settled again");
    const texts = (await mail.preview()).map(({ text }) => text).join("\n");
    for (const words of ["Floods a neighbour", "no longer suspended", "Settled again"]) expect(texts).toContain(words);
    const entries = (await db.read.select().from(auditLog)).filter(({ action }) => action.startsWith("admin.susp"));
    expect(entries.map(({ action, object, detail }) => [action, object, detail])).toEqual([
      ["admin.suspended", anna.userId, { reason: "Floods a neighbour", team: anna.teamId }],
      ["admin.suspension_lifted", anna.userId, { reason: "Settled", team: anna.teamId }],
      ["admin.suspended", anna.userId, { reason: "Once more" }],
      ["admin.suspension_lifted", anna.userId, { reason: "Settled again" }],
    ]);
    expect((await db.read.select().from(users))[0]?.suspendedAt).toBeNull();
    expect((await db.read.select().from(teams))[0]?.suspendedAt).toBeNull();
  });
});
