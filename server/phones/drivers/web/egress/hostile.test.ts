/** A hostile page in a real browser: with the phone's flags and proxy it reaches nothing beside the server. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseEgressAllow } from "../../../../egress/allow.ts";
import { Cleanup, FakeInternet, PUBLIC } from "../../../../egress/internet.fixture.ts";
import { startProxy } from "./egress.fixture.ts";
import { egressFlags } from "./flags.ts";
import { startHostilePage, startVictim } from "./hostile.fixture.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const SYSTEM_CHROMIUM = "/usr/lib/chromium/chromium";
/** The headless shell that comes with the product, and a full Chromium where there is one: they heed different flags. */
const BROWSERS: readonly { readonly name: string; path(): Promise<string> }[] = [
  { name: "the headless shell", path: async () => (await import("@sparticuz/chromium")).default.executablePath() },
  ...(existsSync(SYSTEM_CHROMIUM) ? [{ name: "full Chromium", path: async () => SYSTEM_CHROMIUM }] : []),
];

/** Opens the address in a fresh headless browser with the flags. */
async function openBrowser(path: string, url: string, flags: readonly string[]): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), "perch-hostile-"));
  cleanup.add(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }));
  const quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  const browser = spawn(
    path,
    [
      ...["--headless", "--disable-gpu", ...quiet, `--user-data-dir=${profile}`],
      // Popups would be blocked without a tap, and frames that are not seen would not load.
      ...["--disable-popup-blocking", "--mute-audio"],
      // The tests may run as root, where Chromium has no sandbox; phones never do.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...[...flags, url],
    ],
    { stdio: "ignore", detached: true },
  );
  const exited = new Promise((resolve) => browser.once("exit", resolve));
  cleanup.add(() => {
    // Its own process group, so that no helper process outlives the test.
    if (browser.pid !== undefined && browser.exitCode === null) process.kill(-browser.pid, "SIGKILL");
    return exited;
  });
}

/** As the page writes them; each is `127.0.0.1`, another name of this machine, or a metadata service. */
const SPELLINGS = [
  ...["127.0.0.1", "2130706433", "0x7f000001", "017700000001", "127.1", "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]"],
  ...["localhost", "localhost.", "a.localhost", "0.0.0.0", "169.254.169.254", "inside.example", "rebind.example"],
];
const AS_REFUSED = ["127.0.0.1", "::1", "localhost", "a.localhost", "0.0.0.0", "169.254.169.254", "inside.example"];

describe("a hostile page", () => {
  it.each(BROWSERS)(
    "ABUSE-29 reaches nothing beside the server from $name, by 15 spellings, redirects, sockets, WebRTC, QUIC or downloads",
    async ({ path }) => {
      const victim = await startVictim(cleanup);
      const page = await startHostilePage(cleanup, victim, SPELLINGS);
      const internet = new FakeInternet()
        .name("inside.example", ["127.0.0.1"])
        .name("rebind.example", [PUBLIC], ["127.0.0.1"])
        .route("127.0.0.1", page.port, page.port)
        .route("127.0.0.1", victim.tcpPort, victim.tcpPort)
        .route("::1", victim.tcpPort, victim.tcpPort)
        .route(PUBLIC, victim.tcpPort, page.port);
      const allow = parseEgressAllow(`127.0.0.1:${page.port}`);
      const { proxy, refused, logged } = await startProxy(cleanup, internet, { allow });
      await openBrowser(await path(), `http://127.0.0.1:${page.port}/`, egressFlags(proxy.port));
      const tried = await page.done;

      expect(victim.hits).toEqual([]);
      expect(victim.datagrams()).toBe(0);
      expect(tried.length).toBeGreaterThanOrEqual(35);
      // The attempts were made and arrived at the proxy; they did not just fail on the way.
      const atProxy = new Set(refused.filter(({ port }) => port === victim.tcpPort).map(({ host }) => host));
      expect([...atProxy].sort()).toEqual(expect.arrayContaining([...AS_REFUSED].sort()));
      expect(refused.length).toBeGreaterThan(100);
      // Connections were made to the page and, once, to the public face of the rebinding name; to nothing else.
      const dialled = new Set(internet.dialled.map(({ address, port }) => `${address} ${port}`));
      expect([...dialled].sort()).toEqual([`${PUBLIC} ${victim.tcpPort}`, `127.0.0.1 ${page.port}`].sort());
      expect(logged.join()).not.toMatch(/example|127\.0|localhost/);
    },
    60_000,
  );

  it.each(BROWSERS)(
    "without the flags reaches it from $name, proxy or not",
    async ({ path }) => {
      const victim = await startVictim(cleanup);
      // Only loopback here: without the flags nothing holds back a request to another address.
      const page = await startHostilePage(cleanup, victim, ["127.0.0.1"]);
      const internet = new FakeInternet().route("127.0.0.1", page.port, page.port);
      const { proxy } = await startProxy(cleanup, internet, { allow: parseEgressAllow(`127.0.0.1:${page.port}`) });
      await openBrowser(await path(), `http://127.0.0.1:${page.port}/`, [
        `--proxy-server=http://127.0.0.1:${proxy.port}`,
      ]);
      await page.done;
      const arrived = new Set(victim.hits.map((line) => /^\w+ \/([\w-]+) HTTP/.exec(line)?.[1]));
      for (const means of ["fetch", "image", "frame", "form", "beacon", "prefetch", "websocket", "event-source"]) {
        expect(arrived, means).toContain(means);
      }
      for (const means of ["css-url", "redirect", "refresh", "ping", "popup", "worker", "service-worker", "xhr"]) {
        expect(arrived, means).toContain(means);
      }
      expect(victim.datagrams()).toBeGreaterThan(0);
    },
    60_000,
  );
});
