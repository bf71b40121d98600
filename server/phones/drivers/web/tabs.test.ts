/** The pages of a phone over parking and crashes, with real browsers: all listed as they were, one of them loaded. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { WebPhoneStorage } from "./storage.ts";
import { type Bench, Hand, openBench, type Site, serveSite, until } from "./web.fixture.ts";

const page = (title: string) =>
  `<title>${title}</title><h1>${title} page</h1><button onclick="document.title='Renamed'">Rename</button><script>report('loaded ${title}')</script>`;

describe("a phone's pages", () => {
  let bench: Bench;
  let site: Site;
  let hand: Hand;
  const logged: string[] = [];

  beforeAll(async () => {
    site = await serveSite({
      "/one": page("One"),
      "/two": page("Two"),
      "/three": page("Three"),
      "/four": page("Four"),
      "/never": () => undefined,
    });
    const log = (...words: unknown[]) => void logged.push(JSON.stringify(words));
    bench = await openBench({ log: { info: log, warn: log, error: log } });
  });
  afterAll(async () => {
    await bench.close();
    await site.close();
    expect(logged.join("\n")).not.toContain(site.base);
  });
  beforeEach(async () => {
    hand = new Hand(bench.driver);
    await bench.driver.create(hand.spec);
    await bench.driver.start(hand.spec);
  });
  afterEach(() => bench.driver.remove(hand.id));

  const open = async (title: string) => {
    await bench.driver.openUrl(hand.id, `${site.base}/${title.toLowerCase()}`);
    await hand.see(`${title} page`);
  };
  const restart = async () => {
    await bench.driver.park(hand.id);
    site.reports.length = 0;
    await bench.driver.start(hand.spec);
  };
  const recordPath = () => join(bench.dataDir, "web-phones", "phones", hand.id, "phone.json");
  const remembered = async (): Promise<readonly { url: string; title: string }[]> => {
    const storage = new WebPhoneStorage(join(bench.dataDir, "web-phones"), undefined, bench.options.key);
    return (await storage.readRecord(hand.id)).pages;
  };
  /** As versions wrote it that did not encrypt it yet. */
  const writeRecord = (record: object) => writeFile(recordPath(), JSON.stringify(record));

  it("are all in recents after parking, and only the one that was in front is loaded", async () => {
    for (const title of ["One", "Two", "Three"]) await open(title);
    await hand.choose("One");
    await hand.see("One page");
    await hand.tap("Rename");
    await restart();
    await hand.see("One page");
    expect(await hand.recents()).toEqual(["One", "Three", "Two"]);
    await hand.see(new URL(site.base).host);
    expect(site.reports).toEqual(["loaded One"]);
  });

  it("load when chosen, go when closed, and stay as they are until then", async () => {
    for (const title of ["One", "Two", "Three"]) await open(title);
    await hand.press("Home");
    await restart();
    await hand.see("Web apps");
    expect(await hand.recents()).toEqual(["Three", "Two", "One"]);
    await hand.tap("Close Two");
    await hand.seesNo("Close Two");
    await hand.tap(/^One/);
    await hand.see("One page");
    expect(site.reports).toEqual(["loaded One"]);
    await restart();
    await hand.see("One page");
    expect(await hand.recents()).toEqual(["One", "Three"]);
    expect(site.reports).toEqual(["loaded One"]);
  });

  it("are there again after the browser was killed, as is what was in front", async () => {
    for (const title of ["One", "Two"]) await open(title);
    await hand.recents();
    const profiles = join(bench.dataDir, "web-phones", "profiles");
    const [pidFile] = (await readdir(profiles)).filter((name) => name.endsWith(".pid"));
    process.kill(Number(await readFile(join(profiles, pidFile ?? ""), "utf8")), "SIGKILL");
    await until("the phone to end", () => bench.events.find((event) => event.type === "ended"));
    await bench.driver.start(hand.spec);
    await hand.see("Two page");
    expect(await hand.recents()).toEqual(["Two", "One"]);
  });

  it("keep the title they have when the phone is parked, and addresses that were not reached", async () => {
    await bench.driver.openUrl(hand.id, "http://127.0.0.1:9/nobody");
    await hand.see("This page cannot be reached");
    await bench.driver.openUrl(hand.id, `${site.base}/never`);
    await hand.see(/^Opening/);
    await open("One");
    await hand.tap("Rename");
    await hand.press("Home");
    await restart();
    expect((await hand.recents())[0]).toBe("Renamed");
    const urls = (await remembered()).map(({ url }) => url);
    expect(urls).toEqual([`${site.base}/one`, `${site.base}/never`, "http://127.0.0.1:9/nobody"]);
  });

  it("are read from a record of before, which knew only the page in front", async () => {
    await bench.driver.park(hand.id);
    await writeRecord({ open: `${site.base}/two` });
    await bench.driver.start(hand.spec);
    await hand.see("Two page");
    expect(await hand.recents()).toEqual(["Two"]);
  });

  it("are twenty at most, with those asleep", async () => {
    await bench.driver.park(hand.id);
    const pages = Array.from({ length: 25 }, (_, n) => ({ url: `${site.base}/?${n}`, title: `Page ${n}` }));
    await writeRecord({ pages });
    await bench.driver.start(hand.spec);
    const titles = pages.map(({ title }) => title);
    expect((await hand.recents())[0]).toBe(titles[0]);
    await open("Three");
    await open("Four");
    await bench.driver.park(hand.id);
    expect((await remembered()).map(({ title }) => title)).toEqual(["Four", "Three", ...titles.slice(0, 18)]);
  });

  it("stay asleep when the phone starts with an address, and when what was in front cannot be opened", async () => {
    await open("One");
    await bench.driver.park(hand.id);
    await bench.driver.start(hand.spec, `${site.base}/two`);
    await hand.see("Two page");
    expect(await hand.recents()).toEqual(["Two", "One"]);
    await bench.driver.park(hand.id);
    await writeRecord({ open: "http://person:secret@127.0.0.1/", pages: [{ url: `${site.base}/one`, title: "One" }] });
    await bench.driver.start(hand.spec);
    await hand.see("Web apps");
    expect(await hand.recents()).toEqual(["One"]);
  });
});
