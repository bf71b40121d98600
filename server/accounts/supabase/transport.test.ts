import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { selfSigned } from "../../automations/script/certificate.fixture.ts";
import { createTransport } from "./transport.ts";

describe("the way to the sign-in service", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  const serve = async (listener: RequestListener) => {
    server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  it("carries a call and its answer, with and without a body", async () => {
    const origin = await serve((request, response) => {
      if (request.method === "POST") request.pipe(response.writeHead(201, { "x-kind": "echo" }));
      else response.writeHead(204).end();
    });
    const { fetch, close } = createTransport(origin);
    const posted = await fetch(`${origin}/a?b=c`, { method: "POST", body: "{}", headers: { "x-y": "z" } });
    expect([posted.status, posted.headers.get("x-kind"), await posted.text()]).toEqual([201, "echo", "{}"]);
    expect((await fetch(new URL("/d", origin))).status).toBe(204);
    close();
  });

  it.each([
    ["does not answer in time", () => {}],
    ["breaks off", (_request, response) => response.writeHead(200).write("{", () => response.destroy())],
    ["sends more than is read", (_request, response) => response.end("x".repeat(2_000))],
    ["is not there", undefined],
  ] satisfies [string, RequestListener | undefined][])("answers 503 for a service that %s", async (_what, listener) => {
    const origin = listener === undefined ? "http://127.0.0.1:1" : await serve(listener);
    const { fetch, close } = createTransport(origin, { timeoutMs: 100, maxBytes: 1_000 });
    const answer = await fetch(`${origin}/x`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: "unreachable" }]);
    close();
  });

  it("follows no redirect and goes to no other address", async () => {
    const origin = await serve((_request, response) =>
      response.writeHead(302, { location: "http://127.0.0.2/" }).end(),
    );
    const { fetch, close } = createTransport(origin);
    expect((await fetch(`${origin}/x`)).status).toBe(302);
    await expect(fetch("http://127.0.0.1:2/x")).rejects.toThrow("not the address");
    close();
  });

  it.each([
    ["TLSv1.2", "ERR_SSL_UNSUPPORTED_PROTOCOL"],
    ["TLSv1.3", "ECONNRESET"],
  ] as const)(
    "says nothing to a machine that speaks %s alone and has nobody to vouch for it",
    async (version, code) => {
      const said: unknown[] = [];
      const tls = createTlsServer({ ...selfSigned("localhost"), minVersion: "TLSv1.2", maxVersion: version });
      tls.on("request", (request) => said.push(request.url));
      const failed = once(tls, "tlsClientError");
      tls.listen(0, "127.0.0.1");
      await once(tls, "listening");
      const origin = `https://localhost:${(tls.address() as AddressInfo).port}`;
      const { fetch, close } = createTransport(origin);
      expect((await fetch(`${origin}/x`)).status).toBe(503);
      expect((await failed)[0]).toMatchObject({ code });
      expect(said).toEqual([]);
      close();
      tls.close();
    },
  );
});
