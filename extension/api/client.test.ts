import { afterEach, describe, expect, it, vi } from "vitest";
import type { PhoneEvent } from "../../shared/phones.ts";
import { publish, stubPhone } from "../testing/stub.router.ts";
import { type StubServer, startStubServer } from "../testing/stub-server.ts";
import { createApi } from "./client.ts";
import { classifyFailure } from "./errors.ts";
import { followPhoneEvents } from "./stream.ts";

let server: StubServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

describe("the client", () => {
  it("sends the token of the moment with every call", async () => {
    server = await startStubServer();
    let token: string | undefined = server.token;
    const api = createApi({ server: server.origin, token: async () => token });
    expect(await api.phones.list.query()).toEqual([]);
    token = undefined;
    await expect(api.phones.list.query()).rejects.toThrow("Sign in first.");
  });

  it("launches once for one idempotency key", async () => {
    server = await startStubServer();
    const { token, origin, state } = server;
    const api = createApi({ server: origin, token: async () => token });
    const key = crypto.randomUUID();
    const [a, b] = await Promise.all([
      api.phones.launch.mutate({ idempotencyKey: key }),
      api.phones.launch.mutate({ idempotencyKey: key }),
    ]);
    expect(a.id).toBe(b.id);
    expect(state.phones.size).toBe(1);
  });

  it("follows events with the token in a header", async () => {
    server = await startStubServer();
    const { token, origin, state } = server;
    const seen: PhoneEvent[] = [];
    const phone = stubPhone({ name: "Ada's" });
    const stop = followPhoneEvents(origin, async () => token, {
      onOpen: () => publish(state, { type: "phone", phone }),
      onEvent: (event) => seen.push(event),
      onLost: () => seen.push({ type: "removed", phoneId: phone.id }),
    });
    await vi.waitFor(() => expect(seen).toEqual([{ type: "phone", phone }]));
    stop();
    expect(state.calls).toContain("phones.events");
  });

  it("says once that the events are lost, whether refused or cut off", async () => {
    server = await startStubServer();
    const { origin, token } = server;
    const lost = vi.fn();
    const opened = vi.fn();
    const handlers = { onOpen: opened, onEvent: () => undefined, onLost: lost };
    followPhoneEvents(origin, async () => "cp_stolen", handlers);
    await vi.waitFor(() => expect(lost).toHaveBeenCalledTimes(1));
    opened.mockClear();
    followPhoneEvents(origin, async () => token, handlers);
    await vi.waitFor(() => expect(opened).toHaveBeenCalledTimes(1));
    await server.close();
    server = undefined;
    await vi.waitFor(() => expect(lost).toHaveBeenCalledTimes(2));
  });

  it("tells a refused call from a server that is not there", async () => {
    server = await startStubServer();
    const { origin } = server;
    const api = createApi({ server: origin, token: async () => "cp_stolen" });
    const ended = await api.phones.list.query().catch((error: unknown) => classifyFailure(error, origin, true));
    expect(ended).toEqual({ kind: "signed_out", why: "ended" });
    await server.close();
    server = undefined;
    const gone = await api.phones.list.query().catch((error: unknown) => classifyFailure(error, origin, true));
    expect(gone).toEqual({ kind: "server_unreachable", server: origin });
  });

  it("keeps what the server says about a refusal", async () => {
    server = await startStubServer();
    const { origin, token, state } = server;
    state.refuse = { code: "limit_reached", message: "Your team has 4 phones running, its limit. Park one first." };
    const api = createApi({ server: origin, token: async () => token });
    const failure = await api.phones.launch
      .mutate({ idempotencyKey: crypto.randomUUID() })
      .catch((error: unknown) => classifyFailure(error, origin, true));
    expect(failure).toMatchObject({ kind: "refused", error: { code: "limit_reached", requestId: "req_stub" } });
  });
});
