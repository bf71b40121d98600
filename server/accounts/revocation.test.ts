/** Revoking over the wire: a real server, real sockets and real event streams. */
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { connect, TestViewer, until } from "../screen/testing/client.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";

const ORIGIN = `chrome-extension://${CHROME_EXTENSION_ID}`;
const WAITS = "url: https://a.example/\n---\n- extendedWaitUntil:\n    visible: never there\n    timeout: 600000\n";
const WITHIN_MS = 1000;

/** An event stream of a procedure, read until it ends. */
class Stream {
  text = "";
  hasEnded = false;
  readonly #stop = new AbortController();
  constructor(server: TestServer, path: string, input: unknown, token: string) {
    void this.#read(`${server.url}/trpc/${path}?input=${encodeURIComponent(JSON.stringify(input))}`, token);
  }
  async #read(url: string, token: string): Promise<void> {
    const headers = { accept: "text/event-stream", authorization: `Bearer ${token}` };
    try {
      const answer = await fetch(url, { headers, signal: this.#stop.signal });
      for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) this.text += chunk;
    } finally {
      this.hasEnded = true;
    }
  }
}

describe("what goes on when its session or token is revoked", () => {
  let server: TestServer;
  let owner: TestPerson;
  let phoneId: string;
  let runId: string;
  beforeAll(async () => {
    server = await startTestServer();
    owner = await signIn(server);
    phoneId = (await answered<{ id: string }>("phones.launch", { idempotencyKey: "the-phone" })).id;
    const input = { source: WAITS, phoneId, idempotencyKey: "the-only-run" };
    runId = (await answered<{ runId: string }>("runs.start", input)).runId;
  });
  afterAll(() => server.dispose());

  async function answered<T>(path: string, input: unknown, token = owner.token): Promise<T> {
    const answer = await call(server, "mutation", path, input, token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
    return answer.data as T;
  }
  const ticketOf = async (token: string) =>
    (await answered<{ ticket: string }>("screen.ticket", { phoneId, mode: "view" }, token)).ticket;
  /** A socket, two streams and a ticket not used yet. */
  async function goOn(token: string, origin: string | undefined) {
    const viewer = await connect({ port: server.port, ticket: await ticketOf(token), ...(origin && { origin }) });
    if (!(viewer instanceof TestViewer)) throw new Error(viewer.message);
    await until(() => viewer.last("hello") !== undefined, "hello");
    const streams = [
      new Stream(server, "phones.events", { lastEventId: "0" }, token),
      new Stream(server, "runs.events", { runId, lastEventId: "0" }, token),
    ];
    for (const stream of streams) await until(() => /^id: /m.test(stream.text), "an event");
    expect(streams.map(({ hasEnded }) => hasEnded)).toEqual([false, false]);
    return { viewer, streams, ticket: await ticketOf(token), origin };
  }
  async function endsWithin({ viewer, streams, ticket, origin }: Awaited<ReturnType<typeof goOn>>, from: number) {
    await until(() => viewer.closed !== undefined && streams.every(({ hasEnded }) => hasEnded), "the end");
    expect(performance.now() - from).toBeLessThan(WITHIN_MS);
    const frames = viewer.frames.length;
    for (const { text } of streams) expect(text).toContain("session_ended");
    expect(viewer.last("ended")).toMatchObject({ reason: "signed_out" });
    expect(await connect({ port: server.port, ticket, ...(origin && { origin }) })).toMatchObject({ status: 401 });
    expect(viewer.frames).toHaveLength(frames);
  }

  it("ABUSE-07 sockets, streams and tickets of a revoked session end within a second, those of others go on", async () => {
    const thief = await server.db.tx((tx) =>
      server.accounts.sessions.create(tx, {
        userId: owner.userId,
        kind: "extension",
        authenticatedAt: new Date(server.clock.now()),
        method: "password",
        about: { requestId: "", ip: "192.0.2.7", userAgent: "test" },
      }),
    );
    const mine = await goOn(owner.token, ORIGIN);
    const theirs = await goOn(thief.token, ORIGIN);
    const from = performance.now();
    await answered("sessions.revoke", { sessionId: thief.id });
    await endsWithin(theirs, from);
    expect(mine.viewer.closed).toBeUndefined();
    expect(mine.streams.map(({ hasEnded }) => hasEnded)).toEqual([false, false]);
    expect(await call(server, "query", "account.me", undefined, thief.token)).toMatchObject({
      error: { code: "session_ended" },
    });
    const again = performance.now();
    await answered("account.signOut", undefined);
    await endsWithin(mine, again);
    owner = await signIn(server, "owner", owner.teamId);
  });

  it("ABUSE-07 the same with an API token", async () => {
    const token = await apiToken(server, owner, ["phones:view", "phones:control"]);
    const open = await goOn(token, undefined);
    const answer = await call(server, "query", "tokens.list", undefined, owner.token);
    const [listed] = answer.ok ? (answer.data as { id: string }[]) : [];
    const from = performance.now();
    await answered("tokens.revoke", { tokenId: listed?.id });
    await endsWithin(open, from);
  });

  it("ABUSE-07 a session that runs out takes what it holds open with it", async () => {
    const late = await signIn(server, "viewer", owner.teamId);
    const open = await goOn(late.token, ORIGIN);
    const { sessions } = server.db.t;
    const idleExpiresAt = new Date(server.clock.now());
    await server.db.tx((tx) => tx.update(sessions).set({ idleExpiresAt }).where(eq(sessions.id, late.sessionId)));
    const from = performance.now();
    await server.accounts.sessions.endExpired(500);
    await endsWithin(open, from);
  });
});
