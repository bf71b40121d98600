/** The whole server for tests: real HTTP, real encrypted database, a manual clock and phones in memory. */

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Role, Scope } from "../shared/access.ts";
import type { ErrorBody } from "../shared/errors.ts";
import { newId, type SessionId, type TeamId, type UserId } from "../shared/ids.ts";
import { addUser } from "./accounts/testing/people.ts";
import { type Clock, ManualClock } from "./clock.ts";
import { parseConfig } from "./config.ts";
import { dataFolder, runFolder } from "./db/testing-run.ts";
import { createLog } from "./log.ts";
import type { LeaseTimes } from "./nodes/lease.ts";
import { openDatabase } from "./open-database.ts";
import { FakeDriver } from "./phones/testing/fake-driver.ts";
import { type RunningServer, startServer } from "./server.ts";

export interface TestServer extends RunningServer {
  readonly clock: ManualClock;
  readonly phones: FakeDriver;
  /** Lines of the log so far. */
  readonly lines: string[];
  dispose(): Promise<void>;
}

/** Starts a server on a free port with a fresh data folder. */
export async function startTestServer(
  env: Record<string, string> = {},
  kept?: { folder: string; driver: FakeDriver; clock: ManualClock; lease?: LeaseTimes },
): Promise<TestServer> {
  const folder = kept?.folder ?? dataFolder("perch-server-");
  if (kept === undefined && env["DATABASE_URL"] === undefined)
    cpSync(await preparedData(), folder, { recursive: true });
  const clock = kept?.clock ?? new ManualClock();
  const phones = kept?.driver ?? new FakeDriver();
  const lines: string[] = [];
  const server = await startServer({
    config: parseConfig({ PORT: "0", DATA_DIR: join(folder, "data"), BILLING: "off", BACKUP_HOURS: "0", ...env }),
    clock,
    log: createLog({ clock, write: (line) => lines.push(line) }),
    driver: phones,
    ...(kept?.lease && { lease: kept.lease }),
  });
  return {
    ...server,
    clock,
    phones,
    lines,
    async dispose() {
      await server.close();
      if (kept === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The data of a server that has not been used yet, made once a process. */
let prepared: Promise<string> | undefined;
function preparedData(): Promise<string> {
  prepared ??= (async () => {
    const folder = mkdtempSync(join(runFolder(), "server-"));
    const opened = await openDatabase(parseConfig({ PORT: "0", DATA_DIR: join(folder, "data"), BILLING: "off" }));
    await opened.db.close();
    return folder;
  })();
  return prepared;
}

export interface TestPerson {
  readonly userId: UserId;
  readonly teamId: TeamId;
  readonly sessionId: SessionId;
  readonly token: string;
}

/** A person with a session; in their own new team, or in `teamId`. */
export async function signIn(
  server: Pick<TestServer, "db" | "accounts"> & { readonly clock: Clock },
  role: Role = "owner",
  teamId?: TeamId,
): Promise<TestPerson> {
  const { db, accounts, clock } = server;
  const { teams, teamMembers } = db.t;
  const at = new Date(clock.now());
  const userId = newId("user");
  const team = teamId ?? newId("team");
  const session = await db.tx(async (tx) => {
    const email = `${userId.toLowerCase()}@x.example`;
    await addUser(db, tx, { id: userId, email, createdAt: at });
    if (teamId === undefined) await tx.insert(teams).values({ id: team, name: "Team", createdAt: at });
    await tx.insert(teamMembers).values({ teamId: team, userId, role, joinedAt: at });
    return accounts.sessions.create(tx, {
      userId,
      kind: "extension",
      authenticatedAt: at,
      method: "password",
      about: { requestId: "", ip: "127.0.0.1", userAgent: "test" },
    });
  });
  return { userId, teamId: team, sessionId: session.id, token: session.token };
}

/** An API token of a person. */
export async function apiToken(server: TestServer, person: TestPerson, scopes: readonly Scope[]): Promise<string> {
  const { userId, teamId } = person;
  const { token } = await server.db.tx((tx) =>
    server.accounts.sessions.createApiToken(tx, { userId, teamId, name: "test", scopes }),
  );
  return token;
}

export type Answer =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly status: number; readonly error: ErrorBody };

/** Calls a procedure over HTTP as a client does. A subscription is left after its first event. */
export async function call(
  server: Pick<TestServer, "url">,
  type: "query" | "mutation" | "subscription",
  path: string,
  input: unknown,
  token: string | undefined,
): Promise<Answer> {
  const query = type === "mutation" || input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
  const stop = new AbortController();
  const response = await fetch(`${server.url}/trpc/${path}${query}`, {
    method: type === "mutation" ? "POST" : "GET",
    headers: {
      ...(type === "mutation" && { "content-type": "application/json" }),
      ...(type === "subscription" && { accept: "text/event-stream" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(type === "mutation" && { body: JSON.stringify(input ?? {}) }),
    signal: stop.signal,
  });
  if (response.body !== null && response.headers.get("content-type")?.startsWith("text/event-stream") === true) {
    let text = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const error = /^event: serialized-error\ndata: (.*)\n/m.exec(text)?.[1];
      if (error !== undefined) return answerOf(response.status, { error: JSON.parse(error) });
      if (/^id: /m.test(text)) break;
    }
    stop.abort();
    return { ok: true, data: text };
  }
  return answerOf(response.status, await response.json());
}

/** tRPC's answer shape, made by `base.router.ts`. */
function answerOf(status: number, body: unknown): Answer {
  const { result, error } = body as {
    result?: { data: unknown };
    error?: { data: { perch: ErrorBody } } & Partial<ErrorBody>;
  };
  if (result !== undefined) return { ok: true, data: result.data };
  if (error === undefined) throw new Error("Neither a result nor an error.");
  return { ok: false, status, error: error.data.perch };
}
