import { afterEach, describe, expect, it, vi } from "vitest";
import { createPanelApi } from "./panel-client.ts";

describe("the panel's client", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("sends a text to check in a body, however long, and all other reads as addresses", async () => {
    const sent: { method: string | undefined; path: string; length: number }[] = [];
    vi.stubGlobal("fetch", async (address: string, init: RequestInit) => {
      const url = new URL(address);
      sent.push({ method: init.method, path: url.pathname, length: address.length });
      return Response.json([{ result: { data: [] } }]);
    });
    const api = createPanelApi({ server: "http://perch.example", token: async () => undefined });
    await Promise.all([api.flows.list.query(), api.flows.validate.query({ source: "x".repeat(200_000) })]);
    expect(sent).toEqual([
      { method: "GET", path: "/trpc/flows.list", length: expect.any(Number) },
      { method: "POST", path: "/trpc/flows.validate", length: expect.any(Number) },
    ]);
    expect(Math.max(...sent.map(({ length }) => length))).toBeLessThan(200);
  });
});
