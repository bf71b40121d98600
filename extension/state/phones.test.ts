import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fakeBrowser } from "wxt/testing/fake-browser";
import { newId } from "../../shared/ids.ts";
import { createApi } from "../api/client.ts";
import { publish, stubPhone } from "../testing/stub.router.ts";
import { type StubServer, startStubServer } from "../testing/stub-server.ts";
import { type App, createApp } from "./app.ts";
import { createLightApp } from "./light-app.ts";
import { createPhonesStore, type PhonesStore } from "./phones.ts";
import { signOut } from "./sign-out.ts";
import { memoryTokens } from "./tokens.ts";

let server: StubServer;
let app: App;
let store: PhonesStore;
const expiresAt = "2030-01-01T00:00:00.000Z";

beforeEach(async () => {
  fakeBrowser.reset();
  server = await startStubServer();
  app = createApp({ tokens: memoryTokens({ server: server.origin, token: server.token, expiresAt }) });
  await app.settings.set({ server: server.origin, theme: "system" });
  store = createPhonesStore(app);
});
afterEach(async () => {
  store.stop();
  await server.close();
});

function statuses(): string[] {
  const seen: string[] = [];
  store.subscribe(() => {
    if (seen.at(-1) !== store.snapshot().status) seen.push(store.snapshot().status);
  });
  return seen;
}

describe("the phones store", () => {
  it("shows what is stored first, then what the server says", async () => {
    const old = stubPhone({ name: "Old name" });
    server.state.phones.set(old.id, { ...old, name: "New name" });
    await app.phonesCache.set({ server: server.origin, signedIn: true, phones: [old], seenAtMs: 1 });
    const seen: string[] = [];
    store.subscribe(() => seen.push(`${store.snapshot().status} ${store.snapshot().phones[0]?.name}`));
    await store.start();
    expect(seen).toContain("stored Old name");
    expect(store.snapshot()).toMatchObject({ status: "live", phones: [{ name: "New name" }] });
    await vi.waitFor(async () => expect((await app.phonesCache.get())?.phones[0]?.name).toBe("New name"));
  });

  it("never shows the phones of another server", async () => {
    const other = stubPhone();
    await app.phonesCache.set({ server: "https://other.example", signedIn: true, phones: [other], seenAtMs: 1 });
    const seen = statuses();
    await store.start();
    expect(seen).not.toContain("stored");
    expect(store.snapshot().phones).toEqual([]);
  });

  it("follows changes as they happen", async () => {
    await store.start();
    await vi.waitFor(() => expect(server.state.listeners.size).toBe(1));
    // The list read once more when the stream opens; from here on only events tell.
    const lists = () => server.state.calls.filter((path) => path === "phones.list").length;
    await vi.waitFor(() => expect(lists()).toBe(2));
    const phone = stubPhone({ state: "running" });
    server.state.phones.set(phone.id, phone);
    publish(server.state, { type: "phone", phone });
    await vi.waitFor(() => expect(store.snapshot().phones).toEqual([phone]));
    server.state.phones.delete(phone.id);
    publish(server.state, { type: "removed", phoneId: phone.id });
    await vi.waitFor(() => expect(store.snapshot().phones).toEqual([]));
  });

  it("keeps the last known phones while the server is away and comes back by itself", async () => {
    const phone = stubPhone();
    server.state.phones.set(phone.id, phone);
    await store.start();
    await vi.waitFor(() => expect(server.state.listeners.size).toBe(1));
    const { port, origin } = server;
    await server.close();
    await vi.waitFor(
      () =>
        expect(store.snapshot()).toMatchObject({
          status: "stale",
          failure: { kind: "server_unreachable", server: origin },
        }),
      10_000,
    );
    expect(store.snapshot().phones).toEqual([phone]);
    server = await startStubServer({ port });
    await vi.waitFor(
      () => expect(store.snapshot()).toMatchObject({ status: "live", failure: undefined, phones: [] }),
      10_000,
    );
  }, 25_000);

  it("forgets token and phones when the session was ended elsewhere", async () => {
    await app.phonesCache.set({ server: server.origin, signedIn: true, phones: [stubPhone()], seenAtMs: 1 });
    server.state.tokens.clear();
    await store.start();
    expect(store.snapshot()).toMatchObject({ failure: { kind: "signed_out" }, phones: [] });
    expect(await app.tokens.get(server.origin)).toBeUndefined();
    await vi.waitFor(async () => expect((await app.phonesCache.get())?.phones).toEqual([]));
  });

  it("has no server once it was forgotten, whatever was being read of it", async () => {
    await store.start();
    const { promise, resolve } = Promise.withResolvers<void>();
    vi.spyOn(app.tokens, "get").mockImplementation(async () => {
      await promise;
      return undefined;
    });
    const reading = store.refresh();
    await app.settings.set({ theme: "system" });
    await vi.waitFor(() => expect(store.snapshot().status).toBe("no_server"));
    resolve();
    await reading;
    expect(store.snapshot()).toMatchObject({ status: "no_server", server: undefined, failure: undefined });
  });

  it("goes on by itself after a sign-in", async () => {
    await app.tokens.delete(server.origin);
    await store.start();
    expect(store.snapshot().failure).toEqual({ kind: "signed_out" });
    await app.tokens.set({ server: server.origin, token: server.token, expiresAt });
    await vi.waitFor(() => expect(store.snapshot().status).toBe("live"));
  });

  it("makes a call again whose token was renewed meanwhile, and signs nobody out", async () => {
    await store.start();
    const seen = statuses();
    const old = createApi({ server: server.origin, token: async () => server.token });
    let tries = 0;
    const result = await store.call(async (api) => {
      tries += 1;
      if (tries > 1) return api.account.me.query();
      await app.tokens.renew(server.origin, async (present) => {
        server.state.tokens.clear();
        server.state.tokens.add("cp_renewed");
        // What is read now waits for what comes of it.
        const waiting = app.tokens.get(server.origin);
        queueMicrotask(() => void waiting.then((record) => expect(record?.token).toBe("cp_renewed")));
        return present && { ...present, token: "cp_renewed" };
      });
      return old.account.me.query();
    });
    expect([result.ok, tries]).toEqual([true, 2]);
    expect(seen).not.toContain("stale");
    expect((await app.tokens.get(server.origin))?.token).toBe("cp_renewed");
  });

  it("forgets the token that was refused, and none that took its place", async () => {
    await app.tokens.set({ server: server.origin, token: "cp_newer", expiresAt });
    await app.tokens.delete(server.origin, server.token);
    expect((await app.tokens.get(server.origin))?.token).toBe("cp_newer");
    await app.tokens.delete(server.origin, "cp_newer");
    expect(await app.tokens.get(server.origin)).toBeUndefined();
  });

  it("tells a session that is over from one that was ended", async () => {
    server.state.tokens.clear();
    await store.start();
    expect(store.snapshot().failure).toEqual({ kind: "signed_out", why: "ended" });
    // The token is gone by now; why stays.
    await store.refresh();
    expect(store.snapshot().failure).toEqual({ kind: "signed_out", why: "ended" });
    expect(await store.call((api) => api.phones.list.query())).toMatchObject({ ok: false });
    expect(store.snapshot().failure).toEqual({ kind: "signed_out", why: "ended" });
    await app.tokens.set({ server: server.origin, token: "cp_old", expiresAt: "2020-01-01T00:00:00.000Z" });
    await vi.waitFor(() => expect(store.snapshot().failure).toEqual({ kind: "signed_out", why: "expired" }));
  });

  it("does not take the person's own sign-out for one from elsewhere, whoever is refused meanwhile", async () => {
    await store.start();
    const sent = createApi({ server: server.origin, token: async () => server.token });
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const overtaken = store.call(async () => {
      await over;
      return sent.phones.list.query();
    });
    await signOut(app, server.origin);
    resolve();
    expect(await overtaken).toEqual({ ok: false, failure: { kind: "signed_out" } });
    expect(store.snapshot().failure).toEqual({ kind: "signed_out" });
    expect(await app.tokens.get(server.origin)).toBeUndefined();
  });

  it("keeps the token when the server does not say that the session is over", async () => {
    server.state.refuse = { code: "internal", message: "Something is wrong. Try again." };
    await expect(signOut(app, server.origin)).rejects.toThrow();
    expect((await app.tokens.get(server.origin))?.token).toBe(server.token);
  });

  it("reads everything anew when the session works in another team, and shows nothing of the earlier one", async () => {
    await app.tokens.set({ server: server.origin, token: server.token, expiresAt, team: newId("team") });
    const theirs = stubPhone({ name: "Of the shop" });
    server.state.phones.set(theirs.id, theirs);
    await store.start();
    await vi.waitFor(async () => expect((await app.phonesCache.get())?.phones).toEqual([theirs]));
    const seen: string[] = [];
    store.subscribe(() => seen.push(`${store.snapshot().status} ${store.snapshot().phones.map(({ name }) => name)}`));
    const mine = stubPhone({ name: "Of mine" });
    server.state.phones.clear();
    server.state.phones.set(mine.id, mine);
    await app.tokens.set({ server: server.origin, token: server.token, expiresAt, team: newId("team") });
    await vi.waitFor(() => expect(store.snapshot().phones).toEqual([mine]));
    expect(seen[0]).toBe("loading ");
    expect(seen.filter((line) => line.includes("Of the shop"))).toEqual([]);
    await vi.waitFor(() => expect(server.state.listeners.size).toBe(1));

    // A popup that opens knows which team the stored list is of.
    await app.phonesCache.update((cache) => cache && { ...cache, team: newId("team") });
    const popup = createPhonesStore(createLightApp({ tokens: app.tokens }));
    await popup.hydrate();
    expect(popup.snapshot()).toMatchObject({ status: "loading", phones: [] });
  });

  it("puts a call's answer in and gives failures back as values", async () => {
    const phone = stubPhone();
    server.state.phones.set(phone.id, phone);
    await store.start();
    const started = await store.call((api) => api.phones.start.mutate({ phoneId: phone.id }));
    expect(started).toMatchObject({ ok: true, value: { state: "running" } });
    expect(store.snapshot().phones[0]?.state).toBe("running");
    server.state.refuse = { code: "forbidden", message: "Your role may not do that. Ask an owner." };
    const refused = await store.call((api) => api.phones.park.mutate({ phoneId: phone.id }));
    expect(refused).toMatchObject({ ok: false, failure: { kind: "refused", error: { code: "forbidden" } } });
    expect(store.snapshot().status).toBe("live");
  });

  it("believes an answer rather than a list that was read before it", async () => {
    const light = createPhonesStore(createLightApp({ tokens: app.tokens }));
    const phone = stubPhone();
    server.state.phones.set(phone.id, phone);
    await light.start();
    const lists = () => server.state.calls.filter((path) => path === "phones.list").length;
    const before = lists();
    const held = Promise.withResolvers<void>();
    server.state.holdLists = held.promise;
    const refreshed = light.refresh();
    await vi.waitFor(() => expect(lists()).toBe(before + 1));
    await light.call((api) => api.phones.start.mutate({ phoneId: phone.id }));
    const states: (string | undefined)[] = [];
    light.subscribe(() => states.push(light.snapshot().phones[0]?.state));
    held.resolve();
    await refreshed;
    await vi.waitFor(() => expect(states).not.toEqual([]));
    expect(states).toEqual(["running"]);
    light.stop();
  });

  it("believes an event rather than an answer it overtook", async () => {
    const phone = stubPhone({ state: "parked" });
    server.state.phones.set(phone.id, phone);
    await store.start();
    await vi.waitFor(() => expect(server.state.listeners.size).toBe(1));
    const seen = () => store.snapshot().phones.map(({ state }) => state);
    await store.call(async () => {
      const running = { ...phone, state: "running" as const };
      server.state.phones.set(phone.id, running);
      publish(server.state, { type: "phone", phone: running });
      await vi.waitFor(() => expect(seen()).toEqual(["running"]));
      return { ...phone, state: "starting" as const };
    });
    expect(seen()).toEqual(["running"]);
  });

  it("asks again by itself where it cannot listen", async () => {
    const light = createPhonesStore(createLightApp({ tokens: app.tokens }));
    const phone = stubPhone();
    server.state.phones.set(phone.id, phone);
    server.state.startMs = 300;
    await light.start();
    await light.call((api) => api.phones.start.mutate({ phoneId: phone.id }));
    expect(light.snapshot().phones[0]?.state).toBe("starting");
    await vi.waitFor(() => expect(light.snapshot().phones[0]?.state).toBe("running"), 5_000);
    expect(server.state.calls).not.toContain("phones.events");
    light.stop();
  });

  it("waits for the welcome page when there is no server", async () => {
    await app.settings.set({ theme: "system" });
    await store.start();
    expect(store.snapshot().status).toBe("no_server");
    await app.settings.set({ theme: "system", server: server.origin });
    await vi.waitFor(() => expect(store.snapshot().status).toBe("live"));
  });
});
