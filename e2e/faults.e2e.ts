/** What goes wrong in a day: crashes, power cuts, stolen and used tickets, two clicks at once (issue 2 §6.3). */
import { kill } from "node:process";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import WebSocket from "ws";
import { BEAT_MS } from "../server/billing/usage/time-guard.ts";
import type { UsageLinesPage } from "../shared/billing/billing.ts";
import type { Phone } from "../shared/phones.ts";
import { COLOURS } from "./fixtures/pages.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { ApiClient, Refused, Screen } from "./harness/api.ts";
import { extensionBuild } from "./harness/builds.ts";
import { ExtensionBrowser } from "./harness/chromium.ts";
import { ADA, installAndSignUp, openOnPhone } from "./harness/person.ts";
import { showsColour } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

let site: Site;
let server: PerchServer;
beforeAll(async () => {
  site = await startSite();
  server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
});
afterAll(async () => {
  await server?.stop();
  await site?.close();
});

/** A beat may come so late on a busy machine. */
const LATE_MS = 1_000;

const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error("It was allowed.");
    },
    (error: unknown) => {
      if (!(error instanceof Refused)) throw error;
      return { code: error.code, message: error.message };
    },
  );

describe("faults, over the API", () => {
  let api: ApiClient;
  let phone: Phone;
  beforeAll(async () => {
    api = await ApiClient.create(server, "faults@example.org");
    phone = await api.launch(`${site.origin}/counter`);
  });

  it("two clicks at once are one phone", async () => {
    const person = await ApiClient.create(server, "twice@example.org");
    const input = { idempotencyKey: "one-double-click" };
    const [a, b] = await Promise.all([1, 2].map(() => person.mutate<Phone>("phones.launch", input)));
    expect(a?.id).toBe(b?.id);
    expect(await person.query<Phone[]>("phones.list")).toHaveLength(1);
    await person.mutate("phones.remove", { phoneId: a?.id, idempotencyKey: "and-away-with-it" });
  });

  it("ABUSE-20 a ticket opens one screen, however often it is tried", async () => {
    const { url, protocol, ticket } = await api.ticket(phone.id);
    const screens = await Promise.all(Array.from({ length: 10 }, () => Screen.open(url, protocol, ticket)));
    expect(screens.filter((screen) => screen.opened)).toHaveLength(1);
    for (const screen of screens) screen.close();
    expect((await Screen.open(url, protocol, "x".repeat(43))).opened).toBe(false);
  });

  it("ABUSE-19 a page's origin opens no screen, and does not use up the ticket", async () => {
    const { url, protocol, ticket } = await api.ticket(phone.id);
    const evil = new WebSocket(url, [protocol, `ticket.${ticket}`], { origin: "https://evil.test" });
    const status = await new Promise((resolve) => {
      evil.on("unexpected-response", (_request, response) => resolve(response.statusCode));
      evil.on("open", () => resolve("open"));
      evil.on("error", () => {});
    });
    expect(status).toBe(403);
    const screen = await Screen.open(url, protocol, ticket);
    expect(screen.opened).toBe(true);
    screen.close();
  });

  it("another team's phone is as absent as one that never was", async () => {
    const stranger = await ApiClient.create(server, "stranger@example.org");
    const absent = `ph_${"A".repeat(22)}`;
    for (const procedure of ["phones.park", "phones.screenshot", "phones.keepAwake"]) {
      const foreign = await refusalOf(stranger.mutate(procedure, { phoneId: phone.id }));
      expect(foreign).toEqual(await refusalOf(stranger.mutate(procedure, { phoneId: absent })));
      expect(foreign.code).toBe("not_found");
    }
    expect(await refusalOf(stranger.ticket(phone.id))).toEqual(await refusalOf(stranger.ticket(absent)));
  });

  it("a killed browser comes back by itself with its page", async () => {
    const screen = await api.watch(phone.id);
    await screen.firstFrame();
    const visits = site.requests("/counter");
    const [pid] = server.phonePids();
    if (pid === undefined) throw new Error("No phone's browser runs.");
    for (const each of server.phonePids()) kill(each, "SIGKILL");
    await until("the screen to end", () => screen.closedWith !== undefined);
    await until(
      "the phone to be back",
      async () => (await api.phone(phone.id)).state === "running" && site.requests("/counter") > visits,
    );
    const again = await api.watch(phone.id);
    await again.firstFrame();
    again.close();
  });

  it("a power cut in the middle of a stream loses no phone", async () => {
    const screen = await api.watch(phone.id);
    await screen.firstFrame();
    const visits = site.requests("/counter");
    await server.kill();
    const cutAt = Date.now();
    await until("the screen to end", () => screen.closedWith !== undefined);
    await until("no browser to be left behind", () => server.phonePids().length === 0);
    await server.restart();
    await until("the phone to be back", async () => (await api.phone(phone.id)).state === "running");
    await until("its page to be back", () => site.requests("/counter") > visits);
    const again = await api.watch(phone.id);
    await again.firstFrame();
    again.close();
    // Its time is counted up to the last beat before the cut, and anew from when it was back.
    const { lines } = await api.query<UsageLinesPage>("usage.lines", { phoneId: phone.id });
    expect(lines.filter(({ running }) => running)).toHaveLength(1);
    const counted = lines.filter(({ running }) => !running).map(({ to }) => Date.parse(to));
    expect(cutAt - Math.max(...counted)).toBeGreaterThanOrEqual(0);
    expect(cutAt - Math.max(...counted)).toBeLessThan(BEAT_MS + LATE_MS);
    await api.mutate("phones.remove", { phoneId: phone.id, idempotencyKey: "done-with-the-phone" });
  });
});

const executable = inject("chromium");
describe.skipIf(executable === undefined)("faults, in the panel", () => {
  let browser: ExtensionBrowser;
  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(() => browser?.close());

  it("reconnects by itself after the server was killed and started again", async () => {
    await installAndSignUp(browser, server, ADA);
    const panel = await openOnPhone(browser, await browser.openTab(`${site.origin}/counter`));
    await showsColour(panel, COLOURS.counter);
    const visits = site.requests("/counter");
    await server.kill();
    await panel
      .getByText(/reconnect|does not answer/i)
      .first()
      .waitFor({ timeout: 20_000 });
    await server.restart();
    await until("the page to be open again", () => site.requests("/counter") > visits);
    await panel
      .getByText(/reconnect|does not answer/i)
      .first()
      .waitFor({ state: "hidden", timeout: 40_000 });
    await showsColour(panel, COLOURS.counter);
  });
});
