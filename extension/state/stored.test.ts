import { beforeEach, describe, expect, it } from "vitest";
import { fakeBrowser } from "wxt/testing/fake-browser";
import * as z from "zod/mini";
import { newId } from "../../shared/ids.ts";
import { stubPhone } from "../testing/stub.router.ts";
import { DOUBLE_CLICK_MS, INTENT_LIFETIME_MS, intentStore } from "./intents.ts";
import { phonesCache } from "./phones-cache.ts";
import { settingsStore } from "./settings.ts";
import { stored } from "./stored.ts";
import "./zod.ts";

beforeEach(() => fakeBrowser.reset());

describe("a stored value", () => {
  const counter = (version = 2) =>
    stored({
      area: "local",
      key: "counter",
      version,
      schema: z.object({ count: z.number() }),
      initial: { count: 0 },
      migrate: (value, from) => (from === 1 ? { count: value } : undefined),
    });

  it("starts with its initial value and remembers", async () => {
    expect(await counter().get()).toEqual({ count: 0 });
    await counter().set({ count: 3 });
    expect(await counter().get()).toEqual({ count: 3 });
  });

  it("carries an older version over", async () => {
    await fakeBrowser.storage.local.set({ counter: { version: 1, value: 41 } });
    expect(await counter().get()).toEqual({ count: 41 });
  });

  it.each([
    ["a newer version", { version: 9, value: { count: 5 } }],
    ["damaged content", { version: 2, value: { count: "five" } }],
    ["no envelope", "nonsense"],
  ])("falls back on %s", async (_, raw) => {
    await fakeBrowser.storage.local.set({ counter: raw });
    expect(await counter().get()).toEqual({ count: 0 });
  });

  it("loses no change when many write at once", async () => {
    await Promise.all(Array.from({ length: 20 }, () => counter().update(({ count }) => ({ count: count + 1 }))));
    expect(await counter().get()).toEqual({ count: 20 });
  });

  it("tells watchers what was written, until they stop", async () => {
    const seen: unknown[] = [];
    const stop = counter().watch((value) => seen.push(value));
    await counter().set({ count: 1 });
    stop();
    await counter().set({ count: 2 });
    expect(seen).toEqual([{ count: 1 }]);
  });
});

describe("settings and the phones seen last", () => {
  it("keep their shape across a round trip", async () => {
    const id = newId("phone");
    await settingsStore().set({ server: "http://localhost:8787", theme: "dark", defaultPhoneId: id });
    expect(await settingsStore().get()).toEqual({ server: "http://localhost:8787", theme: "dark", defaultPhoneId: id });
    const phones = [stubPhone({ state: "running", startedAt: new Date().toISOString() })];
    await phonesCache().set({ server: "http://localhost:8787", signedIn: true, phones, seenAtMs: 1 });
    expect((await phonesCache().get())?.phones).toEqual(phones);
  });
});

describe("intents", () => {
  it("are handed out once", async () => {
    const store = intentStore(() => 1_000);
    const { requestId } = await store.put({ type: "open", url: "https://example.org/" });
    const both = await Promise.all([store.take(), store.take()]);
    expect(both.flat().map((intent) => intent.requestId)).toEqual([requestId]);
    expect(await store.take()).toEqual([]);
  });

  it("make a double click one launch, also after the first was taken", async () => {
    let now = 1_000;
    const store = intentStore(() => now);
    const first = await store.put({ type: "launch", url: "https://example.org/" });
    expect(await store.put({ url: "https://example.org/", type: "launch" })).toEqual(first);
    expect(await store.take()).toHaveLength(1);
    now += DOUBLE_CLICK_MS - 1;
    expect(await store.put({ type: "launch", url: "https://example.org/" })).toEqual(first);
    expect(await store.take()).toEqual([]);
    now += 1;
    expect((await store.put({ type: "launch", url: "https://example.org/" })).requestId).not.toBe(first.requestId);
    expect(await store.take()).toHaveLength(1);
  });

  it("are forgotten when nobody takes them", async () => {
    let now = 1_000;
    const store = intentStore(() => now);
    await store.put({ type: "show", phoneId: newId("phone") });
    now += INTENT_LIFETIME_MS;
    expect(await store.take()).toEqual([]);
  });

  it("wake a waiting panel", async () => {
    const store = intentStore();
    let woken = 0;
    const stop = store.watch(() => {
      woken += 1;
    });
    await store.put({ type: "open", url: "https://example.org/" });
    await store.take();
    stop();
    expect(woken).toBe(1);
  });
});
