import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { call, signIn, startTestServer, type TestServer } from "../testing.ts";
import { REFUSALS_A_MINUTE } from "./refusals.ts";

describe("what is refused", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.dispose());
  beforeEach(() => {
    server.clock.advance(60_000);
    server.lines.length = 0;
  });
  const refused = () =>
    server.lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ message }) => message === "Refused");

  it("stands in the log with the call and the reason, and without who", async () => {
    const owner = await signIn(server);
    const viewer = await signIn(server, "viewer", owner.teamId);
    const answer = await call(server, "mutation", "phones.launch", { idempotencyKey: "a-phone" }, viewer.token);
    if (answer.ok) throw new Error("A viewer launched a phone.");
    const { requestId } = answer.error;
    expect(refused()).toMatchObject([{ level: "warn", requestId, code: "forbidden", procedure: "phones.launch" }]);
    const line = server.lines.join("");
    for (const part of [viewer.token, viewer.userId, viewer.sessionId, "127.0.0.1"]) expect(line).not.toContain(part);
  });
  it("is also a token nobody has, a foreign origin, a body that is no JSON, a file, and a form from elsewhere", async () => {
    const at = (path: string, init: RequestInit = {}) => fetch(server.url + path, init);
    await call(server, "query", "account.me", undefined, `cp_${"A".repeat(43)}`);
    await at("/trpc/account.me", { headers: { origin: "https://evil.example" } });
    await at("/trpc/account.signOut", { method: "POST", body: "a=b" });
    await at("/workspaces/export.zip");
    await at("/sign-out", { method: "POST", headers: { origin: "https://evil.example" } });
    const codes = ["unauthenticated", "forbidden", "unsupported_media_type", "unauthenticated", "forbidden"];
    expect(refused().map(({ code }) => code)).toEqual(codes);
  });
  it("is not what a person got wrong", async () => {
    const { token } = await signIn(server);
    await call(server, "query", "phones.get", { phoneId: "nonsense" }, token);
    await call(server, "query", "account.me", undefined, token);
    expect(refused()).toEqual([]);
  });
  it("does not fill the log, and is counted", async () => {
    for (let n = 0; n < REFUSALS_A_MINUTE + 5; n += 1) await call(server, "query", "account.me", undefined, undefined);
    expect(refused()).toHaveLength(REFUSALS_A_MINUTE);
    server.clock.advance(60_000);
    await call(server, "query", "account.me", undefined, undefined);
    expect(server.lines.join("")).toMatch(/"message":"More was refused","count":5/);
  });
});
