import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { POLICY } from "../../../shared/policy/policy-v1.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { createAudit } from "../../audit/audit.repo.ts";
import { ManualClock } from "../../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { dataFolder } from "../../db/testing-run.ts";
import { startTestServer, type TestServer } from "../../testing.ts";
import { createLiveChecksRepo } from "./live-checks.repo.ts";
import { createLiveChecks, LIVE_CHECKS, type LiveCheckId, type LiveCheckOptions } from "./live-checks.ts";
import { readTestResults } from "./test-results.ts";
import { createTrust } from "./trust.service.ts";

const DAY_MS = 24 * 3_600_000;
const KEY = Buffer.alloc(32, 7);

describe.each(TEST_ENGINES)("what is looked at in a running server, on $name", (engine) => {
  let test: TestDatabase;
  let clock: ManualClock;
  let folder: string;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(() => {
    clock = new ManualClock(Date.UTC(2026, 5, 1));
    folder = dataFolder("perch-trust-");
    writeFileSync(join(folder, "perch.db"), "encrypted bytes that begin with nothing known");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const found = async (more: Partial<LiveCheckOptions> = {}) => {
    const checks = await createLiveChecks({
      repo: createLiveChecksRepo(test.db),
      clock,
      databaseFile: join(folder, "perch.db"),
      backupDir: join(folder, "backups"),
      backupDays: 14,
      transport: "own_tls",
      processors: [],
      auditVerified: () => ({ at: new Date(clock.now()), intact: true }),
      ...more,
    })();
    return Object.fromEntries(checks.map(({ id, state }) => [id, state]));
  };
  const kept = Object.fromEntries(LIVE_CHECKS.map((id) => [id, "kept"]));
  const allButOne = (id: LiveCheckId, state: "broken" | "outside" = "broken") => ({ ...kept, [id]: state });
  const insert = (work: Parameters<typeof test.db.tx>[0]) => test.db.tx(work);

  it("is all kept where nothing is wrong", async () => {
    expect(await found()).toEqual(kept);
  });

  it("says what is broken, one thing at a time", async () => {
    writeFileSync(join(folder, "plain.db"), "SQLite format 3\0");
    expect(await found({ databaseFile: join(folder, "plain.db") })).toEqual(allButOne("at_rest"));
    expect(await found({ databaseFile: undefined })).toEqual(allButOne("at_rest", "outside"));
    expect(await found({ transport: "proxy" })).toEqual(allButOne("in_transit", "outside"));
    expect(await found({ auditVerified: () => undefined })).toEqual(allButOne("audit", "outside"));
    expect(await found({ auditVerified: () => ({ at: new Date(0), intact: false }) })).toEqual(allButOne("audit"));
    expect(await found({ processors: [{ agreement: {} }] })).toEqual(kept);
    expect(await found({ processors: [{ agreement: {} }, {}] })).toEqual(allButOne("processors"));
    mkdirSync(join(folder, "backups/perch-20260501T000000Z"), { recursive: true });
    expect(await found()).toEqual(allButOne("backups"));
  });

  it("notices each clock that ran out", async () => {
    const { db } = test;
    const { dataRequests, erasures, incidents, incidentPeople, policyVersions, billingRecords } = db.t;
    const past = new Date(clock.now() - 31 * DAY_MS);
    const now = new Date(clock.now());
    const userId = newId("user");
    const expectThenClear = async (id: LiveCheckId, clear: () => Promise<unknown>) => {
      expect(await found()).toEqual(allButOne(id));
      await clear();
      expect(await found()).toEqual(kept);
    };

    await insert((tx) =>
      createAudit(db, new ManualClock(clock.now() - 92 * DAY_MS), KEY).record(tx, {
        chain: "server",
        actor: "server",
        action: "server.started",
      }),
    );
    await expectThenClear("activity", () => insert((tx) => tx.delete(db.t.auditLog)));

    const request = {
      kind: "access",
      channel: "mail",
      emailIndex: null,
      receivedAt: past,
      enteredAt: past,
      dueAt: past,
    } as const;
    await insert((tx) =>
      tx.insert(dataRequests).values([
        { id: newId("dataRequest"), number: "DR-1", state: "in_progress", ...request },
        { id: newId("dataRequest"), number: "DR-2", state: "fulfilled", ...request },
      ]),
    );
    await expectThenClear("requests", () => insert((tx) => tx.delete(dataRequests)));

    await insert((tx) =>
      tx.insert(erasures).values({ id: newId("erasure"), state: "purging", askedAt: past, purgeAt: past }),
    );
    await expectThenClear("erasures", () => insert((tx) => tx.delete(erasures)));

    await insert(async (tx) => {
      await addUser(db, tx, { id: userId, email: "a@b.example", createdAt: now });
      for (const drill of [true, false]) {
        const incidentId = newId("incident");
        await tx.insert(incidents).values({ id: incidentId, state: "notifying", drill, title: "A", awareAt: past });
        await tx.insert(incidentPeople).values({ incidentId, userId, categories: [], told: "waiting", at: past });
      }
    });
    await expectThenClear("incidents", () => insert((tx) => tx.update(incidentPeople).set({ told: "sent" })));

    await insert((tx) =>
      tx.insert(policyVersions).values({
        version: 2,
        announcedAt: past,
        noticedAt: past,
        effectiveAt: new Date(past.getTime() + 14 * DAY_MS - 1),
      }),
    );
    await expectThenClear("policy", () => insert((tx) => tx.delete(policyVersions)));

    await insert((tx) => tx.insert(db.t.passwordCredentials).values({ userId, phc: "$2b$10$bcrypt", changedAt: now }));
    await expectThenClear("passwords", () => insert((tx) => tx.delete(db.t.passwordCredentials)));

    await insert((tx) =>
      tx.insert(billingRecords).values({
        ...{ id: newId("billingRecord"), number: "1", country: "DE", currency: "EUR", net: 1, tax: 0, lines: [] },
        ...{ issuedAt: past, legalUntil: past },
      }),
    );
    await expectThenClear("billing_records", () => insert((tx) => tx.delete(billingRecords)));
  });
});

describe("promises and what shows them", () => {
  const live = (state: "kept" | "broken") => async () =>
    LIVE_CHECKS.map((id) => ({ id, state, words: "", at: "2026-06-01T00:00:00.000Z" }));
  const report = (results: Parameters<typeof createTrust>[0]["results"], state: "kept" | "broken" = "kept") =>
    createTrust({ policy: async () => POLICY, live: live(state), results }).report();

  it("are listed all, and nothing counts as kept that was not looked at", async () => {
    const { clauses, tested } = await report(undefined);
    expect(clauses.map(({ id }) => id)).toEqual(POLICY.clauses.map(({ id }) => id));
    expect(tested).toBeUndefined();
    for (const clause of clauses) {
      if (clause.live.length === 0 && clause.attested === undefined)
        expect([clause.id, clause.state]).toEqual([clause.id, "unknown"]);
    }
  });
  it("are broken when a test failed or a look found so, contract or not", async () => {
    const results = (state: "passed" | "failed") => ({
      at: "2026-06-01T00:00:00.000Z",
      version: "0",
      checks: new Proxy<Record<string, "passed" | "failed">>({}, { get: () => state }),
    });
    const states = async (...of: Parameters<typeof report>) =>
      new Set((await report(...of)).clauses.map(({ state }) => state));
    expect(await states(results("passed"))).toEqual(new Set(["kept", "attested"]));
    expect(
      (await report(results("failed"))).clauses
        .filter(({ tests }) => tests.length > 0)
        .every(({ state }) => state === "broken"),
    ).toBe(true);
    expect(
      (await report(results("passed"), "broken")).clauses
        .filter(({ live: looks }) => looks.length > 0)
        .every(({ state }) => state === "broken"),
    ).toBe(true);
  });
  it("take no word from a file that is no list of results", () => {
    const folder = dataFolder("perch-results-");
    mkdirSync(join(folder, "dist"));
    expect(readTestResults(folder)).toBeUndefined();
    writeFileSync(join(folder, "dist/checks.json"), '{"at":"yesterday"}');
    expect(readTestResults(folder)).toBeUndefined();
    rmSync(folder, { recursive: true });
  });
});

describe("the page of promises", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.dispose());
  it("answers anybody, for people and machines", async () => {
    const page = await (await fetch(`${server.url}/trust`)).text();
    for (const { id } of POLICY.clauses) expect(page).toContain(`id="${id}"`);
    const { clauses } = (await (await fetch(`${server.url}/trust.json`)).json()) as { clauses: unknown[] };
    expect(clauses).toHaveLength(POLICY.clauses.length);
  });
});
