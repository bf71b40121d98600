/** Pages that will not let go: whatever they do, Home is there within three seconds and another page opens (issue 2 §6.4). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { pngPixel } from "../server/phones/drivers/web/web.fixture.ts";
import type { Phone, Screenshot } from "../shared/phones.ts";
import { COLOURS } from "./fixtures/pages.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { STORM_PAGES } from "./fixtures/storm-pages.ts";
import { ApiClient, type Screen } from "./harness/api.ts";
import { keepEvidence } from "./harness/evidence.ts";
import { type Colour, near } from "./harness/picture.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

const HOME_WITHIN_MS = 3_000;

describe("a page that will not let go", () => {
  let site: Site;
  let server: PerchServer;
  let people: readonly ApiClient[];
  let person: ApiClient;
  let phone: Phone;
  let screen: Screen;
  let home: readonly Colour[];

  keepEvidence(() => ({ server }));
  beforeAll(async () => {
    site = await startSite();
    server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
    // Two, because one may not launch this many phones in a minute.
    people = [await ApiClient.create(server, "odd@example.org"), await ApiClient.create(server, "even@example.org")];
  });
  afterAll(async () => {
    await server?.stop();
    await site?.close();
  });

  let turn = 0;
  beforeEach(async () => {
    person = people[turn % people.length] ?? person;
    turn += 1;
    phone = await person.mutate<Phone>("phones.launch", { idempotencyKey: crypto.randomUUID() });
    screen = await person.watch(phone.id);
    await until("the first picture", () => screen.frames > 0);
    home = await pixels();
  });
  afterEach(async () => {
    screen.close();
    await person.mutate("phones.remove", { phoneId: phone.id, idempotencyKey: crypto.randomUUID() });
  });

  /** Colours at the left edge, in the middle, and where the home screen has its address field. */
  const pixels = async (): Promise<readonly Colour[]> => {
    const { base64, width, height } = await person.mutate<Screenshot>("phones.screenshot", { phoneId: phone.id });
    const png = Buffer.from(base64, "base64");
    return [0.1, 0.5, 0.9].map((y) => {
      const [red = 0, green = 0, blue = 0] = pngPixel(png, Math.floor(0.02 * width), Math.floor(y * height));
      return [red, green, blue];
    });
  };
  const open = (path: string) => person.mutate("phones.openUrl", { phoneId: phone.id, url: `${site.origin}${path}` });
  const tap = () => {
    for (const phase of ["start", "end"] as const)
      screen.send({ type: "touch", phase, id: 0, x: 0.5, y: 0.3, seq: screen.seq });
  };

  it.each(Object.keys(STORM_PAGES))("is left with Home: %s", { timeout: 40_000 }, async (path) => {
    await open(path);
    await until("the storm to begin", () => site.told("storm").includes(path));
    // A touch gives the page what browsers grant only after one: windows, full screen, questions before leaving.
    tap();
    tap();
    const pressed = Date.now();
    screen.send({ type: "key", name: "Home" });
    await until(
      "the home screen",
      async () => (await pixels()).every((colour, index) => near(colour, home[index] ?? [0, 0, 0])),
      { timeout: HOME_WITHIN_MS, everyMs: 100 },
    );
    expect(Date.now() - pressed).toBeLessThan(HOME_WITHIN_MS);

    await open("/counter");
    await until("another page on the screen", async () => near((await pixels())[1] ?? [0, 0, 0], COLOURS.counter), {
      timeout: 10_000,
      everyMs: 100,
    });
    expect((await person.phone(phone.id)).state).toBe("running");
  });
});
