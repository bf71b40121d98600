/** A small faithful server for panel tests: health, tRPC with CORS, phone files, and the screen socket, on loopback. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { newId } from "../../shared/ids.ts";
import { API_VERSION, type Health, PRODUCT_VERSION } from "../../shared/version.ts";
import { stubRouter } from "./stub.router.ts";
import { StubAccount, stubMe } from "./stub-account.ts";
import { StubBilling } from "./stub-billing.ts";
import { stubSessions } from "./stub-data.ts";
import { StubFiles } from "./stub-files.ts";
import { StubRights, stubPrivacy } from "./stub-privacy.ts";
import { StubRules } from "./stub-rules.ts";
import { StubRuns } from "./stub-runs.ts";
import { StubScreens } from "./stub-screen.ts";
import { StubSecrets } from "./stub-secrets.ts";
import { StubTeam } from "./stub-team.ts";
import { STUB_TOKEN, type StubState } from "./stub-trpc.ts";
import { StubUploads } from "./stub-uploads.ts";

const ALLOWED_HEADERS = "authorization, content-type, trpc-accept, last-event-id, upload-offset";

export interface StubServer {
  readonly origin: string;
  readonly state: StubState;
  readonly team: StubTeam;
  readonly screens: StubScreens;
  /** Stops listening and cuts every connection; `start` again on the same port is a restart. */
  stop(): Promise<void>;
}

export async function startStubServer(port = 0, earlier?: StubServer): Promise<StubServer> {
  const team = earlier?.team ?? new StubTeam();
  const server: Server = createServer();
  const screens = new StubScreens(server, team);
  if (earlier !== undefined) screens.frames = earlier.screens.frames;
  const me = earlier?.state.me ?? stubMe();
  const automations = new StubRuns();
  const state: StubState = earlier?.state ?? {
    team,
    automations,
    files: new StubFiles(automations),
    rules: new StubRules(automations),
    webhooks: new Map(),
    secrets: new StubSecrets(),
    account: new StubAccount(me),
    billing: new StubBilling(),
    uploads: new StubUploads(team),
    token: STUB_TOKEN,
    me,
    sessions: stubSessions(me.session.id),
    privacy: stubPrivacy(),
    rights: new StubRights(),
    origin: "",
    signedIn: true,
    onScreen: [],
    screenUrl: "",
    png: "",
    startMs: 50,
    issueTicket: () => newId("viewer"),
  };
  state.issueTicket = (phoneId, mode) => screens.issue(phoneId, mode);
  const trpc = createHTTPHandler({
    // As the server: this query alone may come by POST.
    allowMethodOverride: true,
    router: stubRouter,
    basePath: "/trpc/",
    createContext: ({ req }) => ({ token: req.headers.authorization?.replace(/^Bearer /, ""), state }),
  });
  server.on("request", (request, response) => {
    const origin = request.headers.origin;
    if (origin !== undefined) {
      response.setHeader("Access-Control-Allow-Origin", origin);
      response.setHeader("Access-Control-Allow-Headers", ALLOWED_HEADERS);
      response.setHeader("Access-Control-Allow-Methods", "GET, POST, HEAD, PATCH");
      response.setHeader("Access-Control-Max-Age", "7200");
      response.setHeader("Access-Control-Expose-Headers", "Date, Upload-Offset");
    }
    response.setHeader("Date", new Date(Date.now() - state.account.clockAheadMs).toUTCString());
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    const path = new URL(request.url ?? "/", "http://stub").pathname;
    if (path === "/healthz") {
      const health: Health = { product: "perch", apiVersion: API_VERSION, version: PRODUCT_VERSION };
      return void response.setHeader("Content-Type", "application/json").end(JSON.stringify(health));
    }
    if (path === "/connect") {
      const asked = new URL(request.url ?? "/", "http://stub").searchParams;
      const back = new URL(asked.get("redirect_uri") ?? "about:blank");
      const answer = state.account.connects(asked.get("prompt"));
      for (const [name, value] of Object.entries(answer)) back.searchParams.set(name, value);
      back.searchParams.set("state", asked.get("state") ?? "");
      return void response.writeHead(303, { Location: back.href }).end();
    }
    if (path.startsWith("/files/phones/")) {
      if (request.headers.authorization !== `Bearer ${STUB_TOKEN}`) return void response.writeHead(401).end();
      const upload = /\/uploads\/(\w+)$/.exec(path)?.[1];
      if (upload !== undefined) return void state.uploads.serve(request, response, upload);
      return void response.setHeader("Content-Type", "application/octet-stream").end("a file from the phone");
    }
    if (path === "/pay") {
      const page = "<!doctype html><title>Payment</title><h1>Payment</h1>";
      return void response.setHeader("Content-Type", "text/html").end(page);
    }
    if (path === "/privacy/exports/download") return void saveCopy(request, response, state);
    if (path === "/privacy/import") return void takeIn(request, response, state);
    if (path === "/workspaces/export.zip") {
      if (request.headers.authorization !== `Bearer ${STUB_TOKEN}`) return void response.writeHead(401).end();
      return void response.setHeader("Content-Type", "application/zip").end("PK");
    }
    const runFile = /^\/runs\/run_[\w-]+\/(artifacts\/)?[^/]+$/.exec(path);
    if (runFile !== null) {
      if (request.headers.authorization !== `Bearer ${STUB_TOKEN}`) return void response.writeHead(401).end();
      if (runFile[1] === undefined) return void response.setHeader("Content-Type", "text/html").end("<h1>Report</h1>");
      const json = state.automations.files.get(decodeURIComponent(path.split("/").at(-1) ?? ""));
      if (json !== undefined) {
        return void response.setHeader("Content-Type", "application/json").end(JSON.stringify(json));
      }
      return void response.setHeader("Content-Type", "image/png").end(Buffer.from(state.png, "base64"));
    }
    trpc(request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  state.origin = `http://127.0.0.1:${address.port}`;
  state.screenUrl = `ws://127.0.0.1:${address.port}/screen`;
  return {
    origin: `http://127.0.0.1:${address.port}`,
    state,
    team,
    screens,
    async stop() {
      screens.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("latin1");
}

/** As the server: for one POST, as a file, and never inside a frame of anybody. */
async function saveCopy(request: IncomingMessage, response: ServerResponse, state: StubState): Promise<void> {
  const passphrase = new URLSearchParams(await bodyOf(request)).get("passphrase") ?? undefined;
  response.setHeader("X-Frame-Options", "DENY");
  response.setHeader("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  if (request.method !== "POST" || state.rights.copyGone) {
    return void response.writeHead(410, { "Content-Type": "text/html" }).end("<h1>Gone</h1>");
  }
  state.rights.saved.push({ passphrase });
  const name = `perch-ada-2026-11-26.zip${passphrase === undefined ? "" : ".age"}`;
  response.setHeader("Content-Disposition", `attachment; filename="${name}"`);
  response.setHeader("Content-Type", "application/octet-stream").end("PK stub");
}

async function takeIn(request: IncomingMessage, response: ServerResponse, state: StubState): Promise<void> {
  const body = await bodyOf(request);
  const mode = new URL(request.url ?? "/", "http://stub").searchParams.get("mode") ?? "";
  state.rights.imports.push(mode);
  response.setHeader("Content-Type", "application/json");
  if (body.includes("not a copy")) {
    const error = {
      code: "bad_input",
      message: "This is no copy made by Perch: it has no manifest.",
      requestId: "req_stub",
    };
    return void response.writeHead(400).end(JSON.stringify({ error }));
  }
  const named = (kind: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ kind, name: `${kind} ${index + 1}`, change: "new" }));
  const items = [
    ...[...named("flow", 14), ...named("rule", 3), ...named("phone", 2)],
    { kind: "flow", name: "Sign in to the shop", change: "here" },
    { kind: "file", name: "price-list.csv", change: "left_out", reason: "It is larger than files here may be." },
  ];
  const again = ["Secrets never leave a server: set those your automations use."];
  const madeAt = new Date(Date.now() - 86_400_000).toISOString();
  const [id, applied] = ["exp_stub", mode === "apply"];
  response.end(JSON.stringify({ id, madeAt, email: "ada@old.example", items, again, applied }));
}
