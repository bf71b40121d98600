/**
 * The server side of the `trpc` benchmark, in a process of its own: the whole Perch server, and beside it bare
 * `node:http` that reads and writes the same with the same prepared statements. Tells its parent where they are.
 */
import { createServer } from "node:http";
import { createApiTokensRepo } from "../server/accounts/api-tokens.repo.ts";
import { hashSecret } from "../server/accounts/secrets.ts";
import { createSessionsRepo } from "../server/accounts/sessions.repo.ts";
import type { Clock } from "../server/clock.ts";
import { phoneView } from "../server/phones/phone-view.ts";
import { createPhonesRepo } from "../server/phones/phones.repo.ts";
import { teamScope } from "../server/teams/team-scope.ts";
import { newId } from "../shared/ids.ts";
import { startWorld } from "./world.ts";

/**
 * The rate limit is a part of every call, and one person's ends far below what is measured: time passes a thousand
 * times faster here, so that it is looked up and written each time and never refuses.
 */
const started = Date.now();
const fastClock: Clock = { now: () => started + (Date.now() - started) * 1_000 };
const PHONES = 3;

// No phone is started here; a program that is no browser spares the unpacking of one while something is measured.
const world = await startWorld({ clock: fastClock, env: { WARM_PHONES: "0", CHROME_PATH: process.execPath } });
const { server } = world;
const { token, userId, teamId } = await world.account();
const repo = createPhonesRepo(server.db);
await server.db.tx(async (tx) => {
  for (let index = 1; index <= PHONES; index += 1) {
    await repo.insert(tx, {
      id: newId("phone"),
      teamId,
      createdBy: userId,
      name: `Phone ${index}`,
      driver: "web",
      profile: "tall",
      settings: {},
      rotated: false,
      state: "parked",
      createdAt: new Date(),
    });
  }
});
const actor = await server.accounts.sessions.find(token, { requestId: "", ip: "127.0.0.1", userAgent: "" });
if (actor === undefined || actor === "ended") throw new Error("The benchmark's token is not valid.");
const scope = teamScope(actor, "phones:view");
if (scope === undefined) throw new Error("The benchmark's account may not list phones.");
const tokens = createApiTokensRepo(server.db);
const sessions = createSessionsRepo(server.db);
const session = await server.db.tx((tx) =>
  server.accounts.sessions.create(tx, {
    userId,
    kind: "extension",
    authenticatedAt: new Date(fastClock.now()),
    method: "password",
    about: { requestId: "", ip: "127.0.0.1", userAgent: "" },
  }),
);

const bare = createServer(async (request, response) => {
  if (request.url === "/authenticated") await tokens.findByToken(hashSecret(token));
  if (request.url === "/session") await sessions.findByToken(hashSecret(session.token));
  const rows = await repo.list(scope);
  const body = JSON.stringify({
    result: { data: rows.map((row) => phoneView(row, server.drivers.of(row.driver)?.capabilities, undefined)) },
  });
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }).end(body);
});
await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));
const address = bare.address();
if (address === null || typeof address === "string") throw new Error("A TCP server has an address.");

export interface Ready {
  readonly port: number;
  readonly barePort: number;
  /** An API token, and a session as the extension holds one. */
  readonly token: string;
  readonly session: string;
}
process.send?.({ port: server.port, barePort: address.port, token, session: session.token } satisfies Ready);
process.once("disconnect", () => {
  bare.closeAllConnections();
  bare.close();
  void world.close();
});
