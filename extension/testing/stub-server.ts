/** The stand-in server on a loopback port: `/trpc`, `/healthz` and a `/connect` that consents by itself. */
import { createServer, type Server } from "node:http";
import { createHTTPHandler } from "@trpc/server/adapters/standalone";
import { API_VERSION, type Health, PRODUCT_VERSION } from "../../shared/version.ts";
import { type StubState, stubRouter, stubState } from "./stub.router.ts";

export interface StubServer {
  readonly origin: string;
  readonly port: number;
  readonly state: StubState;
  /** A token the server accepts. */
  readonly token: string;
  close(): Promise<void>;
}

export interface StubOptions {
  readonly port?: number;
  /** Answers `/healthz`; another product, or another version. */
  readonly health?: unknown;
  /** Without it no page of another origin may read an answer. */
  readonly cors?: boolean;
}

export async function startStubServer(options: StubOptions = {}): Promise<StubServer> {
  const state = stubState();
  const token = "cp_stub_token";
  state.tokens.add(token);
  const health: Health = { product: "perch", apiVersion: API_VERSION, version: PRODUCT_VERSION };
  const trpc = createHTTPHandler({
    router: stubRouter,
    basePath: "/trpc/",
    createContext: ({ req }) => ({ state, token: /^Bearer (.+)$/.exec(req.headers.authorization ?? "")?.[1] }),
  });
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (options.cors !== false) {
      response.setHeader("Access-Control-Allow-Origin", request.headers.origin ?? "null");
      response.setHeader("Access-Control-Allow-Headers", "authorization, content-type, trpc-accept, last-event-id");
      response.setHeader("Access-Control-Max-Age", "7200");
    }
    if (request.method === "OPTIONS") response.writeHead(204).end();
    else if (url.pathname === "/healthz") {
      response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(options.health ?? health));
    } else if (url.pathname === "/connect") {
      const back = new URL(url.searchParams.get("redirect_uri") ?? "about:blank");
      back.searchParams.set("code", "stub-code-0123456789-0123456789");
      back.searchParams.set("state", url.searchParams.get("state") ?? "");
      response.writeHead(303, { Location: back.href }).end();
    } else if (url.pathname.startsWith("/trpc/")) trpc(request, response);
    else response.writeHead(404).end();
  });
  const port = await listen(server, options.port ?? 0);
  return {
    origin: `http://localhost:${port}`,
    port,
    state,
    token,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "localhost", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
