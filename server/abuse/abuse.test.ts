import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TEST_ENGINES, type TestDatabase, testSqlite } from "../db/testing.ts";
import { CHROME, STORIES } from "./labelled.fixture.ts";
import { KIND_WORDS, SIGNALS, SMALL_SERVER_ACCOUNTS, WINDOWS } from "./signals.ts";
import { startAbuse } from "./testing.ts";

const DAY_MS = 24 * 3_600_000;

let test: TestDatabase;
let at: ReturnType<typeof startAbuse>;
const open = async (engine = testSqlite, accounts = 100) => {
  test = await engine.open();
  at = startAbuse(test.db);
  await at.grow(accounts);
};
afterEach(() => test.dispose());

/** Plays a story from its beginning; gives what was done with each sign-up. */
async function play(story: (typeof STORIES)[number]) {
  const outcomes = [];
  for (const signUp of story.signUps) {
    outcomes.push(await at.signUp(signUp));
    at.clock.advance(story.everyMs);
  }
  return outcomes;
}
const FARM = STORIES.find(({ isFarm }) => isFarm) ?? STORIES[0];
if (FARM === undefined) throw new Error("There are no stories.");

describe("ABUSE-38 farms and people who look like them", () => {
  beforeEach(() => open());

  it("ABUSE-38 a farm of a hundred on one /64 gets few accounts that may launch, aliases of a mailbox count as one", async () => {
    const outcomes = await play(FARM);
    const free = outcomes.filter(({ action }) => action === "allow").length;
    const held = outcomes.filter(({ action }) => action === "hold");
    expect(free).toBe(0);
    expect(held.length).toBeGreaterThanOrEqual(90);
    const last = outcomes.at(-1);
    if (last === undefined) throw new Error("Nobody signed up.");
    expect(await at.launch(last.scope, new Date(at.clock.now()))).toBe("held_for_review");
    expect(last.decision?.reasons.slice(0, 2)).toEqual([
      SIGNALS.mailbox_seen_often.words,
      SIGNALS.disposable_address.words,
    ]);
  });

  it("ABUSE-38 no person is held, nearly every farmed account is", async () => {
    const figures = { farmed: 0, found: 0, farmHeld: 0, people: 0, peopleHeld: 0, peopleAsked: 0 };
    for (const story of STORIES) {
      const outcomes = await play(story);
      const held = outcomes.filter(({ action }) => action === "hold").length;
      const asked = outcomes.filter(({ action }) => action === "verify_first").length;
      if (story.isFarm) {
        figures.farmed += outcomes.length;
        figures.found += held + asked;
        figures.farmHeld += held;
      } else {
        expect([story.name, held]).toEqual([story.name, 0]);
        figures.people += outcomes.length;
        figures.peopleHeld += held;
        figures.peopleAsked += asked;
      }
    }
    console.log("sign-ups judged", JSON.stringify(figures));
    // Precision of holding is 1 by the above; these are the floors of recall, and the most who may be bothered.
    expect(figures.farmHeld / figures.farmed).toBeGreaterThanOrEqual(0.75);
    expect(figures.found / figures.farmed).toBeGreaterThanOrEqual(0.95);
    expect(figures.peopleAsked / figures.people).toBeLessThanOrEqual(0.25);
  });
});

describe("who is never held", () => {
  it("is the first account, an operator's account, and anybody on a small server", async () => {
    await open(testSqlite, 0);
    const first = await at.account("first@mailinator.com");
    for (let n = 0; n < 60; n += 1) expect(await at.launch(first)).toBe("launched");
    const outcomes = await play({ ...FARM, signUps: FARM.signUps.slice(0, SMALL_SERVER_ACCOUNTS + 5) });
    const held = outcomes.map(({ action }) => action === "hold");
    // The first account counts too.
    expect(held.indexOf(true)).toBe(SMALL_SERVER_ACCOUNTS - 1);
  });
});

describe.each(TEST_ENGINES)("decisions on $name", (engine) => {
  beforeEach(() => open(engine));
  const doubtful = { email: "one+1@mailinator.com", ip: "192.0.2.1", userAgent: CHROME };
  const heldOne = async () => {
    for (let n = 0; n < 3; n += 1)
      await at.signUp({ ...doubtful, email: `one+${n}@mailinator.com`, form: ["form_skipped"] });
    const outcome = await at.signUp({ ...doubtful, email: "one@mailinator.com", form: ["form_skipped"] });
    const { decision } = outcome;
    if (decision === undefined) throw new Error("Nothing was decided.");
    return { ...outcome, decision };
  };
  const mailsTo = async (recipient: string) =>
    (await at.mail.preview())
      .filter((mail) => mail.recipient === recipient)
      .map(({ subject, text }) => `${subject}\n${text}`);
  const actions = async (chain: string) => {
    const rows = await at.db.read.select().from(at.db.t.auditLog);
    return rows.filter((row) => row.chain === chain).map((row) => row.action);
  };

  it("asks for a proof made after the decision, once", async () => {
    const before = new Date(at.clock.now());
    const { scope, action } = await at.signUp(doubtful);
    expect(action).toBe("verify_first");
    expect(await at.launch(scope, before)).toBe("step_up_required");
    expect(await at.launch(scope)).toBe("step_up_required");
    at.clock.advance(20 * 60_000);
    expect(await at.launch(scope, new Date(before.getTime() + 1_000))).toBe("step_up_required");
    expect(await at.launch(scope, new Date(at.clock.now()))).toBe("launched");
    expect(await at.launch(scope)).toBe("launched");
    expect(await at.standing.list(scope.userId)).toMatchObject([{ action: "verify_first", state: "lifted" }]);
    expect(await actions(scope.teamId)).toEqual(["account.released"]);
  });

  it("tells a person who is held why and what to do, by mail too, and keeps others' decisions from them", async () => {
    const { scope, decision } = await heldOne();
    expect(decision).toMatchObject({ kind: "sign_up", action: "hold", state: "in_force" });
    const [mail = ""] = await mailsTo("one@mailinator.com");
    expect(mail).toContain(KIND_WORDS.sign_up);
    expect(mail).toContain("https://perch.example/account/standing");
    for (const reason of decision.reasons) expect(mail).toContain(reason);
    const stranger = await at.account("stranger@x.example");
    await expect(at.standing.contest(stranger, decision.id, "mine")).rejects.toMatchObject({ code: "not_found" });
    await at.standing.contest(scope, decision.id, "I am a person.");
    await at.standing.contest(scope, decision.id, "I am a person, and this is my only account.");
    expect(await at.standing.list(scope.userId)).toMatchObject([
      { state: "contested", contest: expect.stringContaining("only") },
    ]);
    expect(await at.launch(scope, new Date(at.clock.now() + 1))).toBe("held_for_review");
    expect(await actions(scope.teamId)).toEqual(["account.held", "account.contested", "account.contested"]);
    expect(await at.audit.verify(scope.teamId)).toEqual({ entries: 3 });
  });

  it("is lifted or upheld by the operator, in words and in the log of the person", async () => {
    const { scope, decision } = await heldOne();
    await at.standing.contest(scope, decision.id, "I am a person.");
    const [open] = await at.standing.listOpen("queue of the day");
    expect(open).toMatchObject({ id: decision.id, email: "one@mailinator.com", contest: "I am a person." });
    await at.standing.review(decision.id, "upheld", "The same card as before.");
    expect(await at.launch(scope)).toBe("held_for_review");
    await expect(at.standing.contest(scope, decision.id, "No.")).rejects.toMatchObject({ code: "conflict" });
    await at.standing.review(decision.id, "lifted", "It was a class.");
    await expect(at.standing.review(decision.id, "upheld", "x")).rejects.toMatchObject({ code: "conflict" });
    expect(await at.launch(scope)).toBe("launched");
    const mails = await mailsTo("one@mailinator.com");
    expect(mails.join("\n")).toContain("It was a class.");
    expect(await actions(scope.teamId)).toEqual(["account.held", "account.contested"]);
    // Where the person sees who looked and what was decided (`audit.mine`).
    const about = (await at.db.read.select().from(at.db.t.auditLog)).filter(({ object }) => object === scope.userId);
    const looked = about.filter(({ chain, action }) => chain === "server" && action !== "admin.mail_read");
    expect(looked.map(({ action }) => action)).toEqual([
      ...["admin.account_read", "admin.decision_reviewed", "admin.decision_reviewed", "account.released"],
    ]);
    expect((await at.standing.listOpen("again")).map(({ id }) => id)).not.toContain(decision.id);
  });

  it("asks a new account that launches by the dozen for a proof, and holds it only if its sign-up was doubtful", async () => {
    const honest = (await at.signUp({ ...doubtful, email: "dev@x.example" })).scope;
    const launches = async (scope: typeof honest, count: number) => {
      const codes = [];
      for (let n = 0; n < count; n += 1) codes.push(await at.launch(scope));
      return codes.filter((code) => code !== "launched");
    };
    expect(await launches(honest, 13)).toEqual([]);
    expect(await at.launch(honest)).toBe("step_up_required");
    at.clock.advance(1_000);
    expect(await at.launch(honest, new Date(at.clock.now()))).toBe("launched");
    expect(await launches(honest, 50)).toEqual([]);
    expect((await at.standing.list(honest.userId)).map(({ action }) => action)).not.toContain("hold");

    const { scope } = await at.signUp({ ...doubtful, email: "two@mailinator.com" });
    at.clock.advance(1_000);
    const proof = new Date(at.clock.now());
    expect(await at.launch(scope, proof)).toBe("launched");
    await launches(scope, 13);
    at.clock.advance(1_000);
    await at.launch(scope, new Date(at.clock.now()));
    await launches(scope, 40);
    expect(await at.launch(scope, new Date(at.clock.now()))).toBe("held_for_review");
  });

  it("leaves accounts alone once they are older than three days, and reads card outcomes where there are some", async () => {
    const { scope } = await at.signUp({ ...doubtful, email: "three@x.example" });
    at.payments.set(scope.userId, { declinedCards: 4, hasPaid: false, usedMs: 20 * 3_600_000 });
    expect(await at.launch(scope)).toBe("launched");
    expect(await at.standing.list(scope.userId)).toMatchObject([
      { kind: "launch", action: "verify_first", reasons: [SIGNALS.cards_declined.words, SIGNALS.unpaid_use.words] },
    ]);
    const old = (await at.signUp({ ...doubtful, email: "four@x.example" })).scope;
    at.clock.advance(WINDOWS.newcomer.buckets * DAY_MS);
    for (let n = 0; n < 20; n += 1) expect(await at.launch(old)).toBe("launched");
  });

  it("remembers counts for their window only, and nothing that leads to anybody", async () => {
    await at.signUp(doubtful);
    const add = () => at.db.tx((tx) => at.sightings.add(tx, "network", "192.0.2.1"));
    expect(await add()).toBe(2);
    at.clock.advance(DAY_MS - 3_600_000);
    expect(await add()).toBe(3);
    at.clock.advance(3_600_000);
    expect(await add()).toBe(2);
    at.clock.advance(8 * DAY_MS);
    expect(await add()).toBe(1);
    const stored = JSON.stringify(await at.db.read.select().from(at.db.t.abuseCounts));
    for (const secret of ["192.0.2", "mailinator", "Chrome", "usr_"]) expect(stored).not.toContain(secret);
  });
});
