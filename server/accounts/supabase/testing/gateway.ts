/**
 * What stands before GoTrue in a Supabase project, for tests: it asks for a key of the project, takes the prefix away and
 * hands requests on. Faults and what was asked are seen here.
 */
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import type { Fault } from "./fake-gotrue.ts";

const PREFIX = "/auth/v1";

export class Gateway {
  readonly calls: string[] = [];
  fault: ((method: string, path: string) => Fault | undefined) | undefined;
  readonly #server;

  constructor(target: URL, keys: readonly string[]) {
    this.#server = createServer((request, response) => {
      const { method = "", url = "", headers } = request;
      const path = url.startsWith(PREFIX) ? url.slice(PREFIX.length) : url;
      this.calls.push(`${method} ${path.replace(/\?.*/, "").replaceAll(/[0-9a-f-]{36}/g, ":id")}`);
      const fault = this.fault?.(method, path);
      if (fault === "hang") return;
      if (fault === "drop") return void request.socket.destroy();
      const isOpen = path.startsWith("/.well-known/") || keys.includes(String(headers["apikey"]));
      if (fault !== undefined || !isOpen) {
        const { status, code = "unexpected_failure" } = fault ?? { status: 401, code: "no_api_key" };
        response.writeHead(status, { "content-type": "application/json", "x-supabase-api-version": "2024-01-01" });
        response.end(JSON.stringify({ code, message: code }));
        return;
      }
      const onward = httpRequest({ host: target.hostname, port: target.port, path, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      request.pipe(onward);
    });
  }
  async listen(port: number): Promise<void> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
  }
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
