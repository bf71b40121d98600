import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SCOPES } from "../../shared/access.ts";
import { newId } from "../../shared/ids.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { SIGNALS } from "./signals.ts";

let server: TestServer;
let person: TestPerson;
let launches = 0;
beforeAll(async () => {
  server = await startTestServer({ RUNNING_PER_TEAM: "100", RUNNING_PHONES: "100" });
});
afterAll(() => server.dispose());
beforeEach(async () => {
  server.clock.advance(60_000);
  person = await signIn(server);
});

const decide = async (action: "hold" | "verify_first") => {
  const id = newId("decision");
  await server.db.tx((tx) =>
    tx.insert(server.db.t.decisions).values({
      ...{ id, userId: person.userId, kind: "sign_up", action, state: "in_force", score: 90 },
      ...{ signals: [{ signal: "mailbox_seen_often", weight: 45 }], createdAt: new Date(server.clock.now()) },
    }),
  );
  return id;
};
const launch = (token: string, idempotencyKey = `launch-key-${launches++}`) =>
  call(server, "mutation", "phones.launch", { idempotencyKey }, token);
const codeOf = (answer: Awaited<ReturnType<typeof launch>>) => (answer.ok ? "launched" : answer.error.code);

describe("ABUSE-38 a launch over HTTP", () => {
  it("ABUSE-38 is refused to who is held, in words, until the operator lifts it; what they have goes on", async () => {
    const first = await launch(person.token, "before-the-hold");
    const id = await decide("hold");
    const refused = await launch(person.token);
    expect(refused).toMatchObject({ ok: false, status: 403, error: { code: "held_for_review" } });
    const message = refused.ok ? "" : refused.error.message;
    expect(message).toContain(SIGNALS.mailbox_seen_often.words);
    expect(message).toContain(`${server.url}/account/standing`);
    const token = await apiToken(server, person, SCOPES);
    expect(codeOf(await launch(token))).toBe("held_for_review");
    expect(await launch(person.token, "before-the-hold")).toEqual(first);
    const { phones } = server.db.t;
    expect((await server.db.read.select().from(phones)).filter(({ teamId }) => teamId === person.teamId)).toHaveLength(
      1,
    );
    expect(await call(server, "query", "account.standing", undefined, person.token)).toMatchObject({
      data: [{ id, action: "hold", reasons: [SIGNALS.mailbox_seen_often.words] }],
    });
    await server.accounts.standing.review(id, "lifted", "A class.");
    expect(codeOf(await launch(token))).toBe("launched");
  });

  it("ABUSE-38 waits for a proof that is newer than the doubt, which an API token cannot give", async () => {
    await decide("verify_first");
    expect(codeOf(await launch(person.token))).toBe("step_up_required");
    const token = await apiToken(server, person, SCOPES);
    expect(codeOf(await launch(token))).toBe("step_up_required");
    server.clock.advance(1_000);
    const proof = { authenticatedAt: new Date(server.clock.now()), method: "password" } as const;
    const renewed = await server.db.tx((tx) =>
      server.accounts.sessions.renew(tx, { userId: person.userId, id: person.sessionId }, proof),
    );
    expect(codeOf(await launch(renewed ?? ""))).toBe("launched");
    expect(codeOf(await launch(token))).toBe("launched");
  });
});
