/** What a web phone survives and how it ends: crashes, limits, a server that went away, a browser kept ready. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createWebDriver } from "./driver.ts";
import { commandLine, parents, tree } from "./proc.ts";
import { type Bench, Hand, openBench, type Site, serveSite, until } from "./web.fixture.ts";

/** What one team leaves on a phone. */
const MARK = "left-by-the-first-team";

describe("web phones over their lives", () => {
  let bench: Bench;
  let site: Site;
  beforeAll(async () => {
    site = await serveSite({
      "/": "<title>Start</title><h1>Start page</h1>",
      "/mark": `<title>Mark</title><script>report('before '+(document.cookie||'none')+' '+(localStorage.mark||'none'));document.cookie='mark=${MARK};max-age=9999';localStorage.mark='${MARK}';report('marked '+document.cookie+' '+localStorage.mark)</script>`,
    });
    bench = await openBench();
  });
  afterAll(async () => {
    await bench.close();
    await site.close();
  });

  const profiles = () => join(bench.dataDir, "web-phones", "profiles");
  const browserPids = async () => {
    const names = (await readdir(profiles())).filter((name) => name.endsWith(".pid"));
    return Promise.all(names.map(async (name) => Number(await readFile(join(profiles(), name), "utf8"))));
  };
  const renderers = async (pid: number) => {
    const found: number[] = [];
    for (const member of tree(pid, await parents())) {
      // Forked, not executed: its arguments are one line.
      if ((await commandLine(member)).join(" ").includes("--type=renderer")) found.push(member);
    }
    return found;
  };
  const launched = async (driver = bench.driver) => {
    const hand = new Hand(driver);
    await driver.create(hand.spec);
    await driver.start(hand.spec);
    return hand;
  };
  const ended = (hand: Hand, events = bench.events) =>
    until("the phone to end", () => events.find((event) => event.type === "ended" && event.phoneId === hand.id));

  it("are encrypted while they are parked, and as they were when they run again", async () => {
    const kept = async () => {
      const root = join(bench.dataDir, "web-phones");
      const files = await readdir(root, { recursive: true, withFileTypes: true });
      const plain = files.filter((file) => file.isFile() && !file.parentPath.includes("chromium"));
      const texts = await Promise.all(plain.map((file) => readFile(join(file.parentPath, file.name))));
      return texts.filter((bytes) => bytes.includes(MARK) || bytes.includes(Buffer.from(MARK, "utf16le"))).length;
    };
    const hand = await launched();
    await bench.driver.openUrl(hand.id, `${site.base}/mark`);
    await until("the mark", () => site.reports.find((report) => report.startsWith("marked")));
    await until("the mark on the disk", async () => ((await kept()) > 0 ? true : undefined));
    await bench.driver.park(hand.id);
    expect(await kept()).toBe(0);
    expect((await readdir(profiles())).filter((name) => !name.endsWith(".sealed"))).toEqual([]);
    site.reports.length = 0;
    await bench.driver.start(hand.spec);
    expect(await until("the page", () => site.reports.find((report) => report.startsWith("before")))).toBe(
      `before mark=${MARK} ${MARK}`,
    );
    const receipt = await bench.driver.remove(hand.id);
    expect(receipt.verifiedAbsent).toBe(true);
    expect(await readdir(profiles())).toEqual([]);
    site.reports.length = 0;
  });

  it("tells that a page crashed, and reloads it", async () => {
    const hand = await launched();
    const [pid] = await browserPids();
    const before = await renderers(pid ?? 0);
    await bench.driver.openUrl(hand.id, site.base);
    await hand.see("Start page");
    // A spare renderer may stand ready beside the page's own; killing it too harms nothing.
    for (const renderer of await renderers(pid ?? 0)) if (!before.includes(renderer)) process.kill(renderer, "SIGKILL");
    await hand.see("This page crashed");
    await hand.tap("Reload");
    await hand.see("Start page");
    hand.watch();
    await until("a frame after the crash", () => hand.frames[0]);
    await bench.driver.remove(hand.id);
  });

  it("ends, and starts again where it was, when its browser is killed", async () => {
    const hand = await launched();
    await bench.driver.openUrl(hand.id, site.base);
    await hand.see("Start page");
    const [pid] = await browserPids();
    process.kill(pid ?? 0, "SIGKILL");
    expect(await ended(hand)).toMatchObject({ reason: "browser_crashed" });
    expect(await bench.driver.state(hand.id)).toBe("parked");
    await expect(bench.driver.screenshot(hand.id)).rejects.toMatchObject({ code: "phone_not_running" });
    await bench.driver.start(hand.spec);
    await hand.see("Start page");
    await bench.driver.remove(hand.id);
    expect(await browserPids()).toEqual([]);
  });

  it("runs the browser as an unprivileged user inside its sandbox", async () => {
    const hand = await launched();
    const [pid] = await browserPids();
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    expect(status).not.toMatch(/^Uid:\s+0\b/m);
    const [renderer] = await renderers(pid ?? 0);
    expect(await readFile(`/proc/${renderer}/status`, "utf8")).toMatch(/^Seccomp:\s+2$/m);
    expect(await commandLine(pid ?? 0)).not.toContain("--no-sandbox");
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    expect(environment).not.toContain("VITEST");
    await bench.driver.remove(hand.id);
  });

  it("ends phones that use more memory or disk than they may", async () => {
    const greedy = await openBench({ limits: { memoryBytes: 10_000_000, diskBytes: 1e9 }, dataDir: bench.dataDir });
    const hand = await launched(greedy.driver);
    expect(await ended(hand, greedy.events)).toMatchObject({ reason: "out_of_memory" });
    await greedy.driver.remove(hand.id);
    await greedy.driver.close();
    const full = await openBench({ limits: { memoryBytes: 4e9, diskBytes: 10_000 }, dataDir: bench.dataDir });
    const other = await launched(full.driver);
    expect(await ended(other, full.events)).toMatchObject({ reason: "disk_full" });
    await expect(full.driver.start(other.spec)).rejects.toMatchObject({ code: "limit_reached" });
    await full.driver.remove(other.id);
    await full.driver.close();
  });

  it("ends browsers an earlier server left and keeps their phones", async () => {
    const hand = await launched();
    const [pid] = await browserPids();
    expect(pid).toBeGreaterThan(1);
    const after = await createWebDriver(bench.options);
    expect(await after.recover()).toContainEqual({ id: hand.id, state: "parked" });
    expect(await commandLine(pid ?? 0)).toEqual([]);
    // The earlier server of this test is still there, and encrypts what its phone left.
    await until("the phone to be encrypted", async () =>
      (await readdir(profiles())).every((name) => name.endsWith(".sealed")) ? true : undefined,
    );
    await after.start(hand.spec);
    expect(await after.state(hand.id)).toBe("running");
    await after.remove(hand.id);
    await after.close();
    await ended(hand);
  });

  it("makes a new phone of the browser kept ready, and no phone of another's", async () => {
    const ready = await openBench({ dataDir: bench.dataDir, spares: 1 });
    await until("a spare", async () => ((await browserPids()).length === 1 ? true : undefined));
    const [spare] = await browserPids();
    await until("the spare to show its screen", async () =>
      (await renderers(spare ?? 0)).length > 0 ? true : undefined,
    );
    const hand = await launched(ready.driver);
    expect(await browserPids()).toContain(spare);
    await until("another spare", async () => ((await browserPids()).length === 2 ? true : undefined));
    await ready.driver.park(hand.id);
    await ready.driver.start(hand.spec);
    const receipt = await ready.driver.remove(hand.id);
    expect(receipt).toMatchObject({ verifiedAbsent: true });
    await ready.driver.close();
    expect(await browserPids()).toEqual([]);
    expect((await readdir(profiles())).filter((name) => !name.includes("."))).toEqual([]);
  });

  it("ABUSE-28 shows nothing of a removed phone to the next, and leaves no byte of it on the disk", async () => {
    const said = (text: RegExp) => until(String(text), () => site.reports.find((report) => text.test(report)));
    const holding = async () => {
      const names = await readdir(profiles(), { recursive: true, withFileTypes: true });
      const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      const bytes = await Promise.all(files.map((file) => readFile(file).catch(() => Buffer.alloc(0))));
      return bytes.filter((content) => content.includes(MARK)).length;
    };
    const first = await launched();
    await bench.driver.openUrl(first.id, `${site.base}/mark`);
    await said(new RegExp(`^marked mark=${MARK} ${MARK}$`));
    await until("the mark on the disk", async () => ((await holding()) > 0 ? true : undefined));
    await bench.driver.park(first.id);
    expect(await bench.driver.remove(first.id)).toMatchObject({ verifiedAbsent: true });
    expect(await holding()).toBe(0);
    site.reports.length = 0;
    const next = await launched();
    await bench.driver.openUrl(next.id, `${site.base}/mark`);
    expect(await said(/^before /)).toBe("before none none");
    await bench.driver.remove(next.id);
  });

  it("says what to do when there is no browser", async () => {
    const none = await openBench({ chromePath: "/nonexistent/chrome", dataDir: join(bench.dataDir, "c") });
    const hand = new Hand(none.driver);
    await none.driver.create(hand.spec);
    await expect(none.driver.start(hand.spec)).rejects.toMatchObject({
      code: "phone_unavailable",
      message: expect.stringContaining("CHROME_PATH"),
    });
    expect(await none.driver.state(hand.id)).toBe("parked");
    await none.close();
    expect(existsSync(join(bench.dataDir, "c"))).toBe(false);
  });

  it("leaves nothing running when a start fails half-way", async () => {
    let closed = 0;
    const broken = await openBench({
      dataDir: join(bench.dataDir, "d"),
      chromePath: "/bin/true",
      egress: async () => ({
        port: 1,
        cutOff: () => undefined,
        close: async () => {
          closed += 1;
        },
      }),
    });
    const hand = new Hand(broken.driver);
    await broken.driver.create(hand.spec);
    await expect(broken.driver.start(hand.spec)).rejects.toMatchObject({ code: "phone_unavailable" });
    expect(closed).toBeLessThanOrEqual(1);
    await broken.close();
  });
});
